"""Reproduce: the runs behind a paper figure, started, followed and cached as any others."""

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dynamics import cost, registry, runs
from dynamics.config import Config

TARGETS = ("top", "spread")
MOST_SEEDS = 50
ENDED = ("done", "diverged")
IN_HAND = runs.MOST_QUEUED // 2  # of a figure's runs at once
FLOPS = 1e10  # operations a second, about, on one core: only for saying how long it may take


@dataclass(frozen=True)
class Draw:
    """Which random draws a figure is made of; the authors' own where nothing else is asked for.

    Attributes:
        target: ``top`` as in the saved figures or ``spread`` as in the code that was published.
        seed: of all draws, or None for the authors' matrices, or seed 0 where there are none.
        seeds: how many seeds from ``seed`` (or 0) on are drawn over; 1 is a plain figure.
    """

    target: str = "top"
    seed: int | None = None
    seeds: int = 1

    def __post_init__(self) -> None:
        if self.target not in TARGETS:
            raise ValueError(f"The target must be top or spread; {self.target!r} was given.")
        if not 1 <= self.seeds <= MOST_SEEDS:
            raise ValueError(f"The seeds must be 1 to {MOST_SEEDS}; {self.seeds} was given.")
        if self.seed is not None and not 0 <= self.seed < 2**31 - MOST_SEEDS:
            raise ValueError(f"The seed must be from 0 on and below 2³¹; {self.seed} was given.")

    @property
    def theirs(self) -> bool:
        """Whether nothing but the authors' own is asked for."""
        return self == Draw()

    def apply(self, settings: Mapping[str, Any], seed: int) -> Config:
        """The Config of a run's settings with these draws."""
        if self.theirs:
            return Config.from_dict(settings)
        own = {name: value for name, value in settings.items() if name != "matrices"}
        seeds = dict.fromkeys(("seed_target", "seed_data", "seed_noise", "seed_init"), seed)
        return Config.from_dict(own | {"spectrum": self.target} | seeds)


THEIRS = Draw()


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


def configs(name: str, draw: Draw = THEIRS) -> dict[str, list[Config]]:
    """The runs of a figure by label, one for each seed."""
    first = draw.seed or 0
    settings: Mapping[str, Mapping[str, Any]] = registry.load("papers", name).CONFIGS
    return {
        label: [draw.apply(each, seed) for seed in range(first, first + draw.seeds)]
        for label, each in settings.items()
    }


def distinct(name: str, draw: Draw = THEIRS) -> list[Config]:
    """The runs of a figure, each once, in the order in which they are trained."""
    listed = [each for of in configs(name, draw).values() for each in of]
    return list({each.key: each for each in listed}.values())


def progress(wanted: Sequence[Config], folder: Path) -> Progress:
    """Where these runs stand."""
    ended, step, rates, message = 0, 0.0, [], ""
    live = False
    for config in wanted:
        try:
            status = runs.Run(folder / config.key).status
        except runs.RunError:
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
        with contextlib.suppress(runs.RunError):
            phase = runs.Run(folder / config.key).status.phase
        room -= phase in runs.LIVE
        todo += [] if phase in (*runs.LIVE, *ENDED) else [config]
    for config in todo[: max(room, 0)]:
        runs.start(config, folder)


def start_more(wanted: Sequence[Config], folder: Path) -> None:
    """Start as many of those that were never started as have ended since; none after a cancel.

    Raises:
        RunError: as ``start``.
    """
    there = [config for config in wanted if (folder / config.key).exists()]
    if any(runs.Run(folder / config.key).asked() == runs.CANCEL for config in there):
        return
    new = [config for config in wanted if config not in there]
    live = sum(config in there and progress([config], folder).live for config in wanted)
    for config in new[: max(IN_HAND - live, 0)]:
        runs.start(config, folder)


def cancel(wanted: Sequence[Config], folder: Path) -> None:
    """End what is in hand, latest first; finished runs and all records stay."""
    for config in reversed(wanted):
        run = runs.Run(folder / config.key)
        with contextlib.suppress(runs.RunError):
            if run.status.live:
                run.ask(runs.CANCEL)


def about(name: str) -> tuple[str, str]:
    """A figure's title and one line that says what it shows."""
    title, _, line = registry.options("papers")[name].partition(": ")
    return title, line[:1].upper() + line[1:]


def seconds_at_most(wanted: Sequence[Config]) -> float:
    """About how long the runs take if none ends before its last step."""
    work = sum(
        config.steps * cost.operations(config, network)
        for config in wanted
        for network in config.networks
    )
    return work / FLOPS


def names() -> list[str]:
    """All figures: those of notebooks first."""
    notebook = {
        name: str(registry.constant("papers", name, "SOURCE")).endswith(".ipynb")
        for name in registry.options("papers")
    }
    return sorted(notebook, key=lambda name: (not notebook[name], name))
