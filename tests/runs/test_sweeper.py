"""A sweep trains in a process of its own: one at a time, cancelled, taken up, never lost."""

import os
import signal
from pathlib import Path

import psutil
import pytest

from dynamics.core.sweep import Axis, Sweep
from dynamics.runs import sweeper
from dynamics.runs.run import CANCEL, Run, RunError
from dynamics.runs.sweep import SweepFolder
from dynamics.runs.sweeper import start
from tests.runs.test_sweep import small
from tests.support.make import LONG, is_sentence, until

ENDLESS = {"rows": 16, "cols": 16, "rank": 2, "steps": LONG, "record_every": 1_000_000}


def endless(**more: object) -> Sweep:
    """A sweep that trains until it is cancelled."""
    shared = ENDLESS | {"tolerance": 0.0, "learning_rate": 0.1, "rate_unit": "limit"} | more
    return Sweep.of(shared, [Axis.read("alpha", "1,2,3")])


def cancel(place: SweepFolder) -> None:
    place.ask(CANCEL)
    until(lambda: place.standing.phase not in ("queued", "running"), "the sweep has ended")


def trainer(place: SweepFolder) -> psutil.Process:
    """The process that trains the sweep; a new child of it looks the same for a moment."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        line = process.info["cmdline"] or []
        found += [process] if place.key in line and "dynamics.runs.sweeper" in line else []
    return min(found, key=psutil.Process.create_time)


def test_a_process_trains_a_sweep_and_another_start_changes_nothing(tmp_path: Path) -> None:
    """Its folder says how far it is; its runs are there when it has ended."""
    sweep = small(seeds=1)
    place = start(sweep, tmp_path)
    first = trainer(place).pid
    assert start(sweep, tmp_path).folder == place.folder
    assert trainer(place).pid == first
    until(lambda: place.standing.phase == "done", "the sweep has ended")
    now = place.progress()
    assert now.ended == now.total == place.standing.total == 6
    assert all(Run(tmp_path / key).status.phase == "done" for key in sweep.keys)


def test_sweeps_take_turns_and_one_that_waits_can_be_cancelled(tmp_path: Path) -> None:
    """Cancelled and at once started again, a sweep goes on."""
    first, second = start(endless(), tmp_path), start(endless(depth=2), tmp_path)
    until(lambda: {first.standing.phase, second.standing.phase} == {"running", "queued"})
    waits = first if first.standing.phase == "queued" else second
    trains = second if waits is first else first
    cancel(waits)
    assert trains.standing.phase == "running"
    trains.ask(CANCEL)
    start(trains.sweep, tmp_path)
    until(lambda: trains.standing.phase == "running", "it trains again")
    cancel(trains)


def test_a_killed_process_is_told_of_and_leaves_nobody_behind(tmp_path: Path) -> None:
    place = start(endless(), tmp_path)
    until(lambda: place.standing.phase == "running")
    process = trainer(place)
    until(lambda: len(process.children()) > 1, "its workers are there")
    workers = process.children()
    os.kill(process.pid, signal.SIGKILL)
    until(lambda: place.standing.phase == "lost")
    psutil.wait_procs(workers)
    start(place.sweep, tmp_path)
    until(lambda: place.standing.phase == "running", "it is taken up again")
    cancel(place)


def test_a_scheduler_that_does_not_answer_is_told_in_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server's owner named it, not whoever visits."""
    monkeypatch.setenv(sweeper.SCHEDULER, "tcp://127.0.0.1:9")
    place = start(small(seeds=1), tmp_path)
    until(lambda: place.standing.phase == "failed")
    assert is_sentence(place.standing.message)
    assert "No Dask scheduler" in place.standing.message


def test_more_sweeps_than_may_wait_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeper, "MOST_WAITING", 1)
    places = [start(endless(depth=2), tmp_path)]
    until(lambda: places[0].standing.phase == "running")
    places.append(start(endless(depth=3), tmp_path))
    with pytest.raises(RunError, match="waiting already") as refused:
        start(endless(depth=4), tmp_path)
    assert is_sentence(str(refused.value))
    for place in places:
        cancel(place)
