"""Sweeper: the process that trains one sweep, so that nobody has to wait for it or stay.

``python -m dynamics.runs.sweeper RUNS KEY`` takes up the sweep of this key. One sweep trains at a
time; the others wait for their turn, and whatever somebody trains alone comes before it.
"""

import contextlib
import fcntl
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from dynamics.core.machine import files
from dynamics.core.sweep import Sweep
from dynamics.runs import launcher, limits, version
from dynamics.runs.capability import OWNER, Capability
from dynamics.runs.executors import Executor
from dynamics.runs.executors.here import Here
from dynamics.runs.room import check_room, estimate
from dynamics.runs.run import CANCEL, RunError
from dynamics.runs.sweep import FOLDER, LIVE, LOOK, Progress, SweepFolder, Training, listing

SCHEDULER = "DLN_SCHEDULER"  # address of a Dask scheduler: the server's owner alone sets it
MOST_WAITING = 8  # most sweeps that wait at once
ENDING = 10.0  # seconds that a cancelled sweep may take to end
NICENESS = 5  # its processes have as much again: a single run comes first
PROGRAM = Path(__file__).parents[2]


def start(sweep: Sweep, runs: Path, by: Capability = OWNER) -> SweepFolder:
    """Start a process that trains what the sweep lacks, unless one has it in hand already.

    Args:
        sweep: the sweep.
        runs: the folder of all runs.
        by: who has it trained.

    Raises:
        RunError: if too many sweeps wait, the machine has no room or cannot write the folder, or a
            newer version of the program has made it.
    """
    place = SweepFolder(runs, sweep.key)
    if version.newer(place.folder):
        place.need_known()
    try:
        if place.standing.phase in LIVE and place.asked() != CANCEL:
            return place
        if len(_waiting(runs)) >= MOST_WAITING:
            raise RunError(
                f"As many sweeps as may wait, {MOST_WAITING}, are waiting already; cancel one or "
                "try again later."
            )
        for config in sweep.configs:
            limits.check_size(config, runs, by)
        check_room(estimate(sweep, runs), runs)
        _spawn(place, sweep, by)
    except OSError as error:
        raise RunError(f"The sweep cannot be started: {files.refusal(error, runs)}") from None
    return place


def _spawn(place: SweepFolder, sweep: Sweep, by: Capability) -> None:
    """Start the process, which holds the lock of the sweep from its first moment."""
    deadline = time.monotonic() + ENDING
    while True:
        try:
            with place.held() as alive:
                place.create(sweep, by)
                place.tell(Progress(sweep, "queued", *place.outcomes()))
                _launch(place, alive.fileno())
                return
        except RunError:
            if place.asked() != CANCEL:
                return  # somebody else has started it at this moment
            if time.monotonic() > deadline:
                raise RunError("This sweep is still ending; try again in a moment.") from None
            time.sleep(LOOK)


def _launch(place: SweepFolder, alive: int) -> None:
    with open(place.folder / "log.txt", "w", encoding="utf-8") as log:
        launcher.bury(
            subprocess.Popen(
                [sys.executable, "-m", "dynamics.runs.sweeper", place.runs.resolve(), place.key],
                cwd=PROGRAM,
                env=files.environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=[alive],
                start_new_session=True,
            )
        )


def _waiting(runs: Path) -> list[SweepFolder]:
    return [place for place in listing(runs) if place.standing.phase == "queued"]


def executor(address: str) -> Executor:
    """Where a sweep is trained: on the Dask cluster of this scheduler, or here if it is empty.

    Raises:
        RunError: if the cluster cannot be reached.
    """
    if not address:
        return Here()
    from dynamics.runs.executors.dask import Dask

    return Dask(address)


@contextlib.contextmanager
def _turn(place: SweepFolder) -> Iterator[bool]:
    """Wait for this sweep's turn; gives whether it has come, and not a wish to cancel."""
    with open(place.runs / FOLDER / ".turn", "w", encoding="utf-8") as turn:
        while place.asked() != CANCEL:
            try:
                fcntl.flock(turn, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                time.sleep(LOOK)
                continue
            yield True
            return
        yield False


def main() -> None:
    """Train the sweep, and leave in its folder how it ended."""
    runs, key = sys.argv[1:]
    os.nice(NICENESS)
    place = SweepFolder(Path(runs), key)
    limits.bind(limits.of_sweeper(place))
    sweep = place.sweep
    with _turn(place) as mine:
        if not mine:
            place.tell(Progress(sweep, "cancelled", *place.outcomes()))
            return
        try:
            where = executor(os.environ.get(SCHEDULER, ""))
        except RunError as error:
            told = Progress(sweep, "failed", *place.outcomes(), message=str(error))
            place.tell(told)
            return
        with contextlib.suppress(RunError):  # the folder tells why
            for _ in Training(sweep, place.runs, where, held=True):
                pass


if __name__ == "__main__":
    main()
