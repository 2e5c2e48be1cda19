"""The page of sweeps: ready ones, addresses, and one sentence for what cannot be swept."""

from pathlib import Path
from xml.etree import ElementTree

import pytest
from streamlit.testing.v1 import AppTest

from dynamics.core.sweep import OUTCOMES, Sweep
from dynamics.runs.executors.here import Here
from dynamics.runs.sweep import Training, listing
from pages.shared.pictures import file_of
from pages.sweeps.asked import Asked, Ready, of_sweep
from pages.sweeps.ready import READY
from tests.support.few import few
from tests.support.make import PATIENCE, is_sentence

ROOT = Path(__file__).parents[2]
TINY = {"rows": "12", "cols": "12", "rank": "2", "steps": "60", "record_every": "10"}
AXES = {"axes": "rank_bound,alpha", "alpha": "1,2", "rank_bound": "2:4:1"}


@pytest.fixture(autouse=True)
def _empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DLN_RUNS", str(tmp_path))


def opened(**query: str) -> AppTest:
    """The page in the app, which its links need."""
    app = AppTest.from_file(ROOT / "app.py", default_timeout=PATIENCE).run()
    app.switch_page("pages/6_Sweeps.py")
    for name, value in query.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception, app.exception
    return app


def labels(app: AppTest) -> list[str]:
    return [each.label for each in app.button]


@pytest.mark.parametrize("ready", READY, ids=lambda ready: ready.name)
def test_a_ready_sweep_is_small_and_has_a_picture_and_a_command(ready: Ready) -> None:
    """Its command line makes the very same sweep."""
    sweep = ready.sweep
    assert len(sweep.keys) <= 150
    assert len(ElementTree.parse(file_of("sweeps", ready.name)).getroot()) > 1
    assert of_sweep(sweep).sweep(sweep.base.to_dict()) == sweep
    assert ready.question.endswith("?")


def test_a_card_brings_its_settings_axes_and_outcome() -> None:
    app = opened()
    for place, third in ((3, "depth"), (5, ""), (0, "")):  # of matrices, of digits, and back
        app.button(key=f"preset {place} button").click().run()
        assert not app.exception
        assert app.selectbox(key="swept axis 2").value == third
        assert READY[place].question in " ".join(each.value for each in app.markdown)
        assert f"Train {len(READY[place].sweep.keys)} runs" in labels(app)


@pytest.mark.parametrize("side", ["12", "8"])
def test_an_address_holds_the_whole_sweep(side: str) -> None:
    """Opened, it is written again as it was; also where the usual r̂ = 10 would not fit."""
    query = (
        TINY
        | {"rows": side}
        | AXES
        | {"outcome": "final", "seeds": "2", "view": "lines", "cell": "1,0"}
    )
    app = opened(**query)
    assert not app.warning and not app.error
    kept = {name: app.query_params[name] for name in query}
    assert {
        name: text if isinstance(text, str) else text[0] for name, text in kept.items()
    } == query
    assert "Train 12 runs" in labels(app)


@pytest.mark.parametrize(
    ("query", "words"),
    few(
        [
            ({"alpha": "0:2:1"}, "must be a number above 0"),
            ({"alpha": "1:2"}, "it needs three numbers"),
            ({"alpha": "1:10:1e-9"}, "more than 1,000 values"),
            ({"rank_bound": "20,30"}, "the smaller side of a 12 × 12 matrix"),
            ({"alpha": "1:900:1", "rank_bound": "1:12:1", "seeds": "2"}, "2,500 are allowed"),
            ({"seed_data": "1,2", "axes": "seed_data", "seeds": "3"}, "seeds must be 1"),
            ({"outcome": "luck"}, "outcome must be one of"),
            ({"outcome": "accuracy"}, "outcome must be one of"),
            ({"level": "-1"}, "above 0"),
            ({"level": "soon"}, "not a number"),
            ({"seeds": "0"}, "seeds must be a whole number"),
            ({"mode": "1e3"}, "mode must be a whole number"),
            ({"of": "nobody"}, "There is no network"),
            ({"depth": "2,3", "noise": "0,1"}, "at most 3 axes"),
            ({"axes": "rank_bound,nothing"}, "axes names 'nothing', and the address has no"),
            ({"cell": "9,9,9"}, ""),
            ({"cell": "a"}, ""),
        ],
        6,
    ),
)
def test_what_an_address_cannot_ask_for_is_one_sentence(
    query: dict[str, str], words: str, tmp_path: Path
) -> None:
    """The page stays usable, and nothing is trained."""
    app = opened(**(TINY | AXES | query))
    said = [each.value for each in (*app.warning, *app.error)]
    if words:
        assert any(words in sentence for sentence in said), said
    assert all(is_sentence(sentence) for sentence in said)
    assert app.selectbox(key="swept outcome").value in OUTCOMES
    assert not listing(tmp_path)


def test_a_server_allows_fewer_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its owner's limit is told with what would fit."""
    monkeypatch.setenv("DLN_SWEEP_RUNS", "5")
    app = opened(**(TINY | AXES))
    (error,) = app.error
    assert "6 runs, and 5 are allowed" in error.value
    assert not [label for label in labels(app) if label.startswith("Train")]


def test_runs_that_are_there_are_only_read(tmp_path: Path) -> None:
    """Another sweep has trained them; a finished one shows its cells and what to do with it."""
    asked = Asked((("rank_bound", "2:4:1"), ("alpha", "1,2")), "best")
    sweep: Sweep = asked.sweep(TINY)
    for _ in Training(sweep, tmp_path, Here(1)):
        pass
    assert "Show 6 finished runs" in labels(opened(**(TINY | AXES | {"outcome": "final"})))
    app = opened(**(TINY | AXES | {"outcome": "best", "cell": "1,1"}))
    assert {"CSV", "JSON", "Parquet"} <= {*labels(app)}
    assert not [label for label in labels(app) if label.startswith(("Train", "Show", "Go on"))]
    assert any("r̂ = 3, α = 2" in each.value for each in app.markdown)
