"""Queue: how many runs train at once, and which run is next.

A ticket is a file that is kept locked while its run waits, by the launcher or else by the run's own
worker; a place is a file that the worker keeps locked while it trains. The kernel drops a lock when
its holder dies, however it dies, so a killed worker leaves neither a ticket that blocks other
workers nor a place that stays taken.
"""

import contextlib
import fcntl
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

LOOK = 0.1  # seconds between two looks at the queue


class Ticket:
    """A run's number in the queue, for as long as this process lives or until it is torn.

    Args:
        run: folder of the run.
        since: when the turn was asked for, in seconds since the epoch; runs may come in an order
            different from the order in which they were started.
    """

    def __init__(self, run: Path, since: float) -> None:
        self._folder = run.parent
        (self._folder / ".queue").mkdir(exist_ok=True)
        # A ticket is locked before it has its name, or others would take its holder for dead.
        unborn = self._folder / ".queue" / f"{os.getpid()}.{run.name}.new"
        self._file = self._folder / ".queue" / f"{since:020.6f}-{run.name}"
        self._lock = open(unborn, "w", encoding="utf-8")  # noqa: SIM115 - ``tear`` closes it
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        unborn.rename(self._file)

    def place(self) -> IO[str] | None:
        """A place, which is held until it is closed, if it is this run's turn and one is free."""
        return _free_place(self._folder) if waiting(self._folder)[:1] == [self._file] else None

    def tear(self) -> None:
        """Leave the queue."""
        self._file.unlink(missing_ok=True)
        self._lock.close()

    def forget(self) -> None:
        """In a process that was forked: leave the ticket to the one that holds it."""
        self._lock.close()


@contextlib.contextmanager
def turn(run: Path, since: float, patience: Callable[[], None]) -> Iterator[None]:
    """Hold one of the machine's places for the run in this folder; first come, first served.

    As many runs train at once as there are processor cores.

    Args:
        run: folder of the run.
        since: as of a ``Ticket``.
        patience: called about ten times a second while waiting; it may raise to give up.
    """
    ticket = Ticket(run, since)
    try:
        while not (place := ticket.place()):
            patience()
            time.sleep(LOOK)
    finally:
        ticket.tear()
    with place:
        yield


def capacity() -> int:
    """How many runs train at once: one for each processor core that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def busy(folder: Path) -> int:
    """How many runs of this folder train or wait."""
    places = (folder / ".places" / str(number) for number in range(capacity()))
    return len(waiting(folder)) + sum(map(locked, places))


def _free_place(folder: Path) -> IO[str] | None:
    (folder / ".places").mkdir(exist_ok=True)
    for number in range(capacity()):
        file = open(folder / ".places" / str(number), "w", encoding="utf-8")  # noqa: SIM115 - it stays open
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            continue
        return file
    return None


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
