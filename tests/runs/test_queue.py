"""Queue: one place, several real workers, and who goes next."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from dynamics.runs import queue
from dynamics.runs.run import CANCEL, PAUSE, RUN
from dynamics.runs.start import start
from tests.support.make import endless, small, started, until


@pytest.fixture
def one_place(folder: Path, alone: None) -> Iterator[Path]:
    """A folder of runs of which one trains at a time: this process may use one core alone."""
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(cores)})
    yield folder
    os.sched_setaffinity(0, cores)


def test_runs_wait_first_come_first_served(one_place: Path) -> None:
    """With their positions, and without training meanwhile; whoever is cancelled leaves."""
    first = started(one_place)
    waiting = []
    for seed in range(1, 4):
        run = start(small(seed_init=seed), one_place)
        until(lambda run=run: run.position is not None)
        waiting.append(run)
    assert [run.position for run in waiting] == [0, 1, 2] and first.position is None
    assert {run.status.phase for run in waiting} == {"queued"}
    gone = waiting.pop(1)
    gone.ask(CANCEL)
    until(lambda: gone.status.phase == "cancelled")
    until(lambda: waiting[-1].position == 1)
    assert [len(run.rows()) for run in (gone, *waiting)] == [0] * 3
    first.ask(CANCEL)
    until(lambda: all(run.status.phase == "done" for run in waiting))
    # One at a time: their last words came in the order in which they had come.
    ends = [(run.folder / "status.json").stat().st_mtime_ns for run in waiting]
    assert ends == sorted(ends)


def test_a_waiting_worker_that_is_killed_blocks_nobody(one_place: Path) -> None:
    """Its ticket is worth nothing without its lock."""
    first = started(one_place)
    waiting = []
    for seed in (1, 2):
        run = start(endless(seed_init=seed), one_place)
        until(lambda run=run: run.position is not None)
        waiting.append(run)
    os.kill(waiting[0].status.pid, signal.SIGKILL)
    until(lambda: waiting[0].status.phase == "lost")
    assert waiting[0].position is None and waiting[1].position == 0
    first.ask(CANCEL)
    until(lambda: waiting[1].status.phase == "running")


@pytest.mark.slow
def test_a_paused_run_leaves_its_place_to_the_next(one_place: Path) -> None:
    """And takes its turn again after a resume."""
    first = started(one_place)
    second = start(endless(seed_init=1), one_place)
    until(lambda: second.position == 0)
    first.ask(PAUSE)
    until(lambda: second.status.phase == "running")
    first.ask(RUN)
    until(lambda: first.position == 0)
    assert first.status.phase == "queued"
    second.ask(CANCEL)
    until(lambda: first.status.phase == "running")


def test_a_place_is_free_again_after_a_kill(one_place: Path) -> None:
    first = started(one_place)
    second = start(endless(seed_init=1), one_place)
    until(lambda: second.position == 0)
    os.kill(first.status.pid, signal.SIGKILL)
    until(lambda: second.status.phase == "running")


def test_capacity_is_the_number_of_cores_that_may_be_used(one_place: Path) -> None:
    assert queue.capacity() == len(os.sched_getaffinity(0)) == 1
