"""Start: a worker for a run, unless the run is in hand or has ended already."""

import contextlib
import dataclasses
import fcntl
import shutil
import sys
import time
from pathlib import Path

from dynamics.core.config import ELSEWHERE, Config
from dynamics.data import dataset as datasets
from dynamics.data.folder import DataError
from dynamics.runs import control, expiry, launcher, limits, queue, remarks, version
from dynamics.runs.capability import OWNER, Capability
from dynamics.runs.fork import shared
from dynamics.runs.run import LIVE, RUN, Run, RunError, Status

KEPT = (*LIVE, "done", "diverged")  # phases in which a run needs no new worker


def start(
    config: Config,
    folder: Path,
    *,
    by: Capability = OWNER,
    anew: bool = False,
    origin: Run | None = None,
) -> Run:
    """Start a worker on a run, unless the run is in hand or has ended; returns the run.

    A run that was cancelled, has failed or has lost its worker continues from its last checkpoint.

    Args:
        config: the settings of the run.
        folder: the folder of all runs.
        by: who starts it: the maker of a run that was not there before.
        anew: train from step 0 even if the run has records, unless a worker has it in hand. Of a
            run that somebody else made, the records stay.
        origin: a run whose first steps are the same; a new run takes over its records.

    Raises:
        RunError: if too many runs are waiting already, if it is too large or one too many for
            whoever starts it, if the folder cannot be written, if the
            data set that it reads is not on this machine, if another program trained the run, if a
            newer version of this one did, or if it is damaged and somebody else made it.
    """
    if config.watched:
        raise RunError(ELSEWHERE)
    run = Run(folder / config.key)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with queue.lock(folder / ".lock"):
            if version.newer(run.folder):
                run.need_known()
            status = Status("unreadable")
            with contextlib.suppress(RunError):
                status = run.status
            new = not run.folder.exists()
            anew = anew and (new or control.may(run, "train anew", by))
            kept = status.phase in (LIVE if anew else KEPT)
            if kept and (status.live or run.sound):
                return run
            if len(queue.waiting(folder)) >= (most := most_queued()):
                raise RunError(f"{most} runs are waiting already; cancel some or try again later.")
            limits.check(config, folder, by)
            expiry.make_room(run, by)
            _need_data(config)
            fresh = anew or status.phase == "unreadable"
            if fresh and not new:
                control.check(run, "train anew", by)
            place = _anew(run, config) if fresh else run
            control.begin(run, by, place.folder, new=new)
            _spawn(run, place, 0 if fresh else status.step, origin)
    except OSError as error:
        raise RunError(f"{folder} cannot be written: {error.strerror or error}.") from None
    return run


def most_queued() -> int:
    """How many runs may wait at once."""
    return int(limits.given("server")["waiting"]) or sys.maxsize


def _need_data(config: Config) -> None:
    """Raise an error if the run reads an imported data set that is not on this machine."""
    dataset = config.canonical().dataset
    try:
        if dataset:
            datasets.check(dataset)
    except DataError as error:
        raise RunError(str(error)) from None


def began(run: Run) -> bool:
    """Whether this process started the worker that has the run in hand, or is just starting it."""
    if run.folder in _STARTING:
        return True
    with contextlib.suppress(RunError):
        return run.folder in _STARTED and run.status.live
    return False


def _anew(run: Run, config: Config) -> Run:
    """A new run in a folder beside its final one, so that nobody sees a half-made run.

    What a reader said of the earlier one stays.
    """
    aside = Run(run.folder.with_name(f".new-{run.key}"))
    shutil.rmtree(aside.folder, ignore_errors=True)
    aside.folder.mkdir()
    version.stamp(aside.folder)
    aside.write("config.json", config.canonical().to_dict())
    if (said := remarks.read(run)) != remarks.Remarks():
        remarks.write(aside, said)
    return aside


def _spawn(run: Run, place: Run, step: int, origin: Run | None) -> None:
    """Start a worker that holds the ``alive`` lock from its first moment.

    ``place`` is where the run is made ready: its own folder, or another, which then replaces it.
    """
    if origin and origin.key != run.key and shared(place.config, origin.config):
        place.write("origin.json", {"run": origin.key})
    queued = Status("queued", step, created=time.time())
    with (
        open(place.folder / "alive", "w", encoding="utf-8") as alive,
        open(place.folder / "log.txt", "w", encoding="utf-8") as log,
    ):
        fcntl.flock(alive, fcntl.LOCK_EX)  # waits for a cancelled worker's last checkpoint
        place.ask(RUN)
        place.write("status.json", dataclasses.asdict(queued))
        _STARTING.add(run.folder)
        if place != run:
            replace(run.folder, place.folder)
        launcher.launch(run.folder, alive.fileno(), log.fileno())
        _STARTED.add(run.folder)
    _STARTING.discard(run.folder)


def replace(folder: Path, other: Path) -> None:
    """Put ``other`` in the place of ``folder``.

    For an instant ``folder`` does not exist, but it is never half-made.
    """
    old = folder.with_name(f".old-{folder.name}")
    shutil.rmtree(old, ignore_errors=True)
    with contextlib.suppress(FileNotFoundError):
        folder.rename(old)
    other.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


# Folders whose worker this process has started.
_STARTED: set[Path] = set()
# Folders whose worker is being started: Ctrl-C at that moment must end those runs, too.
_STARTING: set[Path] = set()
