"""Checkpoints: moments of a run that is trained, from which another run may go on.

``<run>/checkpoints/<step>.pt`` has each network's factors, what its optimizer remembers and what is
known of its modes and its balance (``Measuring.restore``), as the record of that step found them.
They are few and far enough between to cost next to nothing: at most ``MOST`` of them and ``LIMIT``
bytes a run. When there are more, every other one is dropped and the next are twice as far apart.
"""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from dynamics.core.config import Config
from dynamics.core.fork import shared
from dynamics.core.records import COUNTERS, Array, Layout, Record
from dynamics.runs.run import Run

MOST, LIMIT = 32, 128 * 2**20  # files; bytes of all of them
APART = 0.5  # seconds between two, at first
SHARE = 0.03  # of the time that writing them may take


class Checkpoints:
    """Those of a run in training."""

    def __init__(self, run: Run) -> None:
        self._folder = _folder(run)
        self._apart, self._kept = APART, time.monotonic()
        self._most = MOST

    def offer(self, records: Mapping[str, Record]) -> None:
        """Keep the moment of these records if enough time has gone by since the last."""
        if time.monotonic() - self._kept >= self._apart:
            self.keep(records)

    def keep(self, records: Mapping[str, Record]) -> None:
        """Keep the moment of these records, of all networks that have not ended before."""
        started = time.monotonic()
        step = max(record.step for record in records.values())
        content = {
            name: {counter: getattr(each, counter) for counter in COUNTERS} | {"state": each.state}
            for name, each in records.items()
            if each.state is not None
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


def resume(origin: Run, config: Config) -> tuple[dict[str, Record], Array]:
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
                return found, _without_late(config, step, layout, before)
    return {}, rows[:0]


def _recorded(config: Config, step: int, upto: int) -> bool:
    """Whether the config has a record at this step, as its origin has; both agree up to ``upto``.

    What follows from the losses agrees before that; the origin may have a record there of its own.
    """
    turns = {change.step for change in config.canonical().schedule}
    regular = step < upto if config.recording == "escapes" else step % config.record_every == 0
    return regular or step in turns or step == config.steps


def _loaded(file: Path, step: int) -> dict[str, Record]:
    try:
        content: dict[str, Any] = torch.load(file, weights_only=True)
    except FileNotFoundError:  # dropped meanwhile
        return {}
    for kept in content.values():
        memory = kept["state"]["memory"]
        if isinstance(memory, list):  # written by an older version: a dictionary for each factor
            kept["state"]["memory"] = {
                f"{index}.{name}": value
                for index, of_factor in enumerate(memory)
                for name, value in of_factor.items()
            }
    return {name: Record(step, values={}, **kept) for name, kept in content.items()}


def _fits(
    config: Config, origin: Config, layout: Layout, found: Mapping[str, Record], before: Array
) -> bool:
    """Whether no network had ended that would go on, and none had gone on that would end."""
    late = {"compressed"} if config.compress_at else set()
    gone = set(config.networks) - set(found) - late
    if config.recording == "escapes" and not all(each.state.get("gaps") for each in found.values()):
        return False  # kept when nobody went on from such records
    if config.compress_at and "original" in gone:
        return False
    if config.tolerance == origin.tolerance:
        return True
    losses = [before[:, layout.slices[name, "train_loss"]] for name in set(config.networks) - late]
    return not gone and all(bool((each > config.tolerance).all()) for each in losses)


def _without_late(config: Config, step: int, layout: Layout, rows: Array) -> Array:
    """The rows without a network that is yet to be compressed from the original."""
    if config.compress_at:
        for (name, _), place in layout.slices.items():
            if name == "compressed":
                rows[:, place] = float("nan")
    return rows
