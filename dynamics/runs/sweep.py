"""Sweep: a folder beside the runs that names them, and the training of what they still lack.

``runs/sweeps/<key>/`` holds:

- ``format.json``: the version of the folder's form; see ``version``;
- ``sweep.json``: the sweep;
- ``outcomes.jsonl``: a line for each run that ended: its key and its outcome, or why it has none;
- ``status.json``: where the sweep stands;
- ``control`` and ``alive``, as those of a run.

The runs of a sweep are ordinary runs. They are trained elsewhere, by an executor; this process
alone writes their folders, each in one go, so that none is ever half-made.
"""

import concurrent.futures
import contextlib
import dataclasses
import fcntl
import json
import math
import os
import shutil
import time
from collections import deque
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, NamedTuple

from dynamics.core.config import Config, ConfigError
from dynamics.core.machine import files
from dynamics.core.records import Trained
from dynamics.core.sweep import Sweep
from dynamics.core.words import count
from dynamics.findings.outcomes import DIVERGED, Outcome
from dynamics.findings.sweeps import Results, needed, outcome
from dynamics.runs import control, queue, remarks, version
from dynamics.runs.capability import OWNER, Capability
from dynamics.runs.executors import DiedError, Executor, LostError
from dynamics.runs.group import ENDED
from dynamics.runs.room import OVERHEAD, distinct, seconds
from dynamics.runs.run import CANCEL, KEY, RUN, Run, RunError, Status
from dynamics.runs.start import replace

FOLDER = "sweeps"
TRIES = 3  # most times that a run is tried whose worker dies
SHORT, LONG = 0.1, 1.0  # seconds that a list of runs should take, so that cells appear steadily
MOST = 64  # most runs of one list
EVENLY = 4  # least lists of a worker, so that all end at about the same time
LOOK = 0.1  # seconds between two looks at the control
LIVE = ("queued", "running")  # phases in which a process has the sweep in hand
PHASES = {
    "waiting": "not started",
    "queued": "waiting for another sweep to end",
    "running": "training",
    "done": "finished",
    "cancelled": "cancelled; started again, it continues from here",
    "lost": "its process died; started again, it continues from here",
    "failed": "could not go on",
}


@dataclass(frozen=True)
class Progress:
    """Where a sweep stands.

    Attributes:
        sweep: the sweep.
        phase: one of ``PHASES``.
        values: the outcome of each run that has ended, by its key; NaN for none.
        failed: why a run could not be trained, by its key.
        seconds: since the training began.
        left: seconds left, by the pace so far; None if unknown.
        message: a sentence if the sweep could not go on.
    """

    sweep: Sweep
    phase: str = "waiting"
    values: dict[str, float] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    left: float | None = None
    message: str = ""

    @property
    def total(self) -> int:
        """How many runs the sweep has; equal ones are one."""
        return len(self.sweep.keys)

    @property
    def live(self) -> bool:
        """Whether a process has the sweep in hand."""
        return self.phase in LIVE

    @property
    def ended(self) -> int:
        """How many have ended or failed."""
        return len(self.values) + len(self.failed)

    @property
    def results(self) -> Results:
        """The outcomes of its cells."""
        return Results(self.sweep, self.values)

    @property
    def sentence(self) -> str:
        """How far it is, in words."""
        told = f"{self.ended:,} of {count(self.total, 'run')}, {PHASES[self.phase]}"
        if self.failed:
            told += f"; {len(self.failed):,} could not be trained"
        return f"{told}." if not self.message else f"{told}: {self.message}"


class Standing(NamedTuple):
    """What ``status.json`` has of a sweep; see ``Progress``."""

    phase: str = "waiting"
    ended: int = 0
    total: int = 0
    seconds: float = 0.0
    left: float | None = None
    message: str = ""

    @classmethod
    def of(cls, content: bytes) -> "Standing":
        """What a status says; a damaged one says that nothing has begun."""
        with contextlib.suppress(TypeError, ValueError):
            stored = dict(files.parsed(content))
            now = cls(**{name: stored[name] for name in cls._fields if name in stored})
            counts = all(type(value) is int for value in (now.ended, now.total))
            times = all(_is_time(value) for value in (now.seconds, now.left or 0.0))
            if now.phase in PHASES and counts and times and isinstance(now.message, str):
                return now
        return cls()


