"""Checkpoints: moments of a run, from which it or another run may continue.

``<run>/checkpoints/<step>.pt`` has each network's factors, the optimizer's memory and the state of
its measurements (``Measuring.restore``) at the record of that step. A run keeps at most ``MOST`` of
them and ``LIMIT`` bytes, so that they cost next to nothing. When there are more, every other one is
dropped, and the next ones are twice as far apart.
"""

import pickle
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from dynamics.core.config import Config
from dynamics.core.fork import shared
from dynamics.core.records import COUNTERS, Array, Layout
from dynamics.engine.measuring.moment import Moment, Resumable
from dynamics.runs.run import Run, RunError

MOST = 32  # checkpoints of a run
LIMIT = 128 * 2**20  # bytes of all of them together
APART = 0.5  # seconds between two, at first
SHARE = 0.03  # of the time, at most, for writing them


class Checkpoints:
    """The checkpoints of a run in training."""

    def __init__(self, run: Run) -> None:
        self._folder = _folder(run)
        self._apart = APART
        self._kept = time.monotonic()  # when the last one was written
        self._most = MOST

    def offer(self, records: Mapping[str, Resumable]) -> None:
        """Keep the moment of these records if enough time has passed since the last one."""
        if time.monotonic() - self._kept >= self._apart:
            self.keep(records)

    def keep(self, records: Mapping[str, Resumable]) -> None:
        """Keep the moment of these records, for all networks that have not ended before."""
        started = time.monotonic()
        step = max(record.step for record in records.values())
        content = {
            name: {counter: getattr(record, counter) for counter in COUNTERS}
            | {"state": record.moment.to_dict()}
            for name, record in records.items()
            if record.moment is not None
        }
        self._folder.mkdir(exist_ok=True)
        file = self._folder / f"{step:012d}.pt"
        aside = file.with_suffix(".new")
        torch.save(content, aside)
        self._most = min(MOST, LIMIT // max(1, aside.stat().st_size))
        aside.replace(file)
        self._thin()
        self._kept = time.monotonic()
        self._apart = max(self._apart, (self._kept - started) / SHARE)

    def _thin(self) -> None:
        """Drop every other checkpoint if there are too many; the newest stays."""
        files = steps(self._folder)
        if len(files) > self._most:
            for file in files[-2::-2] if self._most else files:
                file.unlink()
            self._apart *= 2


def steps(folder: Path) -> list[Path]:
    """The checkpoints in a folder, in the order of their steps."""
    return sorted(folder.glob("*.pt"))


def _folder(run: Run) -> Path:
    return run.folder / "checkpoints"


def resume(origin: Run, config: Config) -> tuple[dict[str, Resumable], Array]:
    """The last moment of ``origin`` from which a run may continue, and the rows before it.

    Both are empty if no moment fits. The moment's records have no values: they are measured again.
    """
    layout = origin.layout
    rows = origin.rows()
    upto = shared(config, origin.config)
    for file in reversed(steps(_folder(origin))):
        step = int(file.stem)
        if 0 < step <= upto and _recorded(config, step, upto):
            before = rows[rows[:, 0] < step]
            moment = _loaded(file, step)
            if moment and _fits(config, origin.config, layout, moment, before):
                return moment, _without_late(config, layout, before)
    return {}, rows[:0]


def _recorded(config: Config, step: int, upto: int) -> bool:
    """Whether a run of the config has a record at this step, where its origin has one.

    Both train alike up to ``upto``. Records whose places follow from the losses are the same before
    that step; at that step the origin may have a record for a reason of its own.
    """
    turns = {change.step for change in config.canonical().schedule}
    if step in turns or step == config.steps:
        return True
    return step < upto if config.recording == "escapes" else step % config.record_every == 0


def _loaded(file: Path, step: int) -> dict[str, Resumable]:
    """The records of a checkpoint; empty if it is gone.

    Raises:
        RunError: if it cannot be read.
    """
    try:
        content: dict[str, dict[str, Any]] = torch.load(file, weights_only=True)
        return {
            name: Resumable(step, values={}, moment=Moment.from_dict(kept.pop("state")), **kept)
            for name, kept in content.items()
        }
    except FileNotFoundError:  # its worker has dropped it meanwhile
        return {}
    except (
        KeyError,
        TypeError,
        ValueError,
        AttributeError,
        RuntimeError,
        pickle.UnpicklingError,
    ) as error:
        raise RunError(f"{file} cannot be read: {error}") from None


def _fits(
    config: Config, origin: Config, layout: Layout, found: Mapping[str, Resumable], before: Array
) -> bool:
    """Whether the same networks had ended by then in both runs, and records can follow."""
    late = {name for name in config.networks if config.starts_late(name)}
    gone = set(config.networks) - set(found) - late
    moments = [record.moment for record in found.values()]
    if config.recording == "escapes" and not all(moment and moment.gaps for moment in moments):
        return False  # kept by an older version, which could not continue from such records
    if config.late and config.late.source in gone:
        return False
    if config.tolerance == origin.tolerance:
        return True
    losses = [before[:, layout.slices[name, "train_loss"]] for name in set(config.networks) - late]
    return not gone and all(bool((loss > config.tolerance).all()) for loss in losses)


def _without_late(config: Config, layout: Layout, rows: Array) -> Array:
    """The rows, with NaN for a network that starts only later."""
    for (name, _), place in layout.slices.items():
        if config.starts_late(name):
            rows[:, place] = float("nan")
    return rows
