"""Sweeps are trained in processes, written by one, shared, cancelled and taken up again."""

import os
import pickle
import select
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dynamics.core.config import Config
from dynamics.core.records import Trained
from dynamics.core.sweep import Axis, Sweep
from dynamics.draw.panel import NothingToDrawError, of_runs
from dynamics.engine.training.comparison import prepare
from dynamics.engine.training.many import train
from dynamics.findings.story import story
from dynamics.runs.executors import DiedError, here
from dynamics.runs.executors.here import Here
from dynamics.runs.room import check_room, estimate
from dynamics.runs.run import CANCEL, RunError, listing
from dynamics.runs.start import start
from dynamics.runs.sweep import Progress, SweepFolder, Training
from dynamics.runs.sweep import listing as sweeps

BASE: dict[str, Any] = {
    "rows": 16, "cols": 16, "rank": 2, "observed": 0.8, "init_scale": 0.2, "learning_rate": 0.3,
    "rate_unit": "limit", "steps": 200, "record_every": 20,
}  # fmt: skip


def small(seeds: int = 2, level: float = 0.5, **more: Any) -> Sweep:
    axes = [Axis.read("alpha", "1:3:1"), Axis.read("rank_bound", "2,4,20")]
    return Sweep.of(BASE, axes, seeds=seeds, level=level, **more)


class Inline:
    """Trains at once, in this process; dies on the runs that it is told."""

    places = 2

    def __init__(self, deadly: Sequence[str] = (), once: bool = False) -> None:
        self.deadly = [*deadly]
        self.once = once
        self.trained: list[str] = []
        self.died = 0
        self.closed = False

    def submit(self, configs: Sequence[Config], more: Sequence[str]) -> "Future[list[Trained]]":
        future: Future[list[Trained]] = Future()
        if bad := {config.key for config in configs} & {*self.deadly}:
            self.died += 1
            self.deadly = [key for key in self.deadly if key not in bad or not self.once]
            future.set_exception(DiedError())
        else:
            self.trained += [config.key for config in configs]
            future.set_result(train(configs, more))
        return future

    def close(self) -> None:
        self.closed = True


def last(training: Training) -> Progress:
    """Where a sweep stands in the end."""
    return [*training][-1]


def alone(config: Config) -> float:
    """The steps to the level, by a run of its own."""
    for row in prepare(config):
        if row and row["compressed"].values["recovery_error"] <= 0.5:
            return float(row["compressed"].step)
    return np.nan


def test_processes_train_a_sweep_as_its_runs_alone(tmp_path: Path) -> None:
    """Cell by cell; then nothing is left to train, and the folder says the same."""
    sweep = small()
    now = last(Training(sweep, tmp_path, Here(2)))
    assert now.phase == "done" and not now.failed and now.ended == now.total == 12
    for config in sweep.configs:
        np.testing.assert_equal(now.values[config.key], alone(config))
    assert np.isfinite(now.results.middle).any()
    (folder,) = sweeps(tmp_path)
    stored = folder.progress()
    assert stored.sweep == sweep and stored.values == pytest.approx(now.values, nan_ok=True)
    again = Inline()
    assert last(Training(sweep, tmp_path, again)).values == pytest.approx(now.values, nan_ok=True)
    assert again.trained == [] and again.closed


def test_a_run_of_a_sweep_is_an_ordinary_run(tmp_path: Path) -> None:
    """It is listed, starts no worker again, draws what it measured and says what it lacks."""
    sweep = small(seeds=1)
    last(Training(sweep, tmp_path, Inline()))
    listed = listing(tmp_path)
    assert {run.key for run, *_ in listed} == {config.key for config in sweep.configs}
    assert {status.phase for *_, status in listed} == {"done"}
    config = sweep.configs[0]
    run = start(config, tmp_path)
    assert run.status.phase == "done" and run.config == config.canonical()
    for name in ("recovery_error", "losses", "singular_values", "heat_maps"):
        assert of_runs([run], name).data
    with pytest.raises(NothingToDrawError, match=r"principal angles|does not record"):
        of_runs([run], "principal_angles")
    assert story(config, run.trajectories)


def test_equal_runs_are_shared_with_other_sweeps(tmp_path: Path) -> None:
    """A second outcome reads the same folders; one that needs more measurements trains them."""
    last(Training(small(seeds=1), tmp_path, Inline()))
    other, more = Inline(), Inline()
    assert last(Training(small(seeds=1, outcome="final"), tmp_path, other)).ended == 6
    assert other.trained == []
    assert last(Training(small(seeds=1, outcome="escape"), tmp_path, more)).ended == 6
    assert len(more.trained) == 6
    assert len(sweeps(tmp_path)) == 3


