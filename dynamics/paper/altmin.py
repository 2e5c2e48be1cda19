"""AltMin: alternating least squares on observed entries, and the means of rows and columns.

W = X Zᵀ with X of rows × k and Z of cols × k. A half step solves for one factor while the other is
held: each of its rows is a least-squares problem of its own, with a ridge or, where that is 0, its
smallest solution. Jain, Netrapalli and Sanghavi (2013), https://arxiv.org/abs/1212.0467, without
their fresh samples.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Index = NDArray[np.int64]
LEAST = 1e-12  # of the first singular value: below it there is no direction
DAMPING = 10.0, 25.0  # entries of rows (users) and columns (items): Koren's λ₃ and λ₂


class Entries(NamedTuple):
    """Entries of a matrix, in any order: their rows and columns from 0, and their values."""

    rows: Index
    cols: Index
    values: Array

    @property
    def turned(self) -> "Entries":
        """The same of the transposed matrix."""
        return Entries(self.cols, self.rows, self.values)


def solved(entries: Entries, fixed: Array, count: int, ridge: float = 0.0) -> Array:
    """X, count × k, of least Σ (x_i · z_j − y_ij)² + λ‖X‖² for Z = ``fixed`` and λ = ``ridge``.

    Of several the smallest, so that a row without entries is 0. Rows with equally many entries are
    solved together.
    """
    found = np.zeros((count, fixed.shape[1]))
    order = np.argsort(entries.rows, kind="stable")
    number = np.bincount(entries.rows, minlength=count)
    starts = np.cumsum(number) - number
    for each in np.unique(number[number > 0]):
        these = np.flatnonzero(number == each)
        places = order[starts[these][:, None] + np.arange(each)]  # rows × their entries
        left, sizes, right = np.linalg.svd(fixed[entries.cols[places]], full_matrices=False)
        kept = sizes > LEAST * sizes[:, :1]
        gain = np.where(kept, sizes, 0.0) / np.where(kept, sizes**2 + ridge, 1.0)
        along = (entries.values[places][:, None] @ left)[:, 0] * gain
        found[these] = (along[:, None] @ right)[:, 0]
    return found


def alternate(
    entries: Entries, start: Array, count: int, ridge: float = 0.0
) -> Iterator[tuple[Array, Array]]:
    """X and Z after each half step, endlessly: X of ``count`` rows first, for Z = ``start``."""
    right = start
    while True:
        left = solved(entries, right, count, ridge)
        yield left, right
        right = solved(entries.turned, left, len(start), ridge)
        yield left, right


def loss(entries: Entries, left: Array, right: Array) -> float:
    """½ mean over the entries of (X Zᵀ − Y)²."""
    off = (left[entries.rows] * right[entries.cols]).sum(1) - entries.values
    return float(np.mean(off**2) / 2)


def biases(entries: Entries, shape: tuple[int, int]) -> tuple[Array, Array]:
    """X and Z, two columns each, of μ + b_i + c_j, with μ the mean of all entries.

    c_j is the sum of Y − μ over its column divided by DAMPING plus their number, and then b_i that
    of Y − μ − c_j over its row: who has few entries stays near the mean. Koren (2010), section 2.1.
    """
    rows, cols, values = entries
    mean = float(values.mean())
    of_cols = _damped(cols, values - mean, shape[1], DAMPING[1])
    of_rows = _damped(rows, values - mean - of_cols[cols], shape[0], DAMPING[0])
    left = np.stack([mean + of_rows, np.ones(shape[0])], axis=1)
    return left, np.stack([np.ones(shape[1]), of_cols], axis=1)


def _damped(index: Index, values: Array, count: int, damping: float) -> Array:
    number = np.bincount(index, minlength=count)
    sums: Array = np.bincount(index, weights=values, minlength=count) / (damping + number)
    return sums
