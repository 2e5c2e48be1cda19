"""Room: what a sweep takes of this machine, and whether the machine has it."""

import contextlib
import shutil
from dataclasses import dataclass
from pathlib import Path

import psutil

from dynamics.core import cost, traits
from dynamics.core.config import Config
from dynamics.core.sweep import Sweep
from dynamics.core.words import count, duration, size
from dynamics.runs import queue
from dynamics.runs.group import ENDED, FLOPS
from dynamics.runs.run import Run, RunError

START = 3.0  # seconds until the processes have loaded torch
STEP = 2e-5  # seconds of a step beside its operations: small matrices cost little else
RECORD = 5e-4  # seconds of measuring a record
OVERHEAD = 0.02  # seconds of a run beside its steps and records: drawing, writing
FILES = 9_000  # bytes of a folder beside its records and maps
LEFT = 0.9  # share of the free disk or memory that a sweep may take


@dataclass(frozen=True)
class Estimate:
    """What a sweep takes.

    Attributes:
        runs: how many runs it has.
        missing: how many of its cells cannot exist.
        new: how many of its runs are not finished yet.
        seconds: at most, on so many places; None where a backbone's operations are not known.
        memory: bytes of the runs that train at once; None where a backbone's are not known.
        disk: bytes of the new folders, at most.
    """

    runs: int
    missing: int
    new: int
    seconds: float | None
    memory: float | None
    disk: float

    @property
    def sentence(self) -> str:
        """The estimate in words."""
        parts = [count(self.runs, "run")]
        if self.new < self.runs:
            parts[0] += f", {self.runs - self.new:,} of them finished already"
        if self.seconds is not None and self.new:
            parts.append(f"at most about {duration(self.seconds)}")
        if self.memory is not None:
            parts.append(f"{size(self.memory)} of memory")
        parts.append(f"at most {size(self.disk)} of disk")
        told = "; ".join(parts) + "."
        if self.seconds is None and self.new:
            told += " How long it takes is told once its first runs have ended."
        if self.missing:
            told += f" {count(self.missing, 'cell')} cannot exist."
        return told


def estimate(sweep: Sweep, runs: Path, places: int = 0) -> Estimate:
    """What the sweep takes on so many places, of this machine's queue if 0."""
    places = places or queue.capacity()
    new = [config for config in distinct(sweep) if not _finished(Run(runs / config.key))]
    times = [seconds(config) for config in new]
    known = [each for each in times if each is not None]
    sizes = [_bytes(config) for config in sweep.configs]
    most = max((each for each in sizes if each is not None), default=0.0)
    return Estimate(
        len(distinct(sweep)),
        len(sweep.missing),
        len(new),
        START + sum(known) / places if len(known) == len(times) else None,
        None if None in sizes else most * min(places, max(1, len(new))),
        sum(map(_disk, new)),
    )


def check_room(expected: Estimate, runs: Path) -> None:
    """Refuse a sweep that this machine has no room for, and say what would fit.

    Raises:
        RunError: with one sentence.
    """
    memory = psutil.virtual_memory().available
    needed = expected.memory or 0.0
    if needed > LEFT * memory:
        raise RunError(
            f"The runs of this sweep take {size(needed)} of memory at once, and "
            f"{size(memory)} are free; smaller matrices would fit."
        )
    there = next(folder for folder in (runs, *runs.parents) if folder.exists())
    disk = shutil.disk_usage(there).free
    if expected.disk > LEFT * disk:
        fits = int(LEFT * disk / expected.disk * expected.new)
        raise RunError(
            f"The folders of this sweep take up to {size(expected.disk)}, and {size(disk)} are "
            f"free; {count(fits, 'run')} would fit, or records further apart."
        )


def distinct(sweep: Sweep) -> list[Config]:
    """The settings of all runs; equal ones once."""
    return list({config.key: config for config in sweep.configs}.values())


def _finished(run: Run) -> bool:
    with contextlib.suppress(RunError):
        return run.folder.is_dir() and run.status.phase in ENDED
    return False


def seconds(config: Config) -> float | None:
    """About how long a run takes on one core if it makes all its steps."""
    if traits.problem(config.problem).classifies:
        return None
    work = sum(cost.operations(config, network) / FLOPS + STEP for network in config.networks)
    records = config.steps / config.record_every * len(config.networks)
    return OVERHEAD + config.steps * work + records * RECORD


def _bytes(config: Config) -> float | None:
    if traits.problem(config.problem).classifies:
        return None
    return sum(cost.memory(config, network) for network in config.networks)


def _disk(config: Config) -> float:
    """Bytes of a folder if the run makes all its steps: about twelve numbers a record."""
    records = config.steps // config.record_every + 2
    numbers = 10 + 2 * config.rank + max(0, config.rank_bound - 2 * config.rank)
    return FILES + 15_000 + 8.0 * records * numbers * len(config.networks)