def test_a_dead_worker_loses_nothing_and_a_deadly_run_says_why(tmp_path: Path) -> None:
    """Three tries, then the cell says it; its neighbours in the same list come through."""
    sweep = small()
    bad = sweep.configs[3].key
    executor = Inline([bad])
    now = last(Training(sweep, tmp_path, executor))
    assert executor.died == 3
    assert [*now.failed] == [bad] and "died 3 times" in now.failed[bad]
    assert len(now.values) == 11 and len(executor.trained) == len({*executor.trained}) == 11
    # Started again, it is tried again.
    assert not last(Training(sweep, tmp_path, Inline([bad], once=True))).failed


def test_a_killed_process_is_replaced(tmp_path: Path) -> None:
    """SIGKILL of a real one, in the middle: every cell is there in the end."""
    sweep = small()
    executor = Here(2)
    training = iter(Training(sweep, tmp_path, executor))
    next(training)
    os.kill(executor._places[0]._pid.result(), signal.SIGKILL)
    *_, now = training
    assert now.phase == "done" and now.ended == 12 and not now.failed


def test_cancelled_and_taken_up_again(tmp_path: Path) -> None:
    """What is finished stays; a second process is refused meanwhile."""
    sweep = small()
    folder = SweepFolder(tmp_path, sweep.key)
    first = Inline()
    training: Iterator[Progress] = iter(Training(sweep, tmp_path, first))
    next(training)
    assert next(training).ended > 0
    with pytest.raises(RunError, match="by another process"):
        next(iter(Training(sweep, tmp_path, Inline())))
    folder.ask(CANCEL)
    *_, now = training
    assert now.phase == folder.progress().phase == "cancelled" and first.closed
    second = Inline()
    now = last(Training(sweep, tmp_path, second))
    assert now.phase == "done" and now.ended == 12
    assert not {*first.trained} & {*second.trained}


def test_estimate_counts_what_is_new_and_refuses_what_has_no_room(tmp_path: Path) -> None:
    """Before anything is trained."""
    sweep = small()
    expected = estimate(sweep, tmp_path, 2)
    assert (expected.runs, expected.missing, expected.new) == (12, 3, 12)
    assert "12 runs" in expected.sentence and "3 cells cannot exist" in expected.sentence
    last(Training(sweep, tmp_path, Inline()))
    assert estimate(sweep, tmp_path, 2).new == 0
    taken = sum(file.stat().st_size for file in tmp_path.glob("????????????????/*"))
    assert taken <= expected.disk <= 20 * taken
    huge = Sweep.of(
        {"rows": 20_000, "cols": 20_000, "networks": "original,compressed"},
        [Axis.read("alpha", "1,2")],
    )
    with pytest.raises(RunError, match=r"of memory at once, and .* are free"):
        check_room(estimate(huge, tmp_path), tmp_path)


def test_what_a_backbone_takes_is_not_guessed(tmp_path: Path) -> None:
    """Nobody is told of 0 bytes, or of no time at all."""
    sweep = Sweep.of({"problem": "digits", "networks": "compressed"}, [Axis.read("alpha", "1,2")])
    told = estimate(sweep, tmp_path, 2).sentence
    assert "memory" not in told and "0 B" not in told
    assert "How long it takes is told once its first runs have ended." in told
    check_room(estimate(sweep, tmp_path), tmp_path)


def test_records_come_back_in_a_file_and_its_name_through_the_pipe(tmp_path: Path) -> None:
    """What is longer than the kernel writes whole would be cut by a kill, and waited for."""
    configs = small().configs[:4]
    name = here._train(configs, [], str(tmp_path))
    assert len(pickle.dumps(name)) < select.PIPE_BUF < Path(name).stat().st_size
    assert len(here._read(Path(name))) == 4 and not [*tmp_path.iterdir()]


def test_a_training_that_is_cancelled_by_whoever_holds_it_ends_soon(tmp_path: Path) -> None:
    """As Ctrl-C does it: nothing is interrupted in the middle, and what has finished stays."""
    executor = Inline()
    sweep = small(seeds=30)
    training = Training(sweep, tmp_path, executor)
    steps = iter(training)
    next(steps)
    assert next(steps).ended > 0
    training.cancel()
    *_, now = steps
    assert now.phase == "cancelled" and 0 < now.ended < now.total and executor.closed
    assert SweepFolder(tmp_path, sweep.key).progress().phase == "cancelled"
