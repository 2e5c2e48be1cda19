"""Plan: a figure of the paper, which draws it is made of, and the runs that it needs."""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dynamics.core import registry, traits
from dynamics.core.config import SEEDS, Config

TARGETS = ("top", "spread")
MOST_SEEDS = 50


@dataclass(frozen=True)
class Draw:
    """The random draws of a figure; by default the authors' own.

    Attributes:
        target: ``top`` as in the saved figures, or ``spread`` as in the published code.
        seed: of all draws; None for the authors' matrices, or for seed 0 if they published none.
        seeds: number of seeds, counted from ``seed`` or 0; over several, a figure has bands.
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
            raise ValueError(f"The seed must be 0 or above and below 2³¹; {self.seed} was given.")

    @property
    def theirs(self) -> bool:
        """Whether these are the authors' own draws."""
        return self == Draw()

    def apply(self, settings: Mapping[str, Any], seed: int) -> Config:
        """The Config of a run's settings, drawn with ``seed`` unless the draws are the authors'."""
        if self.theirs:
            return Config.from_dict(settings)
        own = {name: value for name, value in settings.items() if name != "matrices"}
        seeds = dict.fromkeys(SEEDS, seed)
        return Config.from_dict(own | {"spectrum": self.target} | seeds)


THEIRS = Draw()


@dataclass(frozen=True)
class Plan:
    """A figure with its draws chosen, and the runs that it then needs.

    Attributes:
        name: the name of the figure's file.
        draw: the random draws.
        configs: by label, the settings of each run, one for each seed.
    """

    name: str
    draw: Draw
    configs: Mapping[str, Sequence[Config]] = field(compare=False)

    @classmethod
    @functools.cache
    def of(cls, name: str, draw: Draw = THEIRS) -> "Plan":
        """The plan of a figure.

        Raises:
            ValueError: if no figure has this name.
        """
        first = draw.seed or 0
        settings: Mapping[str, Mapping[str, Any]] = registry.load("figures", name).CONFIGS
        configs = {
            label: [draw.apply(of_run, seed) for seed in range(first, first + draw.seeds)]
            for label, of_run in settings.items()
        }
        return cls(name, draw, configs)

    @functools.cached_property
    def distinct(self) -> list[Config]:
        """The runs, each once, in the order in which they are trained."""
        listed = [config for configs in self.configs.values() for config in configs]
        return list({config.key: config for config in listed}.values())

    @property
    def shared(self) -> Sequence[Config]:
        """The runs whose data other methods learn, too, one per seed; empty for most figures."""
        label = traits.figure(self.name).beside
        return self.configs[label] if label else []

    @property
    def source(self) -> str:
        """The authors' file that shows the figure."""
        return traits.figure(self.name).source

    @property
    def command(self) -> str:
        """The command line that makes the figure again."""
        words = [f"python -m dynamics figure {self.name}"]
        if self.draw.target != THEIRS.target:
            words.append(f"--target {self.draw.target}")
        if self.draw.seed is not None:
            words.append(f"--seed {self.draw.seed}")
        if self.draw.seeds > 1:
            words.append(f"--seeds {self.draw.seeds}")
        return " ".join(words)


def about(name: str) -> tuple[str, str]:
    """A figure's title, and a line on what it shows."""
    title, _, line = registry.options("figures")[name].partition(": ")
    return title, line[:1].upper() + line[1:]


def names() -> list[str]:
    """All figures; first the figures of the authors' notebooks."""
    notebook = {
        name: traits.figure(name).source.endswith(".ipynb") for name in registry.options("figures")
    }
    return sorted(notebook, key=lambda name: (not notebook[name], name))
