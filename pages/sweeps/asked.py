"""Asked: a sweep as its page and its address have it, in texts, and what the cards offer."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dynamics.core.config import SETTINGS, ConfigError
from dynamics.core.sweep import DERIVED, NO_AXIS, OUTCOMES, STEPS, Axis, Sweep


@dataclass(frozen=True)
class Asked:
    """What a visitor asks for beside the settings of all runs.

    Attributes:
        axes: name and values of one to three axes, as ``Axis.read`` takes them.
        outcome: what is mapped.
        level: the error or accuracy that it refers to.
        network: the network that it is of.
        mode: the mode that it is of.
        seeds: runs a cell.
        lines: whether the second axis gives lines.
    """

    axes: tuple[tuple[str, str], ...]
    outcome: str = STEPS
    level: float = 1e-3
    network: str = "compressed"
    mode: int = 1
    seeds: int = 1
    lines: bool = False

    def sweep(self, settings: Mapping[str, Any]) -> Sweep:
        """The sweep from settings that all its runs share; only networks that it needs are trained.

        Raises:
            ConfigError: with one sentence for each field that does not fit.
        """
        wrong: dict[str, str] = {}
        axes = []
        for name, text in self.axes:
            try:
                axes.append(Axis.read(name, text))
            except ConfigError as error:
                wrong |= error.problems
        if wrong:
            raise ConfigError(wrong)
        names = {axis.name for axis in axes} | {"networks"}
        names |= {"init_scale"} if names & {*DERIVED} else set()
        shared = {name: value for name, value in settings.items() if name not in names}
        fields = {"outcome": self.outcome, "network": self.network, "seeds": self.seeds}
        return known(Sweep.of(shared, axes, level=self.level, mode=self.mode, **fields))

    def query(self) -> dict[str, str]:
        """The part of an address that holds all of it."""
        names = ",".join(name for name, _ in self.axes)
        told = dict(self.axes) | {"axes": names, "outcome": self.outcome, "seeds": str(self.seeds)}
        measure = OUTCOMES[self.outcome]
        told |= {"level": f"{self.level:g}"} if measure.level is not None else {}
        told |= {"mode": str(self.mode)} if measure.modes else {}
        told |= {"of": self.network} if self.network != "compressed" else {}
        return told | ({"view": "lines"} if self.lines else {})


@functools.lru_cache(maxsize=32)
def known(sweep: Sweep) -> Sweep:
    """The same sweep as an equal one before: its cells are made once."""
    return sweep


def is_axis(name: str, text: str) -> bool:
    """Whether a text of an address has several values."""
    fits = name in {*SETTINGS, *DERIVED} and name not in NO_AXIS
    return fits and ("," in text or ":" in text or name in DERIVED)


@dataclass(frozen=True)
class Ready:
    """A sweep that is offered on a card.

    Attributes:
        name: in a few words.
        question: the open question that it is made for.
        look: what to look at.
        asked: the sweep.
        settings: of all its runs, where they differ from what the problem suggests.
    """

    name: str
    question: str
    look: str
    asked: Asked
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def sweep(self) -> Sweep:
        """The sweep itself."""
        return self.asked.sweep(self.settings)


def usual_level(outcome: str) -> float:
    """The level that an outcome has at first."""
    return OUTCOMES[outcome].level or 1e-3


def of_sweep(sweep: Sweep) -> Asked:
    """What a stored sweep asks for."""
    axes = tuple((axis.name, axis.text) for axis in sweep.axes)
    level = sweep.level or usual_level(sweep.outcome)
    return Asked(axes, sweep.outcome, level, sweep.network, sweep.mode, sweep.seeds)
