"""Checkpoints: moments of a run that is trained, from which another run may go on.

``<run>/checkpoints/<step>.pt`` has each network's factors, what its optimizer remembers and what is
known of its modes and its balance (``Measuring.restore``), as the record of that step found them.
They are few and far enough between to cost next to nothing: at most ``MOST`` of them and ``LIMIT``
bytes a run. When there are more, every other one is dropped and the next are twice as far apart.
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

MOST, LIMIT = 32, 128 * 2**20  # files; bytes of all of them
APART = 0.5  # seconds between two, at first
SHARE = 0.03  # of the time that writing them may take


class Checkpoints:
    """Those of a run in training."""

    def __init__(self, run: Run) -> None:
        self._folder = _folder(run)
        self._apart, self._kept = APART, time.monotonic()
        self._most = MOST

    def offer(self, records: Mapping[str, Resumable]) -> None:
        """Keep the moment of these records if enough time has gone by since the last."""
        if time.monotonic() - self._kept >= self._apart:
            self.keep(records)

    def keep(self, records: Mapping[str, Resumable]) -> None:
        """Keep the moment of these records, of all networks that have not ended before."""
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
        """Drop every other one if there are too many; the newest stays."""
        files = steps(self._folder)
        if len(files) > self._most:
            for file in files[-2::-2] if self._most else files:
                file.unlink()
            self._apart *= 2


def steps(folder: Path) -> list[Path]:
    """The files of a folder, by their steps."""
    return sorted(folder.glob("*.pt"))


def _folder(run: Run) -> Path:
    return run.folder / "checkpoints"


def resume(origin: Run, config: Config) -> tuple[dict[str, Resumable], Array]:
    """Where a run may go on from another: the records of that moment, and the rows before it.

    Nothing and no rows if there is no such moment. The records have no values: they are made again.
    """
    layout, rows, upto = origin.layout, origin.rows(), shared(config, origin.config)
    for file in reversed(steps(_folder(origin))):
        step = int(file.stem)
        if 0 < step <= upto and _recorded(config, step, upto):
            before = rows[rows[:, 0] < step]
            found = _loaded(file, step)
            if found and _fits(config, origin.config, layout, found, before):
                return found, _without_late(config, layout, before)
    return {}, rows[:0]


def _recorded(config: Config, step: int, upto: int) -> bool:
    """Whether the config has a record at this step, as its origin has; both agree up to ``upto``.

    What follows from the losses agrees before that; the origin may have a record there of its own.
    """
    turns = {change.step for change in config.canonical().schedule}
    regular = step < upto if config.recording == "escapes" else step % config.record_every == 0
    return regular or step in turns or step == config.steps


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
    except FileNotFoundError:  # dropped meanwhile
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
    """The rows without a network that starts only later."""
    for (name, _), place in layout.slices.items():
        if config.starts_late(name):
            rows[:, place] = float("nan")
    return rows
