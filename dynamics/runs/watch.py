"""Watch: record a training loop that is not this program's, as a run like any other.

    with watch(model, "runs", factors=[["head.0", "head.1"]], every=50) as recorder:
        for images, labels in batches:
            ...
            recorder.step(loss=loss)

``watch`` refuses what cannot be watched, before anything is trained. From then on the recorder
never ends the loop: whatever stops the recording is told once, as a warning, and training goes on.
"""

import math
import os
import re
import sys
import time
import warnings
from collections.abc import Callable, Mapping
from errno import EDQUOT, ENOSPC
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np

from dynamics.core import registry
from dynamics.core.config import SETTINGS, Config
from dynamics.core.consistency import MOST_RECORDS
from dynamics.core.machine import files
from dynamics.core.records import COUNTERS
from dynamics.findings.outcomes import DIVERGED, ENDED, Outcome
from dynamics.runs.recording import Recording, Values
from dynamics.runs.run import RunError, root
from dynamics.runs.worker import Pace

if TYPE_CHECKING:
    from torch import nn

    from dynamics.engine.measuring.watched import Watched

MODEL = "model"  # the line of a chart that has what the program gives: losses and accuracies
LOSS = "train_loss"
TELL_EVERY = 1.0  # seconds between two writings of the status
MOST_COUNT = 1000  # most singular values of a matrix
MOST_NUMBERS = 50  # most numbers that a program gives by name
LONGEST = 100  # characters of a title, and of what an error says
FULL = (ENOSPC, EDQUOT)  # a disk without room
# Measurements that are single numbers of a whole network, which a program gives itself.
GIVEN = (
    "train_loss", "test_loss", "validation_loss", "accuracy", "train_accuracy",
    "validation_accuracy", "recovery_error", "sharpness",
)  # fmt: skip


def watch(
    model: "nn.Module",
    folder: str | Path | None = None,
    *,
    factors: Any = (),
    names: Any = (),
    every: int = 50,
    count: int = 10,
    title: str = "",
) -> "Recorder":
    """A recorder of a model that is trained inside its ``with`` block.

    Args:
        model: the module that is trained.
        folder: of the runs; by default that of the app.
        factors: lists of layers that are applied one after the other with nothing in between. Each
            list is a chain whose product W_L ⋯ W_1 is recorded, and each of its factors.
        names: single layers, such as ``["encoder.0"]``.
        every: steps between two records.
        count: how many singular values are recorded of each matrix. An update's share is that of
            its first 2 count directions, and its angle that of its first count − 1.
        title: what lists and legends call the run; by default the name of the program's file.

    Raises:
        ValueError: with one sentence on what is wrong and what would be right.
    """
    # Imported late: a waiting worker and the web process do without torch.
    from dynamics.engine.measuring.chains import chains
    from dynamics.engine.measuring.watched import Watched

    matrices = chains(model, factors, names)
    config = Config(
        problem="watched",
        networks=(MODEL, *matrices),
        record_every=_whole("every", every, int(SETTINGS["record_every"].high)),
        title=_title(title),
    )
    count = _whole("count", count, MOST_COUNT)
    return Recorder(Watched(model, matrices, count), config, _place(folder))


