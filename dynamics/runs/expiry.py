"""Expiry: finished runs go when they are old or take too much room, the oldest first.

Which are too old or too much, ``limits.toml`` says; by default none is. A run that somebody has
pinned stays, and so does one that somebody watches, in any web process: whoever watches it keeps a
file locked, whose lock the kernel drops when the viewer or its process is gone.
"""

import contextlib
import fcntl
import time
from collections.abc import Iterator
from pathlib import Path

from dynamics.core.words import size
from dynamics.runs import capability, control, limits, queue, remarks
from dynamics.runs.capability import OWNER, Capability
from dynamics.runs.limits import IN_TOML, LimitError
from dynamics.runs.run import KEY, LIVE, Run, RunError

SEEN = ".seen"  # in the folder of runs: a file of each run that was watched
DAY = 86_400.0
PACE = 60.0  # seconds between two looks at the folder by one process
STAYS = (*LIVE, "unreadable")  # a newer version of the program may read what this one cannot
_looked: dict[Path, float] = {}  # when, in monotonic seconds


@contextlib.contextmanager
def seen(run: Run) -> Iterator[None]:
    """Keep a run from going inside the block; where nothing can be written, none goes anyway."""
    with contextlib.ExitStack() as held:
        with contextlib.suppress(OSError):
            (run.runs / SEEN).mkdir(exist_ok=True)
            file = held.enter_context(open(run.runs / SEEN / run.key, "a", encoding="ascii"))
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)  # else it is going at this moment
        yield


def tidy(runs: Path, now: float | None = None, stays: str = "") -> float:
    """Remove the runs that must go; returns by how many bytes those that stay are too much.

    Args:
        runs: the folder of all runs.
        now: seconds since the epoch, the present if None.
        stays: the key of a run that does not go.
    """
    now = time.time() if now is None else now
    given = limits.given("folder")
    days, most = given["days"], given["bytes"]
    if not days and not most:
        return 0.0
    places = [place for place in runs.glob("*") if KEY.fullmatch(place.name)]
    taken = {place: _size(place) if most else 0 for place in places}
    left = sum(taken.values())
    ended = {place: _ended(Run(place)) for place in places}
    kept = _origins(places) | {stays}
    for place in sorted(places, key=lambda place: ended[place]):
        old = days and now - ended[place] > days * DAY
        if not old and not (most and left > most):
            continue
        if place.name not in kept and _goes(Run(place)):
            left -= taken[place]
    return max(0.0, left - most) if most else 0.0


def make_room(run: Run, by: Capability) -> None:
    """Tidy the folder, at most once in a while, and refuse a visitor's run where none is left.

    Args:
        run: that is about to be trained.
        by: who has it trained.

    Raises:
        LimitError: with one sentence.
    """
    runs = run.runs
    if time.monotonic() - _looked.get(runs, -PACE) < PACE:
        return
    if tidy(runs, stays=run.key) and not capability.owns(runs, by):
        most = size(limits.given("folder")["bytes"])
        raise LimitError(
            f"All runs together may take {most} here ({IN_TOML}), and what is left is pinned, seen "
            "or trains; the owner of the server can make room."
        )
    _looked[runs] = time.monotonic()


def _goes(run: Run) -> bool:
    """Remove a run unless it must stay; returns whether it has gone."""
    if _phase(run) in STAYS or remarks.read(run).pinned or queue.locked(run.folder / "alive"):
        return False
    mark = run.runs / SEEN / run.key
    try:
        mark.parent.mkdir(exist_ok=True)
        with open(mark, "a", encoding="ascii") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # nobody sees it, and nobody comes
            control.steer(run, "delete", OWNER)
            mark.unlink(missing_ok=True)
    except (OSError, RunError):
        return False
    return True


def _origins(places: list[Path]) -> set[str]:
    """The runs whose records a run that is in hand may be taking over."""
    found: set[str] = set()
    for run in map(Run, places):
        with contextlib.suppress(RunError):
            if (run.folder / "origin.json").exists() and _phase(run) in LIVE and run.origin:
                found.add(run.origin.key)
    return found


def _ended(run: Run) -> float:
    """When its last word was written, in seconds since the epoch."""
    with contextlib.suppress(OSError):
        return (run.folder / "status.json").stat().st_mtime
    return 0.0


def _size(place: Path) -> int:
    total = 0
    for file in place.rglob("*"):
        with contextlib.suppress(OSError):  # it has gone meanwhile
            total += file.stat().st_size if file.is_file() else 0
    return total


def _phase(run: Run) -> str:
    with contextlib.suppress(RunError):
        return run.status.phase
    return "unreadable"