def _is_time(value: object) -> bool:
    """Whether it is seconds: a number that is finite and not below zero."""
    return type(value) in (int, float) and 0 <= value < math.inf  # type: ignore[operator]


class SweepFolder:
    """The folder of one sweep. Every call reads its files again.

    Args:
        runs: the folder of all runs.
        key: the key of the sweep.
    """

    def __init__(self, runs: Path, key: str) -> None:
        self.runs = runs
        self.key = key
        self.folder = runs / FOLDER / key

    @property
    def sweep(self) -> Sweep:
        """The sweep.

        Raises:
            RunError: if it does not exist or cannot be read.
        """
        name = self.key[:40]
        self.need_known()
        try:
            sweep = Sweep.from_dict(files.parsed((self.folder / "sweep.json").read_bytes()))
        except FileNotFoundError:
            raise RunError(f"There is no sweep {name} here.") from None
        except (ArithmeticError, ConfigError, KeyError, TypeError, ValueError):
            raise RunError(f"The sweep {name} is damaged: its sweep.json is no sweep.") from None
        if sweep.key != self.key:
            raise RunError(f"The sweep {name} is damaged: its sweep.json is another one's.")
        return sweep

    def need_known(self) -> None:
        """Raise an error if this program does not know the form of the folder.

        Raises:
            RunError: with one sentence, if a newer version wrote it or its version is damaged.
        """
        if why := version.refusal(self.folder, f"The sweep {self.key[:40]}"):
            raise RunError(why)

    def progress(self) -> Progress:
        """Where it stands, for everybody else than the process that trains it.

        Raises:
            RunError: as ``sweep``.
        """
        values, failed = self.outcomes()
        now = self.standing
        return Progress(self.sweep, now.phase, values, failed, now.seconds, now.left, now.message)

    @property
    def standing(self) -> "Standing":
        """How far it is, without its outcomes."""
        now = Standing()
        with contextlib.suppress(FileNotFoundError):
            now = Standing.of((self.folder / "status.json").read_bytes())
        lost = now.phase in LIVE and not queue.locked(self.folder / "alive")
        return now._replace(phase="lost") if lost else now

    def outcomes(self) -> tuple[dict[str, float], dict[str, str]]:
        """The outcome of each run that has ended, and why others have failed, by key."""
        values: dict[str, float] = {}
        failed: dict[str, str] = {}
        with contextlib.suppress(FileNotFoundError):
            for line in (self.folder / "outcomes.jsonl").read_bytes().splitlines():
                # A line may be half a line, or damaged: its run is trained again.
                with contextlib.suppress(ArithmeticError, KeyError, TypeError, ValueError):
                    stored = files.parsed(line)
                    key = KEY.fullmatch(stored["run"])
                    if key is None:
                        continue
                    if "why" in stored:
                        failed[key[0]] = str(stored["why"])
                        continue
                    value = stored["value"]
                    values[key[0]] = math.nan if value is None else float(value)
                    failed.pop(key[0], None)
        return values, failed

    def note(self, values: dict[str, float], failed: dict[str, str]) -> None:
        """Append outcomes, each as a line of its own, also after half a line."""
        lines = [
            json.dumps({"run": key, "value": value if math.isfinite(value) else None})
            for key, value in values.items()
        ]
        lines += [json.dumps({"run": key, "why": why}) for key, why in failed.items()]
        with open(self.folder / "outcomes.jsonl", "ab+") as file:
            if file.tell():
                file.seek(-1, os.SEEK_END)
                if file.read() != b"\n":
                    lines.insert(0, "")
            file.write("".join(f"{line}\n" for line in lines).encode())

    def tell(self, progress: Progress) -> None:
        """Replace the status."""
        content = {name: getattr(progress, name) for name in Standing._fields}
        files.replace(self.folder / "status.json", json.dumps(content).encode())

    def ask(self, control: bytes) -> None:
        """Ask the process that trains the sweep to end (``CANCEL``)."""
        (self.folder / "control").write_bytes(control)

    def asked(self) -> bytes:
        """What it was last asked to do."""
        with contextlib.suppress(FileNotFoundError):
            return (self.folder / "control").read_bytes() or RUN
        return RUN

    @contextlib.contextmanager
    def held(self) -> Iterator[IO[str]]:
        """Hold the lock of the one process that has the sweep in hand; gives the locked file.

        Raises:
            RunError: if another process has it.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with open(self.folder / "alive", "w", encoding="utf-8") as alive:
            try:
                fcntl.flock(alive, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise RunError("This sweep is being trained by another process.") from None
            yield alive

    def create(self, sweep: Sweep, by: Capability = OWNER) -> None:
        """Make the folder for somebody, or take it up again.

        Raises:
            RunError: if a newer version of the program has made it.
        """
        if version.newer(self.folder):
            self.need_known()
        self.folder.mkdir(parents=True, exist_ok=True)
        version.stamp(self.folder)
        control.begin(self, by, new=not (self.folder / "sweep.json").exists())
        files.replace(self.folder / "sweep.json", json.dumps(sweep.to_dict()).encode())
        self.ask(RUN)


def listing(runs: Path) -> list[SweepFolder]:
    """All sweeps, the newest first."""
    found: dict[str, float] = {}
    for path in (runs / FOLDER).glob("*"):
        with contextlib.suppress(FileNotFoundError):  # deleted meanwhile
            if KEY.fullmatch(path.name):
                found[path.name] = path.stat().st_mtime
    return [SweepFolder(runs, key) for key in sorted(found, key=lambda key: -found[key])]


@dataclass
class _List:
    """Runs that are trained as one task; ``tries`` counts how often their worker has died."""

    configs: list[Config]
    tries: int = 0


class Training:
    """The training of one sweep, by the one process that writes its runs.

    Args:
        sweep: the sweep.
        runs: the folder of all runs.
        executor: where its runs are trained.
        held: whether this process holds the lock of the sweep already, and has made its folder.
        by: who has it trained, unless it is held.
    """

    def __init__(
        self,
        sweep: Sweep,
        runs: Path,
        executor: Executor,
        *,
        held: bool = False,
        by: Capability = OWNER,
    ) -> None:
        self._held = held
        self._by = by
        self._sweep = sweep
        self._runs = runs
        self._executor = executor
        self._place = SweepFolder(runs, sweep.key)
        self._again: deque[_List] = deque()
        self._active: dict[concurrent.futures.Future[list[Trained]], _List] = {}
        self._taken, self._expected = 0.0, 0.0  # seconds of the runs that have come back
        self.cancelled = False

    def cancel(self) -> None:
        """End soon, with what has finished; may be called by whoever handles a signal."""
        self.cancelled = True

    def __iter__(self) -> Iterator[Progress]:
        """Train what is missing, and yield where the sweep stands whenever that has changed.

        Ends early if the sweep is cancelled. The executor is closed in the end.

        Raises:
            RunError: if another process trains the sweep, a folder cannot be written, or no worker
                can be reached.
        """
        try:
            with contextlib.nullcontext() if self._held else self._place.held():
                if not self._held:
                    self._place.create(self._sweep, self._by)
                yield from self._train()
        finally:
            self._executor.close()

    def _train(self) -> Iterator[Progress]:
        self._began = time.monotonic()
        noted, _ = self._place.outcomes()
        kept = {key: value for key, value in noted.items() if (self._runs / key).is_dir()}
        self._now = Progress(self._sweep, "running", kept)
        self._waiting = deque(c for c in distinct(self._sweep) if c.key not in self._now.values)
        self._elsewhere: list[Config] = []  # runs that another process has in hand
        self._paces = {config.key: seconds(config) or 1.0 for config in self._waiting}
        phase, message = "cancelled", ""
        try:
            yield self._told()
            while self._waiting or self._again or self._active or self._elsewhere:
                if self._ends():
                    self._take([future for future in self._active if future.done()])
                    break
                self._submit()
                if self._collect():
                    yield self._told()
            else:
                phase = "done"
        except (OSError, RunError) as error:
            phase, message = "failed", _sentence(error, self._runs)
            raise
        finally:
            self._now = dataclasses.replace(self._now, phase=phase, message=message, left=None)
            with contextlib.suppress(OSError):
                self._place.tell(self._now)
        yield self._now

    def _ends(self) -> bool:
        return self.cancelled or self._place.asked() == CANCEL

    def _submit(self) -> None:
        """Give every place a list of runs."""
        places = self._executor.places
        while len(self._active) < places:
            chosen = self._again.popleft() if self._again else _List(self._next(places))
            if not chosen.configs:
                return
            more = self._sweep.measure.needs
            self._active[self._executor.submit(chosen.configs, more)] = chosen

    def _next(self, places: int) -> list[Config]:
        """The next runs of one task, in the sweep's order: SHORT to LONG seconds of them.

        What takes a second in all is one list for each place: each list costs a place some time.
        """
        chosen: list[Config] = []
        work = 0.0
        few = len(self._waiting) <= MOST * places and self._expected > 0
        left = sum(self._paces[config.key] for config in self._waiting) if few else math.inf
        lists = places if left * self._pace <= LONG * places else EVENLY * places
        most = min(MOST, max(1, math.ceil(len(self._waiting) / lists)))
        found: dict[str, float] = {}
        while self._waiting and len(chosen) < MOST and work < LONG:
            if len(chosen) >= most and work >= SHORT:
                break
            config = self._waiting.popleft()
            run = Run(self._runs / config.key)
            if run.folder.is_dir():
                value = self._existing(config, run)
                if value is not None:
                    found[config.key] = value
                    continue
                if _trains(run):
                    self._elsewhere.append(config)
                    continue
            chosen.append(config)
            work += self._paces[config.key] * self._pace
        if found:
            self._keep(found, {})
        return chosen

    def _collect(self) -> bool:
        """Write the runs that have come back; returns whether anything has."""
        before = self._now.ended
        futures = [*self._active]
        done, _ = concurrent.futures.wait(
            futures, LOOK if futures else 0, concurrent.futures.FIRST_COMPLETED
        )
        if not futures and self._elsewhere:
            time.sleep(LOOK)
        self._take(done)
        for config in list(self._elsewhere):
            run = Run(self._runs / config.key)
            if not _trains(run):
                self._elsewhere.remove(config)
                self._waiting.append(config)
        return self._now.ended > before

    def _take(self, done: Collection[concurrent.futures.Future[list[Trained]]]) -> None:
        tasks = [(future, self._active.pop(future)) for future in done]
        if not self._ends():
            self._submit()  # no worker waits while its last runs are written
        for future, task in tasks:
            self._receive(future, task)

    def _receive(self, future: concurrent.futures.Future[list[Trained]], task: _List) -> None:
        try:
            trained = future.result()
        except (LostError, concurrent.futures.CancelledError):
            self._again.append(task)
            return
        except DiedError:
            self._retry(task)
            return
        values: dict[str, float] = {}
        failed: dict[str, str] = {}
        for config, each in zip(task.configs, trained, strict=True):
            if each.why:
                failed[config.key] = each.why
            else:
                ends = each.last.values()
                self._taken += sum(end.seconds + end.measuring_seconds for end in ends) + OVERHEAD
                self._expected += self._paces[config.key]
                values[config.key] = self._write(config, each)
        self._keep(values, failed)

    def _retry(self, task: _List) -> None:
        """Try runs again whose worker has died, each alone: only one of them may be at fault."""
        if task.tries + 1 < TRIES:
            again = [_List([config], task.tries + 1) for config in task.configs]
            self._again.extend(again)
            return
        why = f"Its worker died {TRIES} times, perhaps for lack of memory."
        self._keep({}, {config.key: why for config in task.configs})

    def _existing(self, config: Config, run: Run) -> float | None:
        """The outcome of a run that has ended and has measured what is needed; else None."""
        with contextlib.suppress(RunError):
            status = run.status
            if status.phase in ENDED and run.sound:
                shapes = run.layout.shapes
                names = needed(self._sweep, config)
                if all(set(names) <= set(shapes[name]) for name in config.networks):
                    ended = status.outcomes
                    lost = [name for name in ended if ended[name].kind == DIVERGED]
                    return outcome(self._sweep, config, run.trajectories, lost)
        return None

    def _write(self, config: Config, trained: Trained) -> float:
        """Make the folder of a run, unless it was made meanwhile; returns its outcome."""
        store(self._runs, config, trained, control.digests(self._place)[1])
        lost = [name for name, record in trained.last.items() if record.outcome == DIVERGED]
        trajectories = trained.layout.trajectories(trained.rows)
        return outcome(self._sweep, config, trajectories, lost)

    def _keep(self, values: dict[str, float], failed: dict[str, str]) -> None:
        """Note outcomes in the folder and in this process."""
        if values or failed:
            self._place.note(values, failed)
        self._now = dataclasses.replace(
            self._now, values=self._now.values | values, failed=self._now.failed | failed
        )

    @property
    def _pace(self) -> float:
        """The measured seconds of a place for one estimated second."""
        return self._taken / self._expected if self._expected else 1.0

    def _told(self) -> Progress:
        """Where the sweep stands, also for everybody else."""
        passed = time.monotonic() - self._began
        ahead = [*self._waiting, *self._elsewhere]
        ahead += [
            config for task in (*self._again, *self._active.values()) for config in task.configs
        ]
        left = sum(self._paces[config.key] for config in ahead) / self._executor.places
        known = left * self._pace if self._expected else None
        self._now = dataclasses.replace(self._now, seconds=passed, left=known)
        self._place.tell(self._now)
        return self._now


def store(runs: Path, config: Config, trained: Trained, mine: str = "") -> None:
    """Write the folder of a run in one go, unless a worker has it in hand.

    One that has ended stays if it is somebody else's; its maker and their remarks always stay.

    Args:
        runs: the folder of all runs.
        config: its settings.
        trained: what it is filled with.
        mine: digest of who has it trained; empty for the owner.

    Raises:
        OSError: if it cannot be written; nothing is left of it then.
    """
    run = Run(runs / config.key)
    aside = Run(run.folder.with_name(f".new-{run.key}"))
    shutil.rmtree(aside.folder, ignore_errors=True)
    aside.folder.mkdir(parents=True)
    ends = {name: Outcome.of(record) for name, record in trained.last.items()}
    lost = any(record.outcome == DIVERGED for record in trained.last.values())
    status = Status(
        DIVERGED if lost else "done",
        max(record.step for record in trained.last.values()),
        machine=trained.machine,
        outcomes={name: end for name, end in ends.items() if end},
        created=time.time(),
    )
    contents = {
        version.NAME: version.CONTENT,
        "config.json": json.dumps(config.canonical().to_dict()).encode(),
        "layout.json": json.dumps(trained.layout.to_dict()).encode(),
        "records.f8": trained.rows.astype("<f8").tobytes(),
        "goal.f2": trained.goal,
        "maps.f2": trained.maps,
        "status.json": json.dumps(dataclasses.asdict(status)).encode(),
    }
    try:
        for name, content in contents.items():
            (aside.folder / name).write_bytes(content)
        with queue.lock(runs / ".lock"):
            theirs = mine and run.folder.exists() and mine != control.digests(run)[0]
            if not (
                _live(run)
                or version.newer(run.folder)
                or (theirs and _phase(run) in ENDED and run.sound)
            ):
                _hand_down(run, aside.folder, mine)
                replace(run.folder, aside.folder)
    finally:
        shutil.rmtree(aside.folder, ignore_errors=True)


def _hand_down(run: Run, aside: Path, mine: str) -> None:
    """Give the new folder of a run what its earlier one has beside its records."""
    made = control.digests(run)[0] if run.folder.exists() else mine
    control.sign(aside, made, mine)
    if (said := remarks.read(run)) != remarks.Remarks():
        remarks.write(Run(aside), said)


def _live(run: Run) -> bool:
    """Whether a worker has the run in hand."""
    with contextlib.suppress(RunError):
        return run.status.live
    return False


def _trains(run: Run) -> bool:
    """Whether somebody else trains the run, so that it will end by itself."""
    return _phase(run) in ("queued", "running")


def _phase(run: Run) -> str:
    with contextlib.suppress(RunError):
        return run.status.phase
    return ""


def _sentence(error: Exception, runs: Path) -> str:
    return files.refusal(error, runs) if isinstance(error, OSError) else str(error)