def _whole(name: str, value: Any, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
        raise ValueError(f"{name} must be a whole number from 1 to {most:,}; {value!r} was given.")
    return value


def _title(title: Any) -> str:
    if not isinstance(title, str) or len(title) > LONGEST or not title.isprintable():
        raise ValueError(f"title must be one line of at most {LONGEST} characters.")
    return title or Path(sys.argv[0]).name[:LONGEST] or "a program"


def _place(folder: Any) -> Path:
    if not (folder is None or isinstance(folder, str | Path)):
        raise ValueError(f"folder must be a path such as 'runs'; {folder!r} was given.")
    place = root(folder)
    if place.exists() and not place.is_dir():
        raise ValueError(f"{place} is a file; folder must be the folder of the runs.")
    return place


class Recorder:
    """Records a model while its program trains it: see ``watch``.

    Attributes:
        folder: the run's folder, named by its key; None before it is made.
    """

    def __init__(self, watched: "Watched", config: Config, folder: Path) -> None:
        self.folder: Path | None = None
        self._runs = folder
        self._watched = watched
        self._config = config
        self._recording: Recording | None = None  # None before the block, and once it is over
        self._process: int | None = None  # that records; one that it forks does not
        self._first: Values | None = None  # step 0, until the first numbers are given
        self._numbers: dict[str, None] = {}  # the columns of all numbers so far
        self._columns: dict[str, str] = {}  # by the name that the program gives: val/acc is val_acc
        self._newest: dict[str, Any] = {}  # the numbers since the last record
        self._refused: set[str] = set()
        self._loss: float | None = None  # the last one that was recorded
        self._step = self._records = self._last = 0
        self._began = self._spent = self._told = 0.0
        self._pace = Pace(0.0, 0)

    def __enter__(self) -> "Recorder":
        """Make the run's folder and measure step 0.

        Raises:
            RuntimeError: if it was entered before.
            RunError: if the folder cannot be written; a full disk only ends the recording.
        """
        if self._process:
            raise RuntimeError("A recorder records once; call watch again for another run.")
        self._process = os.getpid()
        self._began = time.perf_counter()
        self._pace = Pace(self._began, 0)
        try:
            self._recording = Recording(self._runs, self._config, self._watched.machine)
        except OSError as error:
            if error.errno not in FULL:
                raise RunError(files.refusal(error, self._runs)) from None
            self._stop(error)
            return self
        self.folder = self._recording.run.folder
        self._guarded(self._begin)
        return self

    def step(self, loss: Any = None, **numbers: Any) -> None:
        """Say that a gradient step was made; each ``every``-th is recorded.

        Args:
            loss: the training loss, as a number or a tensor of one number.
            numbers: others by name, such as ``accuracy=0.9``. They may come at some steps only: a
                record has the newest since the last record, and NaN if there was none.

        Raises:
            RuntimeError: before the recorder's ``with`` block.
        """
        if not self._process:
            raise RuntimeError("Call step inside of `with watch(...) as recorder:`.")
        given = numbers if loss is None else {LOSS: loss, **numbers}
        self._step += 1
        self._guarded(lambda recording: self._take(recording, given))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Record the last step, and how the block ended."""
        self._guarded(self._finish)
        self._guarded(lambda recording: recording.leave(**self._ending(error)))
        if self._process == os.getpid():
            self._watched.leave()
            self._recording = None

    def _guarded(self, work: Callable[[Recording], None]) -> None:
        """Do a part of the recording; whatever goes wrong there ends the recording alone."""
        if self._recording is None or self._process != os.getpid():
            return
        began = time.perf_counter()
        try:
            work(self._recording)
        except Exception as error:  # of the disk, of the device's memory, of a changed model
            self._stop(error)
        self._spent += time.perf_counter() - began

    def _stop(self, error: Exception) -> None:
        """Record no more, and warn once."""
        why = str(error) or type(error).__name__
        if isinstance(error, OSError):
            why = files.refusal(error, self._runs)
        why = f"The recording ended at step {self._step:,}: {_short(why)}."
        _warn(f"{why} Training goes on.")
        self._watched.leave()
        if self._recording:
            self._recording.leave(phase="failed", message=why, step=self._step)
        self._recording = None

    def _begin(self, recording: Recording) -> None:
        self._watched.hear()
        self._first = self._watched.measure()

    def _take(self, recording: Recording, given: Mapping[str, Any]) -> None:
        """The numbers of one step, and its record if one is due."""
        for name, value in given.items():
            # Detached, so that no graph of the program's stays in memory.
            plain = value.detach() if hasattr(value, "detach") else value
            if plain is not None and (name in self._columns or self._accepts(name, plain)):
                self._newest[self._columns[name]] = plain
        self._write_first(recording)
        if self._step % self._config.record_every == 0:
            self._record(recording)
        now = time.perf_counter()
        if now - self._told >= TELL_EVERY:
            self._told = now
            recording.tell(step=self._step, rate=self._pace.rate)

    def _write_first(self, recording: Recording) -> None:
        """Step 0, as soon as the names of the first numbers are known."""
        if self._first is not None:
            numbers = dict.fromkeys(self._numbers, np.array(math.nan))
            recording.write(0, {MODEL: numbers, **self._first}, 0.0, self._spent)
            self._first = None

    def _record(self, recording: Recording) -> None:
        if self._records == MOST_RECORDS:
            raise ValueError(f"a run keeps at most {MOST_RECORDS:,} records; a larger every helps")
        began = time.perf_counter()
        numbers = {name: np.array(self._read(name)) for name in self._numbers}
        if LOSS in self._newest:
            self._loss = float(numbers[LOSS])
        values = {MODEL: numbers, **self._watched.measure()}
        now = time.perf_counter()
        spent = self._spent + now - began
        recording.write(self._step, values, now - self._began - spent, spent)
        self._newest.clear()
        self._records += 1
        self._last = self._step
        self._pace.note(now, self._step)

    def _read(self, name: str) -> float:
        """The newest value of a number; NaN if there is none since the last record."""
        try:
            return number(self._newest.get(name, math.nan))
        except ValueError as error:
            self._refuse(name, str(error))
            return math.nan

    def _accepts(self, name: str, value: Any) -> bool:
        """Whether a number with a new name can be recorded; warns once if it cannot."""
        try:
            number(value)
        except ValueError as error:
            return self._refuse(name, str(error))
        column = re.sub(r"\W", "_", name)
        measured = column in registry.options("measurements") and column not in GIVEN
        if measured or column in COUNTERS:
            return self._refuse(name, "has a name that the recorder itself uses")
        if column in self._numbers:
            return self._refuse(name, f"would be recorded as {column}, which another number is")
        if not 0 < len(column) <= LONGEST:
            return self._refuse(name, f"has a name of {len(column)} characters, not 1 to {LONGEST}")
        if len(self._numbers) == MOST_NUMBERS:
            return self._refuse(name, f"is one more than the {MOST_NUMBERS} that are recorded")
        self._numbers[column] = None
        self._columns[name] = column
        return True

    def _refuse(self, name: str, why: str) -> bool:
        if name not in self._refused:
            self._refused.add(name)
            _warn(f"{name} {why}; it is not recorded.")
        return False

    def _finish(self, recording: Recording) -> None:
        """The record of the last step."""
        self._write_first(recording)
        if self._step > self._last:
            self._record(recording)

    def _ending(self, error: BaseException | None) -> dict[str, Any]:
        """What the status says of the end of the block."""
        kept = f"; its records up to step {self._step:,} are kept."
        ending: dict[str, Any] = {"step": self._step, "phase": "done", "outcomes": {}}
        if isinstance(error, KeyboardInterrupt):
            return ending | {"phase": "cancelled", "message": f"Its program was interrupted{kept}"}
        if error is not None and not (isinstance(error, SystemExit) and not error.code):
            what = _short(f"{type(error).__name__}: {error}")
            return ending | {"phase": "failed", "message": f"Its program ended by {what}{kept}"}
        if self._loss is not None:
            finite = math.isfinite(self._loss)
            kind, phase = (ENDED, "done") if finite else (DIVERGED, "diverged")
            outcome = Outcome(kind, self._step, self._loss if finite else None)
            ending |= {"phase": phase, "outcomes": {MODEL: outcome}}
        return ending


def number(value: Any) -> float:
    """The number that a program gives: a plain one, or a tensor or an array of one.

    Raises:
        ValueError: with what follows the number's name in a sentence.
    """
    try:
        if isinstance(value, str | bytes):
            raise TypeError
        return float(value)
    except (TypeError, ValueError, RuntimeError, OverflowError):
        shape = getattr(value, "shape", None)
        size = f" of {' × '.join(map(str, shape))} numbers" if shape else ""
        given = f"{type(value).__name__}{size}"
        raise ValueError(f"must be a number or a tensor of one number, not {given}") from None


def _short(text: str) -> str:
    """The beginning of the first line, without its full stop."""
    first = (text.strip().splitlines() or [""])[0]
    return (first if len(first) <= 2 * LONGEST else f"{first[: 2 * LONGEST]} …").removesuffix(".")


def _warn(sentence: str) -> None:
    """A warning at the line of the user's program that called the recorder."""
    frame = sys._getframe(1)
    level = 2
    while frame.f_back and frame.f_globals.get("__name__") == __name__:
        frame = frame.f_back
        level += 1
    warnings.warn(sentence, RuntimeWarning, stacklevel=level)
