"""Table: the matrix of a problem whose data fix it, and its inputs' second moments; NumPy alone."""

import numpy as np

from dynamics.core.config import Config
from dynamics.core.finite import finite
from dynamics.core.records import Array
from dynamics.data import semantic


def target(config: Config) -> Array:
    """Properties × items: the table, or of its singular triplets the config's first r."""
    left, values, right = np.linalg.svd(finite(semantic.properties()), full_matrices=False)
    rank = config.rank
    if rank == len(values):
        return semantic.properties()
    return np.asarray(left[:, :rank] * values[:rank] @ right[:rank])


def covariance(config: Config) -> Array:
    """Σ_xx = X Xᵀ of the items' inputs: κ^k for items that are k apart, 1 on the diagonal."""
    places = np.arange(config.shape[1])
    return np.asarray(config.input_correlation ** np.abs(np.subtract.outer(places, places)))


def values(config: Config) -> Array:
    """The r singular values of the table, largest first."""
    return _values(target(config))[: config.rank]


def pulls(config: Config) -> Array:
    """The r largest singular values of Σ_yx = M* Σ_xx, which pulls at a small W."""
    return _values(target(config) @ covariance(config))[: config.rank]


def _values(matrix: Array) -> Array:
    return np.asarray(np.linalg.svd(finite(matrix), compute_uv=False))
