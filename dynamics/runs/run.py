"""Run: a folder that a worker process fills and everybody else reads.

``runs/<key>/`` holds:

- ``format.json``: the version of the folder's form; see ``version``;
- ``config.json``: the settings;
- ``layout.json``: what the columns of the records are;
- ``records.f8``: the records, rows of little-endian float64, only ever appended to;
- ``maps.f2`` and ``goal.f2``: heat maps, see ``maps``;
- ``pictures.f2`` and ``still.u1``: pictures with holes, see ``pictures``;
- ``status.json``: where the run stands, replaced atomically;
- ``control``: what the worker is asked to do, one byte, read at every record;
- ``alive``: locked by the worker for as long as it lives;
- ``log.txt``: the output of the worker;
- ``checkpoints``: moments from which a run may continue;
- ``origin.json``: the key of the run that this one continues;
- ``maker.json``: digests of who may steer the run, see ``control``.

The one folder serves as queue, live stream, store and cache.

The kernel drops a lock when its holder dies, however it dies. So neither a process table nor a
heartbeat is needed to see whether a worker lives, and a reused process number cannot deceive.
"""

import contextlib
import dataclasses
import functools
import json
import os
import re
import shutil
import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dynamics.core import cost
from dynamics.core.config import Config, ConfigError
from dynamics.core.machine import files
from dynamics.core.records import Array, Layout, Trajectory
from dynamics.core.traits import short_name
from dynamics.findings.outcomes import Outcome
from dynamics.findings.rounding import Parting
from dynamics.runs import queue, version

KEY = re.compile(r"[0-9a-f]{16}")
RUN, PAUSE, CANCEL = b"r", b"p", b"c"
LARGEST = 1e11  # largest number in a status: of steps, steps a second, or seconds since the epoch
AT_ONCE = 4_000_000  # bytes of records that are read together where all are not needed at once
PARTING = 5.0  # seconds that a worker may take to end once it has said how the run ended
LIVE = ("queued", "running", "paused")
PHASES = {
    "queued": "waiting for its turn",
    "running": "training",
    "paused": "paused; resume continues from here",
    "done": "finished",
    "diverged": "diverged; a smaller learning rate η would converge",
    "cancelled": "cancelled; start it again to continue from this step",
    "failed": "could not be run",
    "lost": "the worker died; its records are kept, start the run again to finish it",
    "unreadable": "the folder is damaged",
}
LEFT = "its program died; its records are kept"  # of a lost run that another program trains


class RunError(Exception):
    """A run that cannot be found, read or started; the message is one clear sentence."""


@dataclass(frozen=True)
class Status:
    """Where a run stands.

    Attributes:
        phase: one of ``PHASES``.
        step: gradient steps made so far.
        rate: steps a second over the last seconds, measuring included.
        message: a sentence for the user that adds to the phase, such as why a run failed.
        machine: the hardware on which the run computes.
        outcomes: how each network ended, by name, for the networks that have ended.
        signatures: failures that stand at the newest record, with the fields of
            ``failures.Failure``.
        rounding: where rounding decides the networks' numbers, of those for which that was checked
            once the run had ended; empty in older runs and in long ones.
        pid: process number of the worker.
        created: seconds since the epoch.
    """

    phase: str
    step: int = 0
    rate: float = 0.0
    message: str = ""
    machine: str = ""
    outcomes: dict[str, Outcome] = dataclasses.field(default_factory=dict)
    signatures: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    rounding: list[Parting] = dataclasses.field(default_factory=list)
    pid: int = 0
    created: float = 0.0

    @property
    def live(self) -> bool:
        """Whether a worker has the run in hand."""
        return self.phase in LIVE

    @property
    def ends(self) -> str:
        """How each network ended, in words; empty while all still train."""
        return "; ".join(
            f"{short_name(name)} {outcome.sentence}" for name, outcome in self.outcomes.items()
        )

    @property
    def sentence(self) -> str:
        """The sentence that the user reads about the run."""
        return self.message or self.ends or PHASES[self.phase]


