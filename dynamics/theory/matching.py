"""Matching: which singular value of a network is which mode of the target, from record to record.

Singular values are sorted, so two values that cross exchange their numbers. Their vectors identify
them.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from dynamics.core.records import Array

KNOWN = 0.5  # product of cosines above which a singular value belongs to a mode, and to no other
GROWN = 0.01  # share of its goal below which a mode's vectors do not identify it
LOW = 0.05  # share of its goal up to which a line can change its mode without a visible leap
TIED = 0.01  # relative gap of two singular values below which their vectors mix


@dataclass(frozen=True)
class Matching:
    """The place, from 0, of each mode's singular value, then of each line beyond the modes.

    ``named`` are the modes that vectors have identified; all other modes have the place of their
    own number.
    """

    order: tuple[int, ...]
    named: frozenset[int] = frozenset()

    def followed(self, known: dict[int, int], low: list[float]) -> "Matching":
        """Returns the matching of the next record, at which ``known`` has the places of some modes.

        A line whose mode is known moves to that mode's place; any other line keeps its place. A
        line that has grown before its vectors identified it keeps its place, too: the vectors were
        a mixture, and the line would leap if it took the name of a different mode now. ``low`` is
        how far the value at each place lies below LOW.
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


def identified(cosines: Array, values: Array, goals: Array) -> dict[int, int]:
    """The places, from 0, of the modes that singular vectors identify.

    Mode j is at place i where |⟨u_i, u_j*⟩ ⟨v_i, v_j*⟩| > ½. By the Cauchy–Schwarz inequality it is
    at no other place, and no other mode is there. Values that are small or tied identify nothing.

    Args:
        cosines: ⟨u_i, u_j*⟩ ⟨v_i, v_j*⟩, n × modes.
        values: at least n singular values, largest first.
        goals: s_j, the target's singular values.
    """
    count = len(cosines)
    sure = np.abs(cosines) > KNOWN
    sure &= values[:count, None] >= GROWN * goals
    sure &= ~_tied(values)[:count, None]
    places, modes = sure[:, : len(values)].nonzero()
    return dict(zip(modes.tolist(), places.tolist(), strict=True))


def _tied(values: Array) -> Any:
    """Whether each of these values, largest first, is close to a neighbour."""
    close = values[:-1] - values[1:] <= TIED * values[:-1]
    return np.append(close, False) | np.append(False, close)
