"""Reproduce: the runs behind a paper figure, started, followed and cached as any others."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dynamics.core import registry, traits
from dynamics.core.config import Config

TARGETS = ("top", "spread")
MOST_SEEDS = 50


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


def configs(name: str, draw: Draw = THEIRS) -> dict[str, list[Config]]:
    """The runs of a figure by label, one for each seed."""
    first = draw.seed or 0
    settings: Mapping[str, Mapping[str, Any]] = registry.load("figures", name).CONFIGS
    return {
        label: [draw.apply(each, seed) for seed in range(first, first + draw.seeds)]
        for label, each in settings.items()
    }


def distinct(name: str, draw: Draw = THEIRS) -> list[Config]:
    """The runs of a figure, each once, in the order in which they are trained."""
    listed = [each for of in configs(name, draw).values() for each in of]
    return list({each.key: each for each in listed}.values())


def about(name: str) -> tuple[str, str]:
    """A figure's title and one line that says what it shows."""
    title, _, line = registry.options("figures")[name].partition(": ")
    return title, line[:1].upper() + line[1:]


def names() -> list[str]:
    """All figures: those of notebooks first."""
    notebook = {
        name: traits.figure(name).source.endswith(".ipynb") for name in registry.options("figures")
    }
    return sorted(notebook, key=lambda name: (not notebook[name], name))
