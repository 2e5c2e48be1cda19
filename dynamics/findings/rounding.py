"""Rounding: until which step the numbers of a run are reproducible, and where rounding decides."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynamics.core import traits
from dynamics.core.config import Config
from dynamics.core.records import Array
from dynamics.core.traits import full_name
from dynamics.core.words import brief, raised

PROMISED = {"float64": 1e-8, "float32": 1e-2}
LOOSER = 100  # factor on what is promised, for an optimizer that divides by small numbers
# Share of what is promised by which a twin may differ: rounding adds up at every step, and the twin
# is only one of all that could be.
MARGIN = 1e-3
READ = 0.01  # deviation that is seen in a chart
UNCHECKED = "Whether rounding decides {} was not checked; its script does that."


def promised(config: Config) -> float:
    """The relative deviation up to which another program finds the numbers of a run."""
    rescaled = traits.optimizer(config.optimizer).rescales and config.dtype == "float64"
    return PROMISED[config.dtype] * (LOOSER if rescaled else 1)


@dataclass(frozen=True)
class Parting:
    """Where a network parts from its twin, which starts one unit in the last place away.

    Attributes:
        network: name of the network.
        promised: the relative deviation up to which its numbers are reproducible.
        until: the last step compared at which they are; None if they are to the end, −1 if they are
            not at the first one.
        read: the last step compared at which the twin is within 1 %; likewise.
    """

    network: str
    promised: float
    until: int | None = None
    read: int | None = None

    @classmethod
    def of(cls, config: Config, network: str, steps: Array, apart: Array) -> "Parting":
        """Where a twin parts, from how far it is off at the steps compared."""
        allowed = promised(config)
        return cls(
            network,
            allowed,
            _last(steps, apart > MARGIN * allowed),
            _last(steps, apart > max(READ, MARGIN * allowed)),
        )

    @classmethod
    def of_dict(cls, stored: Mapping[str, Any]) -> "Parting":
        """A parting from a status file.

        Raises:
            KeyError, TypeError or ValueError: if it is none.
        """
        ends = (stored["until"], stored["read"])
        first, second = (None if end is None else int(end) for end in ends)
        allowed = float(stored["promised"])
        if not 0 < allowed < 1:
            raise ValueError("A deviation that is promised lies between 0 and 1.")
        return cls(str(stored["network"]), allowed, first, second)

    def to_dict(self) -> dict[str, Any]:
        """A dictionary for JSON."""
        return dataclasses.asdict(self)


def _last(steps: Array, parted: NDArray[np.bool_]) -> int | None:
    """The step before the first one that parted; None if none did, −1 if the first one did."""
    if not parted.any():
        return None
    first = int(parted.argmax())
    return int(steps[first - 1]) if first else -1


def sentences(
    networks: Sequence[str], partings: Sequence[Parting], problem: str = "completion"
) -> list[str]:
    """What is known of rounding in a run that has ended: one sentence, or one for each network.

    Args:
        networks: the networks that the run has records of.
        partings: of the networks whose twin was trained.
        problem: what the networks learn.
    """
    if not traits.problem(problem).trained:  # nobody here could train a twin
        return []
    names = [name for name in networks if not traits.network(name).reduced]
    checked = [parting for parting in partings if parting.network in names]
    if not names:
        return []
    if not checked:
        return [UNCHECKED.format("this run")]
    whole = [parting for parting in checked if parting.until is None]
    if len(whole) == len(names):
        return [
            raised(
                f"Its numbers are reproducible to {checked[0].promised:.0e} at every record: a "
                "twin that started one unit in the last place away agrees."
            )
        ]
    found = [_sentence(parting) for parting in checked]
    left = [name for name in names if name not in {parting.network for parting in checked}]
    if left:
        which = " and ".join(f"the {full_name(name)}" for name in left)
        found.append(UNCHECKED.format(which))
    return found


def limits(partings: Sequence[Parting]) -> list[str]:
    """A sentence on each network whose numbers are not reproducible to the end of its run."""
    return [_sentence(parting) for parting in partings if parting.until is not None]


def _sentence(parting: Parting) -> str:
    """What is known of one network."""
    name = full_name(parting.network)
    allowed = brief(parting.promised)
    if parting.until is None:
        return f"The numbers of the {name} are reproducible to {allowed} at every record."
    start = f"The numbers of the {name} are reproducible to {allowed} {_where(parting.until)}"
    if parting.read is None:
        return f"{start}; then rounding decides their last digits, but less than 1 % of them."
    if parting.read == parting.until:
        return f"{start}; then rounding decides them."
    return f"{start} and to 1 % {_where(parting.read)}; then rounding decides them."


def _where(end: int) -> str:
    if end > 0:
        return f"up to step {end:,}"
    return "at no record" if end else "at the start alone"
