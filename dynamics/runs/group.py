"""Group: several runs that are trained for one purpose, with one progress."""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dynamics.core import cost
from dynamics.core.config import Config
from dynamics.runs.run import CANCEL, LIVE, Run, RunError
from dynamics.runs.start import MOST_QUEUED
from dynamics.runs.start import start as start_run

ENDED = ("done", "diverged")
IN_HAND = MOST_QUEUED // 2  # of a figure's runs at once
FLOPS = 1e10  # operations a second, about, on one core: only for saying how long it may take


@dataclass(frozen=True)
class Progress:
    """Where a figure stands: runs that have ended, steps made, and seconds left at most."""

    ended: int
    runs: int
    step: float
    steps: float
    live: bool
    seconds: float | None
    message: str = ""

    @property
    def complete(self) -> bool:
        """Whether every run has given what it can."""
        return self.ended == self.runs


def progress(wanted: Sequence[Config], folder: Path) -> Progress:
    """Where these runs stand."""
    ended, step, rates, message = 0, 0.0, [], ""
    live = False
    for config in wanted:
        try:
            status = Run(folder / config.key).status
        except RunError:
            continue
        over = status.phase in ENDED
        ended, live = ended + over, live or status.live
        step += config.steps if over else status.step
        if status.phase == "running" and status.rate:
            rates.append(status.rate)
        if status.phase in ("failed", "lost", "cancelled"):
            message = status.message
    steps = float(sum(config.steps for config in wanted))
    seconds = (steps - step) / sum(rates) if rates else None
    return Progress(ended, len(wanted), step, steps, live, seconds, message)


def start(wanted: Sequence[Config], folder: Path) -> None:
    """Start what has not ended, so many that half of the machine's queue is left to others.

    Raises:
        RunError: if the queue or the disk is full.
    """
    room, todo = IN_HAND, []
    for config in wanted:
        phase = ""
        with contextlib.suppress(RunError):
            phase = Run(folder / config.key).status.phase
        room -= phase in LIVE
        todo += [] if phase in (*LIVE, *ENDED) else [config]
    for config in todo[: max(room, 0)]:
        start_run(config, folder)


def start_more(wanted: Sequence[Config], folder: Path) -> None:
    """Start as many of those that were never started as have ended since; none after a cancel.

    Raises:
        RunError: as ``start``.
    """
    there = [config for config in wanted if (folder / config.key).exists()]
    if any(Run(folder / config.key).asked() == CANCEL for config in there):
        return
    new = [config for config in wanted if config not in there]
    live = sum(config in there and progress([config], folder).live for config in wanted)
    for config in new[: max(IN_HAND - live, 0)]:
        start_run(config, folder)


def cancel(wanted: Sequence[Config], folder: Path) -> None:
    """End what is in hand, latest first; finished runs and all records stay."""
    for config in reversed(wanted):
        run = Run(folder / config.key)
        with contextlib.suppress(RunError):
            if run.status.live:
                run.ask(CANCEL)


def seconds_at_most(wanted: Sequence[Config]) -> float:
    """About how long the runs take if none ends before its last step."""
    work = sum(
        config.steps * cost.operations(config, network)
        for config in wanted
        for network in config.networks
    )
    return work / FLOPS
