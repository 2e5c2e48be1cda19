"""AltMin: alternating least squares on observed entries, and the means of rows and columns.

W = X Zᵀ with X of rows × k and Z of cols × k. A half step solves for one factor while the other is
held. Each row of the factor is a least-squares problem of its own, with a ridge. Without a ridge,
the smallest of several solutions is taken. Jain, Netrapalli and Sanghavi (2013),
https://arxiv.org/abs/1212.0467, without their fresh samples.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dynamics.core.finite import finite
from dynamics.core.machine.threads import use_one

Array = NDArray[np.float64]
Index = NDArray[np.int64]
LEAST = 1e-12  # a smaller singular value, relative to the first one, counts as zero
DAMPING_ROWS = 10.0  # entries; Koren's λ₃, of users
DAMPING_COLS = 25.0  # entries; Koren's λ₂, of items


class Entries(NamedTuple):
    """Entries of a matrix, in any order: their rows and columns from 0, and their values."""

    rows: Index
    cols: Index
    values: Array

    def at(self, places: Index) -> "Entries":
        """The entries at these places of the list."""
        return Entries(self.rows[places], self.cols[places], self.values[places])

    @property
    def turned(self) -> "Entries":
        """The entries of the transposed matrix."""
        return Entries(self.cols, self.rows, self.values)


def solved(entries: Entries, fixed: Array, count: int, ridge: float = 0.0) -> Array:
    """X, count × k, that minimizes Σ (x_i · z_j − y_ij)² + λ‖X‖², Z = ``fixed``, λ = ``ridge``.

    Of several minimizers X is the smallest, so a row without entries is 0. Rows with the same
    number of entries are solved together.
    """
    use_one()
    solution = np.zeros((count, fixed.shape[1]))
    order = np.argsort(entries.rows, kind="stable")
    counts = np.bincount(entries.rows, minlength=count)
    starts = np.cumsum(counts) - counts
    for number in np.unique(counts[counts > 0]):
        rows = np.flatnonzero(counts == number)
        places = order[starts[rows][:, None] + np.arange(number)]  # rows × their entries
        left, sizes, right = np.linalg.svd(finite(fixed[entries.cols[places]]), full_matrices=False)
        kept = sizes > LEAST * sizes[:, :1]
        gain = np.where(kept, sizes, 0.0) / np.where(kept, sizes**2 + ridge, 1.0)
        along = (entries.values[places][:, None] @ left)[:, 0] * gain
        solution[rows] = (along[:, None] @ right)[:, 0]
    return solution


def alternate(
    entries: Entries, start: Array, count: int, ridge: float = 0.0
) -> Iterator[tuple[Array, Array]]:
    """X and Z after each half step, without end; the first solves for X, ``count`` rows."""
    right = start
    while True:
        left = solved(entries, right, count, ridge)
        yield left, right
        right = solved(entries.turned, left, len(start), ridge)
        yield left, right


def loss(entries: Entries, left: Array, right: Array) -> float:
    """½ mean over the entries of (X Zᵀ − Y)²."""
    error = (left[entries.rows] * right[entries.cols]).sum(1) - entries.values
    return float(np.mean(error**2) / 2)


def biases(entries: Entries, shape: tuple[int, int]) -> tuple[Array, Array]:
    """X and Z, two columns each, of μ + b_i + c_j, where μ is the mean of all entries.

    c_j is the sum of Y − μ over its column, divided by the number of entries in the column plus a
    damping. b_i is the sum of Y − μ − c_j over its row, divided likewise. A row or column with few
    entries thus stays near the mean. Koren (2010), section 2.1.
    """
    rows, cols, values = entries
    mean = float(values.mean())
    of_cols = _damped(cols, values - mean, shape[1], DAMPING_COLS)
    of_rows = _damped(rows, values - mean - of_cols[cols], shape[0], DAMPING_ROWS)
    left = np.stack([mean + of_rows, np.ones(shape[0])], axis=1)
    return left, np.stack([np.ones(shape[1]), of_cols], axis=1)


def _damped(index: Index, values: Array, count: int, damping: float) -> Array:
    """For each index, the sum of its values over their number plus a damping."""
    number = np.bincount(index, minlength=count)
    sums: Array = np.bincount(index, weights=values, minlength=count) / (damping + number)
    return sums
