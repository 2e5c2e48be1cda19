"""The button that guesses r̂ draws what is seen in another process and sets the slider."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dynamics.core.contents import SPARE
from dynamics.theory.spectrum import gap
from tests.support.make import PATIENCE, until

PAGE = Path(__file__).parents[2] / "pages" / "1_Side_by_side.py"


@pytest.mark.parametrize(
    ("values", "rank"),
    [
        ([9, 8, 7, 1, 0.9, 0.8], 3),
        ([9, 3, 2.9, 2.8], 1),
        ([9, 8, 1e-15, 1e-17], 2),  # a full matrix without noise: what follows is rounding
        ([5.0], 1),
    ],
)
def test_the_gap_is_the_largest_ratio(values: list[float], rank: int) -> None:
    assert gap(values) == rank


@pytest.mark.parametrize(
    "query",
    [
        {"rank": "3", "rows": "30", "cols": "40", "observed": "0.9"},
        {"problem": "sensing", "rows": "20", "cols": "20", "rank": "2", "measurements": "380"},
    ],
    ids=["completion", "sensing"],
)
def test_a_press_sets_the_width_bound(
    query: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From what is seen alone; two more than stand out."""
    monkeypatch.setenv("DLN_RUNS", str(tmp_path))
    app = AppTest.from_file(PAGE, default_timeout=PATIENCE)
    for name, value in query.items():
        app.query_params[name] = value
    app.run().button(key="guess rank").click().run()
    until(lambda: "guess asked" not in app.run().session_state, "the guess is there")
    assert not app.exception
    assert app.session_state["settings"]["rank_bound"] == int(query["rank"]) + SPARE
    assert app.slider(key="rank_bound").value == int(query["rank"]) + SPARE


def test_where_no_rank_is_sought_nothing_is_offered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DLN_RUNS", str(tmp_path))
    app = AppTest.from_file(PAGE, default_timeout=PATIENCE)
    app.query_params["problem"] = "semantic"
    assert "guess rank" not in [button.key for button in app.run().button]
