"""The page for networks that tell classes apart, and the way to it from everywhere else."""

import dataclasses
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dynamics.core.config import Config
from dynamics.data.imported import EXAMPLE
from dynamics.engine.training.facts import look
from dynamics.findings import causes
from dynamics.runs.run import Run, listing
from dynamics.runs.start import start
from dynamics.theory.forecast import forecast
from dynamics.theory.prediction import Facts
from pages.nonlinear.presets import PRESETS
from pages.shared.charts import panels, usual
from pages.shared.workbench import waiting
from pages.shared.workbench.presets import Preset
from tests.conftest import folder_of_runs
from tests.engine.test_digits import config
from tests.support.few import few
from tests.support.make import PATIENCE, until

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "pages"


@pytest.fixture(scope="module")
def told_apart(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """A finished run of all heads on digits."""
    every = "original,original_layered,compressed,narrow_random,plain"
    with folder_of_runs(tmp_path_factory.mktemp("classes")) as folder:
        run = start(config(steps=40, record_every=10, networks=every), folder)
        until(lambda: not run.status.live and not run._worker_lives())
        assert run.status.phase == "done", run.status.message
        yield run


def opened(page: str, **query: str) -> AppTest:
    """A page alone, by its file, or the whole app, whose first page is shown."""
    app = AppTest.from_file(
        PAGES / page if page[0].isdigit() else ROOT / page, default_timeout=PATIENCE
    )
    for name, value in query.items():
        app.query_params[name] = value
    return well(app.run())


def attribution(**query: str) -> AppTest:
    """The page of attributions in the app, which its links need."""
    app = opened("app.py")
    app.switch_page("pages/4_Attribution.py")
    for name, value in query.items():
        app.query_params[name] = value
    return well(app.run())


def well(app: AppTest) -> AppTest:
    assert not app.exception, app.exception
    return app


def labels(app: AppTest, kind: str) -> set[str]:
    return {each.label for each in app.get(kind)}


def text(app: AppTest) -> str:
    return " ".join(each.value for each in (*app.markdown, *app.caption, *app.warning))


@pytest.fixture(autouse=True)
def _empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DLN_RUNS", str(tmp_path))


def test_each_page_offers_its_own_problems_settings_and_networks() -> None:
    classes, matrices = opened("2_Nonlinear.py"), opened("1_Side_by_side.py")
    (problem,) = [each for each in classes.selectbox if each.label == "Problem"]
    (other,) = [each for each in matrices.selectbox if each.label == "Problem"]
    assert problem.value == "digits" and "completion" not in problem.options
    assert other.value == "completion" and "digits" not in other.options
    assert "Backbone" in labels(classes, "selectbox") - labels(matrices, "selectbox")
    assert "Rate of the backbone ρ" in labels(classes, "slider") - labels(matrices, "slider")


@pytest.mark.parametrize("query", [{"problem": "digits", "features": "64"}, {}])
def test_a_link_to_classes_leads_from_the_first_page_to_theirs(
    query: dict[str, str], told_apart: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By its problem, or by its run."""
    monkeypatch.setenv("DLN_RUNS", str(told_apart.folder.parent))
    asked = query or {"run": told_apart.key}
    app = opened("app.py", **asked)
    assert "10 classes apart" in " ".join([html(app), *(each.value for each in app.title)])
    assert {name: app.query_params[name] for name in asked} == asked
    assert not app.warning


def test_a_run_of_matrices_leads_back(
    finished: Run, monkeypatch: pytest.MonkeyPatch, told_apart: Run
) -> None:
    """Each page keeps its own settings meanwhile."""
    monkeypatch.setenv("DLN_RUNS", str(finished.folder.parent))
    app = opened("app.py", problem="digits", depth="4")
    assert "10 classes apart" in app.title[0].value
    app.switch_page("pages/1_Side_by_side.py")
    well(app.run())
    assert app.title[0].value == "Two networks learn one matrix"
    assert app.session_state["settings"]["problem"] == "completion"
    app.switch_page("pages/2_Nonlinear.py")
    well(app.run())
    assert app.session_state["settings"]["depth"] == 4


def test_what_a_run_says_at_its_end(told_apart: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every network in one table, the plain layer beside the others; nothing about matrices."""
    monkeypatch.setenv("DLN_RUNS", str(told_apart.folder.parent))
    app = opened("app.py", run=told_apart.key)
    assert [each.value for each in app.subheader] == ["Accuracy, and what it took"]
    page = " ".join(each.proto.body for each in app.get("html"))
    for name in ("original", "compressed", "plain layer", "Operations a step", "By the forecast"):
        assert name in page
    assert "stars" not in str(app.main)


@pytest.mark.slow
def test_networks_that_diverged_stand_in_the_table_too(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside one that starts late; no number is made of those that are not finite."""
    wild = config(steps=40, record_every=10, networks="original,compressed,plain", init_scale=0.5)
    run = start(dataclasses.replace(wild, learning_rate=1e6, changes="10:compress"), folder)
    until(lambda: not run.status.live)
    monkeypatch.setenv("DLN_RUNS", str(folder))
    app = opened("app.py", run=run.key)
    page = " ".join(each.proto.body for each in app.get("html"))
    assert "diverged" in page and not {"nan", "inf"} & set(re.findall(r"\w+", page))


def test_inner_coordinates_are_shown_first_where_all_fits_into_a_picture() -> None:
    """Of the narrow networks alone: a wide one has no plane."""
    narrow = Config.from_dict({"problem": "digits", "rank_bound": 2})
    shown = panels(usual(narrow), narrow)
    first = [f"inner_coordinates/{network}" for network in ("compressed", "narrow_random")]
    assert shown[:3] == [*first, "accuracy"]
    assert "inner_coordinates" not in usual(Config.from_dict({"problem": "digits"}))


@pytest.mark.slow
def test_saved_runs_compare_accuracies(told_apart: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    other = start(config(steps=20, record_every=10, networks="plain"), told_apart.folder.parent)
    until(lambda: not other.status.live)
    monkeypatch.setenv("DLN_RUNS", str(told_apart.folder.parent))
    app = opened("7_Saved_runs.py", runs=f"{told_apart.key},{other.key}")
    assert {*app.dataframe[0].value["matrix or classes"]} == {"10 classes, mlp"}
    (menu,) = [each for each in app.selectbox if each.label == "Compare"]
    assert menu.value == "accuracy" and "Recovery error" not in menu.options


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_every_preset_can_be_run_as_it_says(preset: Preset) -> None:
    made = Config.from_dict(preset.settings).to_dict()
    assert {name: made[name] for name in preset.settings} == preset.settings


DRAWING = "Reading the first gradient"


def expected(app: AppTest, words: str) -> str:
    """The page's forecast once a process has drawn what it needs; it has these words then."""
    until(lambda: DRAWING not in html(well(app.run())))
    assert words in html(app)
    return html(app)


def html(app: AppTest) -> str:
    """Tables and captions."""
    return " ".join([each.proto.body for each in app.get("html")] + [text(app)])


def test_when_each_network_begins_to_learn_is_forecast_before_a_run() -> None:
    """The numbers are those of the engine's own facts, drawn by a process that has torch."""
    settings = {"problem": "digits", "features": "64", "networks": "original,compressed"}
    app = opened("2_Nonlinear.py", **settings)
    page = expected(app, "What to expect")
    config = Config.from_dict(settings)
    ends = [each.plateau for each in forecast(config, Facts.of(look(config))).networks.values()]
    for end in ends:
        assert end and re.search(rf">(≈ )?{end.value[1]:,.0f}\b", page)
    assert waiting.MEANWHILE in page
    frozen = opened("2_Nonlinear.py", **settings, backbone_rate="0.0", steps="20")
    page = html(frozen)  # at once: other settings, the same features
    assert "What to expect" in page and "The backbone learns meanwhile" not in page
    assert "learns nothing before" in page
    assert any(each.label.startswith("Set steps") for each in frozen.button)


@pytest.mark.parametrize(
    ("changes", "words"),
    few([({"problem": "fashion_mnist"}, waiting.LATER),
     ({"optimizer": "adam"}, "begins to learn. The optimizer adam rescales"),
     ({"place": "hidden", "networks": "original"}, "no forecast for a hidden layer"),
     ({"features": "64", "networks": "original,compressed", "init_scale": "1.0"}, "no plateau"),
     ({"problem": "own", "dataset": EXAMPLE.replace("28x28", "8x8")}, "is not on this machine"),
    ], 2),
)  # fmt: skip
def test_where_nothing_is_forecast_a_sentence_says_why(changes: dict[str, str], words: str) -> None:
    app = opened("2_Nonlinear.py", **({"problem": "digits"} | changes))
    assert "What to expect" not in expected(app, words)


def test_a_run_that_has_read_its_images_tells_the_forecast_of_other_settings(
    told_apart: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No process draws them once more, and those of other images are not taken."""
    monkeypatch.setattr(waiting, "QUICK", 0)
    monkeypatch.setattr(waiting, "_drawn", {})
    monkeypatch.setenv("DLN_RUNS", str(told_apart.folder.parent))
    app = opened("app.py", run=told_apart.key, init_scale="0.2", steps="4000")
    assert "What to expect" in html(app) and "begins to learn at step" in html(app)
    app = opened("app.py", run=told_apart.key, seed_data="7")
    assert "What to expect" not in html(app) and waiting.LATER in html(app)


@pytest.mark.slow
def test_a_lead_is_split_into_its_causes_on_the_page_of_attributions(
    told_apart: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The end of a run leads there; what it says first is that the plain layer is as good."""
    folder = told_apart.folder.parent
    monkeypatch.setenv("DLN_RUNS", str(folder))
    app = opened("app.py", run=told_apart.key)
    (line,) = [each for each in app.button if each.label.startswith("What happened")]
    links = [each.proto.label for each in well(line.click().run()).get("page_link")]
    assert "Split the lead into its causes" in links
    settings = {"problem": "digits", "features": "16", "steps": "60", "init_scale": "1"}
    app = attribution(**settings, seeds="1", level="0.5")
    assert app.session_state["desk"] == "classes"
    assert "classes · MLP" in text(app) and "plain layer" in text(app)
    assert {each.label for each in app.button} >= {"Measure"}
    (measure,) = [each for each in app.button if each.label == "Measure"]
    well(measure.click().run())
    (run,) = [run for run, stored, _ in listing(folder) if "original_layered" in stored.networks
              and stored.features == 16 and stored.steps == 60]  # fmt: skip
    until(lambda: not run.status.live)
    well(app.run())
    said = text(app)
    assert "There is no gain over the plain layer. With one seed, to an accuracy of 50 %" in said
    assert said.index("no gain over") < said.index("wide head as one matrix takes the same steps")
    found = causes.split(run.config, [run.trajectories], "0.5")
    assert all(sentence in said for sentence in causes.sentences(found))
    assert {"For a paper or talk …"} <= labels(app, "button")
    assert {"CSV", "JSON", "All numbers (zip)"} <= labels(app, "button")
    assert dict(app.query_params) == settings | {"seeds": "1", "level": "0.5"}


def test_an_attribution_says_what_it_cannot_split_and_keeps_both_kinds_apart() -> None:
    app = attribution(problem="digits", place="hidden", networks="original")
    assert [each.value for each in app.info] == [
        "There is no attribution in the place hidden, only in the head."
    ]
    app = attribution(problem="digits", level="2")
    assert "level must be one of 0.5, 0.6" in text(app)
    (menu,) = [each for each in app.selectbox if each.label == "Measured until the accuracy is"]
    assert menu.value == "" and not {"Same stability margin"} & labels(app, "toggle")
    app = attribution(seeds="3")
    assert app.session_state["desk"] == "matrices" and "recover" not in text(app)
    assert {"Same stability margin"} <= labels(app, "toggle")