@dataclass(frozen=True)
class Run:
    """The run in ``folder``. It holds nothing in memory: every call reads the files again."""

    folder: Path

    @property
    def key(self) -> str:
        """The name of the folder, the key of its Config."""
        return self.folder.name

    @property
    def runs(self) -> Path:
        """The folder of all runs."""
        return self.folder.parent

    @property
    def config(self) -> Config:
        """The settings of the run.

        Raises:
            RunError: if ``config.json`` is missing or damaged.
        """
        text = self._text("config.json")
        self._object("config.json", text)
        try:
            return _config(text)
        except ConfigError as error:
            raise RunError(f"Run {self.key} has settings that cannot be run: {error}") from None

    @property
    def layout(self) -> Layout:
        """The columns of the records; before the first record a Layout without networks.

        Raises:
            RunError: if ``layout.json`` is damaged, or missing beside records.
        """
        return self._read_layout()

    def _read_layout(self) -> Layout:
        if not (self.folder / "layout.json").exists() and not self._has_records():
            return Layout({})
        try:
            return Layout.from_dict(self._json("layout.json"))
        except (AttributeError, KeyError, TypeError, ValueError):
            raise RunError(f"Run {self.key}: layout.json does not describe columns.") from None

    @property
    def status(self) -> Status:
        """Where the run stands; ``lost`` if its worker died before it could say how the run ended.

        Raises:
            RunError: if the run does not exist or ``status.json`` is missing or damaged.
        """
        status = self._read_status()
        if status.live and not self._worker_lives():
            # The worker may have written how the run ended after the first reading.
            status = self._read_status()
            if status.live:
                message = LEFT if self.watched else PHASES["lost"]
                return dataclasses.replace(status, phase="lost", message=message)
        return status

    @property
    def watched(self) -> bool:
        """Whether another program trains the run; False if the settings cannot be read."""
        with contextlib.suppress(RunError):
            return self.config.watched
        return False

    @property
    def rounding(self) -> list[Parting]:
        """Where rounding decides; empty if that was not checked or the status cannot be read."""
        with contextlib.suppress(RunError):
            return self._read_status().rounding
        return []

    def check(self) -> tuple[Config, Status]:
        """Read every file that describes the run; returns its settings and its status.

        Raises:
            RunError: if one of the files is missing or damaged.
        """
        self._read_layout()
        return self.config, self.status

    def rows(self, since: int = 0) -> Array:
        """The records from number ``since`` on, counted from 0, without a half-written last row.

        Raises:
            RunError: if ``layout.json`` or a record is damaged.
        """
        rows = self._rows(since)
        self._need_order(rows, since)
        return rows

    def parts(self) -> Iterator[Array]:
        """The records in order, a few at a time, so that nobody needs room for all of them.

        Raises:
            RunError: as ``rows``, once the damaged record is reached.
        """
        width = self.layout.width
        most = max(1, AT_ONCE // (8 * width))
        count, last = 0, -1.0
        while len(rows := self._rows(count, most)):
            self._need_order(rows, count, last)
            yield rows
            count, last = count + len(rows), float(rows[-1, 0])

    def _need_order(self, rows: Array, since: int, after: float = -1.0) -> None:
        sound = _ascending(rows, after)
        if sound < len(rows):
            raise RunError(
                f"Run {self.key} is damaged: its records are in order only up to number "
                f"{since + sound:,}. Train it again to mend it."
            )

    @property
    def sound(self) -> bool:
        """Whether all records can be read and are in order."""
        with contextlib.suppress(RunError):
            return sum(map(len, self.parts())) > 0
        return False

    def sound_rows(self) -> Array:
        """The records before the first damaged one.

        Raises:
            RunError: if ``layout.json`` is damaged.
        """
        rows = self._rows(0)
        return rows[: _ascending(rows)]

    def _rows(self, since: int, most: int = -1) -> Array:
        layout = self.layout
        if (
            not layout.shapes
        ):  # its file is written before the first record, which may come just now
            return np.empty((0, 1))
        width = layout.width
        try:
            wanted = most * width if most > 0 else -1
            flat = np.fromfile(self.folder / "records.f8", "<f8", wanted, offset=since * width * 8)
        except (FileNotFoundError, ValueError):  # no record yet, or fewer than ``since``
            flat = np.empty(0)
        return flat[: len(flat) // width * width].reshape(-1, width)

    def count(self, width: int) -> int:
        """Number of whole records with ``width`` numbers each; 0 before the first."""
        try:
            return (self.folder / "records.f8").stat().st_size // (width * 8)
        except FileNotFoundError:
            return 0

    def picked(self, numbers: Sequence[int], width: int) -> Array:
        """The records with these numbers, in ascending order, read without those between them.

        Raises:
            FileNotFoundError: if there are no records.
            RunError: if there are fewer, or one of them is damaged.
        """
        size = width * 8
        file = os.open(self.folder / "records.f8", os.O_RDONLY)
        try:
            if numbers[-1] - numbers[0] + 1 == len(numbers):
                content = os.pread(file, len(numbers) * size, numbers[0] * size)
            else:
                content = b"".join(os.pread(file, size, number * size) for number in numbers)
        finally:
            os.close(file)
        rows = np.frombuffer(content[: len(content) // size * size], "<f8").reshape(-1, width)
        if len(rows) < len(numbers) or _ascending(rows) < len(rows):
            self.rows()  # says in one sentence up to where they are in order
            raise RunError(f"Run {self.key}: its records have just changed.")
        return rows

    def need_known(self) -> None:
        """Raise an error if this program does not know the form of the folder.

        Raises:
            RunError: with one sentence, if a newer version wrote it or its version is damaged.
        """
        if why := version.refusal(self.folder, f"Run {self.key}"):
            raise RunError(why)

    def need_records(self) -> None:
        """Raise an error if the run has no records to show, or not all of them can be shown.

        Raises:
            RunError: with one sentence, if no record exists yet or ``layout.json`` or a record is
                damaged.
        """
        if not sum(map(len, self.parts())):
            raise RunError(f"Run {self.key} has no records yet.")

    @property
    def trajectories(self) -> list[Trajectory]:
        """One Trajectory for each network, with the records so far."""
        return self.layout.trajectories(self.rows(), self.starts)

    def only(self, names: Collection[str]) -> list[Trajectory]:
        """The same with no more than these measurements, without room for the others.

        Raises:
            RunError: as ``rows``.
        """
        layout, columns = self.layout.only(names)
        parts = [rows[:, columns] for rows in self.parts()]
        rows = np.concatenate(parts) if parts else np.empty((0, layout.width))
        return layout.trajectories(rows, self.starts)

    @property
    def last(self) -> int | None:
        """The step of the newest record; None if there is no record."""
        width = self.layout.width
        count = self.count(width)
        return int(self.picked([count - 1], width)[0, 0]) if count else None

    @property
    def starts(self) -> dict[str, float]:
        """The operations of each network's first factors, which older runs did not count."""
        config = self.config
        return {name: cost.start(config, name) for name in config.networks}

    @property
    def origin(self) -> "Run | None":
        """The run that this one continues; None if it continues no run or that run was deleted."""
        if not (self.folder / "origin.json").exists():
            return None
        key = str(self._json("origin.json").get("run"))
        exists = KEY.fullmatch(key) and (self.folder.parent / key / "layout.json").exists()
        return Run(self.folder.parent / key) if exists else None

    @property
    def position(self) -> int | None:
        """How many runs are before this one in the queue; None if it is not queued."""
        tickets = queue.waiting(self.folder.parent)
        names = [ticket.name.partition("-")[2] for ticket in tickets]
        return names.index(self.key) if self.key in names else None

    def ask(self, control: bytes) -> None:
        """Ask the worker to continue (``RUN``), to wait (``PAUSE``) or to end (``CANCEL``).

        Raises:
            RunError: if the folder cannot be written, another program trains the run or a newer
                version of this one.
        """
        self.need_known()
        if self.watched:
            raise RunError(
                f"Run {self.key} belongs to a program of its own, which alone steers it."
            )
        try:
            (self.folder / "control").write_bytes(control)
        except OSError as error:
            raise RunError(
                f"Run {self.key} cannot be steered: {files.refusal(error, self.folder)}"
            ) from None

    def asked(self) -> bytes:
        """What the worker was last asked to do; ``RUN`` if nothing was asked."""
        with contextlib.suppress(FileNotFoundError):
            return (self.folder / "control").read_bytes() or RUN
        return RUN

    def delete(self) -> None:
        """Remove the folder.

        Raises:
            RunError: if a worker still has the run in hand, or the folder cannot be removed.
        """
        deadline = time.monotonic() + PARTING
        while self._worker_lives():
            if self._in_hand() or time.monotonic() > deadline:
                first = "end its program" if self.watched else "cancel it"
                raise RunError(f"Run {self.key} is being trained; {first} before you delete it.")
            time.sleep(0.01)
        try:
            if self.folder.is_symlink():
                self.folder.unlink()  # what it links to belongs to somebody else
            else:
                shutil.rmtree(self.folder)
        except OSError as error:
            error.filename = str(self.folder)  # rmtree names the last part of a path alone
            raise RunError(
                f"Run {self.key} cannot be deleted: {files.refusal(error, self.folder)}"
            ) from None

    def write(self, name: str, content: Any) -> None:
        """Replace a JSON file of the run in one go, so that no reader sees half of it."""
        files.replace(self.folder / name, json.dumps(content).encode())

    def _read_status(self) -> Status:
        content = self._json("status.json")
        empty = Status("")
        try:
            outcomes = content.get("outcomes", {})
            if any(isinstance(outcome, str) for outcome in outcomes.values()):  # an older run
                ended = content["phase"] in ("done", "diverged")
                # The message of an older run that ended repeats the outcomes.
                content["message"] = "" if ended else content["message"]
            content["outcomes"] = {
                name: Outcome.read(outcome) for name, outcome in outcomes.items()
            }
            content["rounding"] = [Parting.of_dict(part) for part in content.get("rounding", [])]
        except (AttributeError, KeyError, OverflowError, TypeError, ValueError):
            raise RunError(
                f"Run {self.key}: status.json has no usable outcomes or rounding."
            ) from None
        try:
            status = Status(**content)
        except TypeError:
            raise RunError(f"Run {self.key}: status.json has unknown entries.") from None
        for name, value in content.items():
            example = getattr(empty, name)
            right_type = int | float if isinstance(example, float) else type(example)
            number = isinstance(value, int | float)
            if not isinstance(value, right_type) or (number and not 0 <= value <= LARGEST):
                raise RunError(f"Run {self.key}: status.json has no usable {name}.")
        if not all(map(_is_signature, status.signatures)):
            raise RunError(f"Run {self.key}: status.json has no usable signatures.")
        if status.phase not in PHASES:
            raise RunError(f"Run {self.key}: status.json names no known phase.")
        return status

    def _has_records(self) -> bool:
        with contextlib.suppress(FileNotFoundError):
            return (self.folder / "records.f8").stat().st_size > 0
        return False

    def _in_hand(self) -> bool:
        """Whether the worker that lives still trains; true if that cannot be read."""
        with contextlib.suppress(RunError):
            return self._read_status().live
        return True

    def _worker_lives(self) -> bool:
        return queue.locked(self.folder / "alive")

    def _json(self, name: str) -> dict[str, Any]:
        return self._object(name, self._text(name))

    def _text(self, name: str) -> bytes:
        if not self.folder.is_dir():
            raise RunError(f"There is no run {self.key}.")
        self.need_known()
        try:
            return (self.folder / name).read_bytes()
        except FileNotFoundError:
            raise RunError(f"Run {self.key} has no {name}: its folder is incomplete.") from None

    def _object(self, name: str, text: bytes) -> dict[str, Any]:
        try:
            content = files.parsed(text)
            if not isinstance(content, dict):
                raise ValueError
        except ValueError:
            raise RunError(f"Run {self.key}: {name} is damaged, it is not readable JSON.") from None
        return content


def _is_signature(stored: Any) -> bool:
    """Whether it is a failure as ``Status`` has it; older ones lack name and network."""
    if not isinstance(stored, dict) or type(stored.get("step")) is not int:
        return False
    texts = {name: text for name, text in stored.items() if name != "step"}
    known = set(texts) in ({"sentence"}, {"name", "network", "sentence"})
    return known and all(isinstance(text, str) for text in texts.values())


def _ascending(rows: Array, after: float = -1.0) -> int:
    """How many rows come before the first one whose step cannot be, or is not above the last.

    Before the first row stands the step ``after``.
    """
    steps = rows[:, 0]
    with np.errstate(invalid="ignore"):  # a damaged step may be any bytes
        sound = (steps >= 0) & (steps <= LARGEST) & (steps == np.floor(steps))
        sound[1:] &= steps[1:] > steps[:-1]
        sound[:1] &= steps[:1] > after
    return len(rows) if sound.all() else int(np.argmin(sound))


@functools.lru_cache(maxsize=1024)
def _config(text: bytes) -> Config:
    """The Config in a file's content. Cached, because a page asks for it many times a rerun."""
    return Config.from_dict(files.parsed(text))


def root(folder: str | Path | None = None) -> Path:
    """The folder of all runs: ``folder``, else ``$DLN_RUNS``, else ``runs`` in this project."""
    chosen = folder or os.environ.get("DLN_RUNS") or Path(__file__).parents[2] / "runs"
    return Path(chosen).resolve()


def find(key: str, folder: Path) -> Run:
    """The run with this key.

    Raises:
        RunError: if the key is not sixteen hexadecimal digits or no run has it.
    """
    if not KEY.fullmatch(key):
        raise RunError(f"{key[:40]!r} is no run: a run's key is sixteen digits from 0-9 and a-f.")
    if not (folder / key).is_dir():
        raise RunError(f"There is no run {key} here; it may have been deleted.")
    return Run(folder / key)


def listing(folder: Path) -> list[tuple[Run, Config | None, Status]]:
    """All runs, newest first, each with its settings and status.

    A damaged run has no settings (None), the phase ``unreadable`` and a message that says why.
    """
    entries: list[tuple[Run, Config | None, Status]] = []
    for path in folder.glob("*"):
        if KEY.fullmatch(path.name) and path.is_dir():
            run = Run(path)
            try:
                entries.append((run, *run.check()))
            except RunError as error:
                entries.append((run, None, Status("unreadable", message=str(error))))
    return sorted(entries, key=lambda entry: -entry[2].created)
