"""Matching: which singular value of a network is which mode of the target, from record to record.

Singular values come sorted, so that two that cross exchange their numbers; vectors tell them apart.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from dynamics.engine.target import Target

KNOWN = 0.5  # product of cosines above which a singular value is a mode's: at most one can be
GROWN = 0.01  # of its goal, below which a mode has no direction to be known by
LOW = 0.05  # of its goal, up to which a line may take any mode's name without a leap
TIED = 0.01  # relative gap of two singular values below which their vectors mix


@dataclass(frozen=True)
class Matching:
    """Where, from 0, the singular value of each mode is, then of each line beyond the modes.

    ``named`` are the modes that were known at their place once; the others are there by number.
    """

    order: tuple[int, ...]
    named: frozenset[int] = frozenset()

    def followed(self, known: dict[int, int], low: list[float]) -> "Matching":
        """The next record's, where ``known`` has the places of some modes.

        A line changes its place for what is known of it, and else keeps it. One that has grown
        without a name keeps it, too: its vectors were a mixture, and to find now that it was
        another mode would make it leap. ``low`` is how far below LOW the value of each place is.
        """
        free = {
            place: mode in self.named or low[place] > 0 for mode, place in enumerate(self.order)
        }
        sure = {
            mode: place
            for mode, place in known.items()
            if self.order[mode] == place or (free[place] and free[self.order[mode]])
        }
        order = [sure.get(mode, place) for mode, place in enumerate(self.order)]
        taken = set(sure.values())
        lost = [i for i, place in enumerate(order) if i not in sure and place in taken]
        spare = iter(sorted(set(range(len(order))) - set(order)))
        for line in lost:
            order[line] = next(spare)
        return Matching(tuple(order), self.named | set(sure))


def known(left: Tensor, values: Tensor, right: Tensor, target: Target) -> dict[int, int]:
    """The places, from 0, of the modes that singular vectors tell.

    Mode j is at place i where |⟨u_i, u_j*⟩ ⟨v_i, v_j*⟩| > ½: by Cauchy and Schwarz at no other, and
    no other mode is there. Nothing is known of what is hardly grown, or tied.

    Args:
        left: rows × n, the singular vectors that the network has.
        values: at least n singular values, largest first.
        right: n × cols.
        target: with its own triplets.
    """
    there = min(len(values), left.shape[1])
    cosines = (left[:, :there].mT @ target.left) * (right[:there] @ target.right.mT)
    found = cosines.abs() > KNOWN
    found &= values[:there, None] >= GROWN * target.values
    found &= ~_tied(values)[:there, None]
    return {mode: place for place, mode in found[:, : len(values)].nonzero().tolist()}


def _tied(values: Float[Tensor, " n"]) -> Bool[Tensor, " n"]:
    """Whether each of these values, largest first, is close to a neighbour."""
    close = values[:-1] - values[1:] <= TIED * values[:-1]
    none = close.new_zeros(1)
    return torch.cat([none, close]) | torch.cat([close, none])
