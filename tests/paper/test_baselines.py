"""Baselines: computed once beside a run, from its own split, and drawn into its figure."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from dynamics.core.records import Trajectory
from dynamics.data import movielens as data_movielens
from dynamics.paper import baselines
from dynamics.paper.baselines import MissingError
from dynamics.paper.check import AGREES, DIFFERS
from dynamics.paper.figure import Found
from dynamics.paper.figures import movielens
from dynamics.paper.judge import judge
from dynamics.paper.plan import Plan
from dynamics.runs.run import Run, RunError
from tests.support.make import is_sentence


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """The run of the figure, not trained."""
    (config,) = Plan.of("movielens").distinct
    run = Run(tmp_path / config.key)
    run.folder.mkdir()
    run.write("config.json", dataclasses.replace(config, observed=0.05).to_dict())
    return run


def test_baselines_are_kept_beside_the_run_and_judged(run: Run, ratings: Path) -> None:
    """What is shown is what was computed; a loss off by 0.02 differs, and RMSE is beside it."""
    baselines.compute(run)
    beside = baselines.read(run)
    kept = (run.folder / baselines.FILE).stat().st_mtime_ns
    baselines.compute(run)
    assert baselines.read(run).keys() == beside.keys()
    assert (run.folder / baselines.FILE).stat().st_mtime_ns == kept
    stars = data_movielens.movielens()[2]
    assert beside["split"][0] == pytest.approx(np.mean(stars**2) / 2)
    assert beside["altmin_rank"] == [10] and len(beside["altmin_test_loss"]) == baselines.HALVES
    assert beside["altmin_train_loss"][-1] < beside["altmin_train_loss"][0] / 2
    # The ridge keeps it from learning by heart; without, its errors are tens of times as large.
    assert beside["altmin_test_loss"].max() < 2 * stars.var()
    assert beside["biases_test_loss"][0] < stars.var() / 2  # better than one mean for all

    steps, sizes = np.arange(3.0), np.array([[1e-3, 1e-3], [9.0, 0.5], [9.0, 0.01]])
    for losses, agreed in (([6.88, 0.7, 0.541], True), ([6.90, 0.7, 0.541], False)):
        series = {"test_loss": np.array(losses), "singular_values": sizes}
        trajectory = Trajectory("compressed", steps, steps, steps, steps, series)
        found = Found({"compressed": [{"compressed": trajectory}]}, beside=[beside])
        checks = {check.what: check for check in movielens.checks(found)}
        start = checks["½ mean square at the start, compressed"]
        assert start.verdict == (AGREES if agreed else DIFFERS)
        assert checks["½ mean square at its lowest, compressed"].verdict == AGREES
        rmse = checks["RMSE in stars at its lowest, compressed"].found
        assert rmse == pytest.approx(np.sqrt(1.082))
        assert checks["numerical rank of W there (σᵢ ≥ σ₁/100)"].found == 1
    of = {"compressed": [{"compressed": trajectory}] * 5}
    worse = beside | {"altmin_test_loss": beside["altmin_test_loss"] + 1}
    (over,) = movielens.draw(Found(of, beside=[beside] * 2 + [worse] * 3))
    named = [trace.name for trace in over.data if trace.name]
    assert len(named) == 3 and all(name.endswith("(N = 5)") for name in named)
    shades = [len(trace.y) for trace in over.data if trace.fill]
    assert shades == [2 * len(steps), 2 * baselines.HALVES, 2 * 2]
    of = {"compressed": [{"compressed": trajectory}] * 2}
    (few,) = movielens.draw(Found(of, beside=[beside, worse]))
    assert not any(trace.fill for trace in few.data)
    faint = [len(trace.y) for trace in few.data if not trace.name]
    assert faint == [len(steps)] * 2 + [baselines.HALVES] * 2 + [2] * 2
    (panel,) = movielens.draw(found)
    _, halves, level = panel.data
    assert list(halves.y) == list(beside["altmin_test_loss"]) and halves.x[-1] == 2
    assert set(level.y) == set(beside["biases_test_loss"])


def test_numbers_of_another_method_are_computed_anew(run: Run, ratings: Path) -> None:
    run.write(baselines.FILE, {"altmin_test_loss": [29.5]})
    with pytest.raises(MissingError):
        baselines.read(run)
    baselines.compute(run)
    assert len(baselines.read(run)["altmin_test_loss"]) == baselines.HALVES


def test_judging_a_figure_computes_nothing(run: Run) -> None:
    """A reader of runs writes nothing: it says what is missing."""
    with pytest.raises(MissingError) as caught:
        judge(Plan.of("movielens"), run.folder.parent)
    assert is_sentence(str(caught.value)) and not (run.folder / baselines.FILE).exists()


def test_missing_ratings_are_said_in_a_sentence(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DLN_DATA", str(tmp_path))
    with pytest.raises(RunError) as caught:
        baselines.compute(run)
    assert is_sentence(str(caught.value)) and not (run.folder / baselines.FILE).exists()
