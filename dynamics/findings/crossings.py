"""Crossings: records at which two modes exchange their ranks among the singular values."""

from collections.abc import Sequence

import numpy as np

from dynamics.core.records import Array


def least(goals: Sequence[float]) -> float:
    """The smallest value at which crossings count: 5 % of the smallest goal."""
    return 0.05 * min(goals, default=0.0)


def crossings(values: Array, least: float = 0.0) -> list[tuple[int, int, int]]:
    """(record, i, j) for each exchange of the ranks of the modes i and j, all counted from 0.

    The live page finds the same crossings: ``pages/shared/live/browser/panel/crossings.js``.

    Args:
        values: T × modes; records with values that are not finite are skipped.
        least: the value that one of the two modes must have reached. Below it, modes change ranks
            only because their names are still being assigned.
    """
    finite = np.flatnonzero(np.isfinite(values).all(axis=1))
    ranks = np.argsort(np.argsort(-values[finite], axis=1, kind="stable"), axis=1)
    exchanges = []
    for row in np.flatnonzero((ranks[1:] != ranks[:-1]).any(axis=1)) + 1:
        record = finite[row]
        after, before = ranks[row], ranks[row - 1]
        swapped = (after[:, None] < after) != (before[:, None] < before)
        grown = np.maximum(values[record][:, None], values[record]) >= least
        pairs = np.argwhere(np.triu(swapped & grown)).tolist()
        exchanges += [(int(record), i, j) for i, j in pairs]
    return exchanges
