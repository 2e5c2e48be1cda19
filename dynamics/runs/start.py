"""Start: put a worker on a run, or find the run that is there."""

import contextlib
import dataclasses
import fcntl
import shutil
import subprocess
import sys
import time
from pathlib import Path

from dynamics.core.config import Config
from dynamics.core.fork import shared
from dynamics.runs import queue
from dynamics.runs.run import LIVE, RUN, Run, RunError, Status

KEPT = (*LIVE, "done", "diverged")
MOST_QUEUED = 64


def start(config: Config, folder: Path, *, anew: bool = False, origin: Run | None = None) -> Run:
    """The run of ``config``: the one that is there, or a new one with a worker on it.

    A new one takes over what it shares with ``origin``, and is compared with that on the page.

    A run that was cancelled, failed or lost its worker goes on from the last moment that it has
    kept. With ``anew`` all but one that is in hand is started from step 0.

    Raises:
        RunError: if too many runs are waiting already or the folder cannot be written.
    """
    run = Run(folder / config.key)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with queue.lock(folder / ".lock"):
            known = Status("unreadable")
            with contextlib.suppress(RunError):
                known = run.status
            if known.phase in (LIVE if anew else KEPT):
                return run
            if len(queue.waiting(folder)) >= MOST_QUEUED:
                raise RunError(
                    f"{MOST_QUEUED} runs are waiting already; cancel some or try again later."
                )
            fresh = anew or known.phase == "unreadable"
            place = _anew(run, config) if fresh else run
            _spawn(run, place, 0 if fresh else known.step, origin)
    except OSError as error:
        raise RunError(f"{folder} cannot be written: {error.strerror}.") from None
    return run


def began(run: Run) -> bool:
    """Whether this process started the worker that has the run in hand, or is just starting it."""
    worker = _CHILDREN.get(run.folder)
    return run.folder in _STARTING or (worker is not None and worker.poll() is None)


def _anew(run: Run, config: Config) -> Run:
    """A folder beside the run's, as nobody is to see half of one."""
    aside = Run(run.folder.with_name(f".new-{run.key}"))
    shutil.rmtree(aside.folder, ignore_errors=True)
    aside.folder.mkdir()
    aside.write("config.json", config.canonical().to_dict())
    return aside


def _spawn(run: Run, place: Run, step: int, origin: Run | None) -> None:
    """Start a worker that holds the ``alive`` lock from birth and goes on from what is there.

    ``place`` is the run as it is made ready: itself, or a folder that then takes its place.
    """
    if origin and origin.key != run.key and shared(place.config, origin.config):
        place.write("origin.json", {"run": origin.key})
    queued = Status("queued", step, created=time.time())
    with (
        open(place.folder / "alive", "w") as alive,
        open(place.folder / "log.txt", "w") as log,
    ):
        fcntl.flock(alive, fcntl.LOCK_EX)  # a worker that was cancelled still keeps its last moment
        place.ask(RUN)
        place.write("status.json", dataclasses.asdict(queued))
        _STARTING.add(run.folder)
        if place != run:
            _replace(run.folder, place.folder)
        worker = subprocess.Popen(
            [sys.executable, "-m", "dynamics.runs.worker", str(run.folder)],
            cwd=Path(__file__).parents[2],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=[alive.fileno()],
            start_new_session=True,
        )
    _CHILDREN[run.folder] = worker
    _STARTING.discard(run.folder)
    for folder in [each for each, child in _CHILDREN.items() if child.poll() is not None]:
        del _CHILDREN[folder]


def _replace(folder: Path, other: Path) -> None:
    """Put another folder in a folder's place; for an instant there is none, never half of one."""
    old = folder.with_name(f".old-{folder.name}")
    shutil.rmtree(old, ignore_errors=True)
    with contextlib.suppress(FileNotFoundError):
        folder.rename(old)
    other.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


# By folder; polled at each start, so that none stays a zombie.
_CHILDREN: dict[Path, subprocess.Popen[bytes]] = {}
# Folders whose worker is being started: Ctrl-C in that moment must find them, too.
_STARTING: set[Path] = set()
