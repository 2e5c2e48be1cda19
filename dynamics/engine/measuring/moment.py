"""Moment: all that the training of one network can continue from, bit for bit."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from dynamics.core.records import Record
from dynamics.engine.factors import Factors
from dynamics.engine.training.record_spacing import Gaps
from dynamics.theory.matching import Matching


@dataclass(frozen=True)
class Moment:
    """The state of one network at a record.

    Attributes:
        factors: W_1, …, W_L.
        memory: what the gradient steps keep beside the factors; see ``Steps.memory``.
        backbone: the state_dict of the network's backbone; empty if it has none.
        turned: the factors when α last changed; None if it never changed.
        matching: which modes were known before the record; None if none were looked for.
        gaps: what the step of the next record follows from; None in older runs with even records.
    """

    factors: Factors
    memory: Mapping[str, Tensor]
    gaps: Gaps | None
    backbone: Mapping[str, Tensor] = field(default_factory=dict)
    turned: Factors | None = None
    matching: Matching | None = None

    def to_dict(self) -> dict[str, Any]:
        """Only tensors, numbers and containers, which ``torch.load`` reads without pickle."""
        matching = self.matching
        return {
            "factors": list(self.factors),
            "memory": dict(self.memory),
            "gaps": self.gaps and dict(vars(self.gaps)),
            "backbone": dict(self.backbone),
            "turned": None if self.turned is None else list(self.turned),
            "matching": matching and (list(matching.order), sorted(matching.named)),
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> "Moment":
        """The inverse of ``to_dict``; it also reads what older versions stored."""
        memory = stored["memory"]
        gaps = stored["gaps"]
        matching = stored["matching"]
        if isinstance(memory, list):  # one dictionary for each factor, in older versions
            memory = {
                f"{index}.{name}": value
                for index, of_factor in enumerate(memory)
                for name, value in of_factor.items()
            }
        if matching is not None:
            order, named = matching
            matching = Matching(tuple(order), frozenset(named))
        return cls(
            stored["factors"],
            memory,
            Gaps(**gaps) if gaps else None,
            stored.get("backbone", {}),
            stored["turned"],
            matching,
        )


@dataclass(frozen=True)
class Resumable(Record):
    """A record from which training can continue; ``moment`` is None before a late start."""

    moment: Moment | None = None
