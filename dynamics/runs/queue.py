"""Queue: how many runs train at once, and which run is next.

A ticket is a file that its worker keeps locked while it waits; a place is a file that the worker
keeps locked while it trains. The kernel drops a lock when its holder dies, however it dies, so a
killed worker leaves neither a ticket that blocks other workers nor a place that stays taken.
"""

import contextlib
import fcntl
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path


@contextlib.contextmanager
def turn(run: Path, since: float, patience: Callable[[], None]) -> Iterator[None]:
    """Hold one of the machine's places for the run in this folder; first come, first served.

    As many runs train at once as there are processor cores.

    Args:
        run: folder of the run.
        since: when the turn was asked for, in seconds since the epoch; workers may come up in an
            order different from the order in which they were started.
        patience: called about ten times a second while waiting; it may raise to give up.
    """
    folder = run.parent
    (folder / ".queue").mkdir(exist_ok=True)
    # A ticket is locked before it has its name, or others would take its worker for dead.
    unborn = folder / ".queue" / f"{os.getpid()}.new"
    ticket = folder / ".queue" / f"{since:020.6f}-{run.name}"
    with open(unborn, "w", encoding="utf-8") as mine, contextlib.ExitStack() as place:
        fcntl.flock(mine, fcntl.LOCK_EX)
        unborn.rename(ticket)
        try:
            while not (waiting(folder)[:1] == [ticket] and _take_place(folder, place)):
                patience()
                time.sleep(0.1)
        finally:
            ticket.unlink(missing_ok=True)
        yield


def capacity() -> int:
    """How many runs train at once: one for each processor core that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def busy(folder: Path) -> int:
    """How many runs of this folder train or wait."""
    places = (folder / ".places" / str(number) for number in range(capacity()))
    return len(waiting(folder)) + sum(map(locked, places))


def _take_place(folder: Path, place: contextlib.ExitStack) -> bool:
    (folder / ".places").mkdir(exist_ok=True)
    for number in range(capacity()):
        file = open(folder / ".places" / str(number), "w", encoding="utf-8")  # noqa: SIM115 - the stack closes it
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            continue
        place.enter_context(file)
        return True
    return False


def waiting(folder: Path) -> list[Path]:
    """The tickets of the runs that wait, the oldest first. Removes the tickets of dead workers."""
    alive = []
    for ticket in sorted((folder / ".queue").glob("*-*")):
        if locked(ticket):
            alive.append(ticket)
            continue
        with contextlib.suppress(OSError):  # whoever may write here removes it
            ticket.unlink(missing_ok=True)
    return alive


def locked(file: Path) -> bool:
    """Whether a living process holds the file's lock."""
    try:
        with open(file, encoding="utf-8") as handle:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


@contextlib.contextmanager
def lock(file: Path) -> Iterator[None]:
    """Wait for the file's lock, and hold it inside the block."""
    with open(file, "w", encoding="utf-8") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
