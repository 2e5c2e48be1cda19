"""The singular values of a Config's target and surrogate, estimated before they are drawn.

The estimates are limits for large matrices, good to a few per cent at 100 × 100. Known facts of the
drawn problem replace them.
"""

import functools
import math
from collections.abc import Sequence

import numpy as np

from dynamics.core import table, traits
from dynamics.core.config import Config
from dynamics.core.records import Array
from dynamics.core.sizes import curvature, seen, shown

ROUNDING = 1e-9  # share of the largest singular value below which all are rounding
GRID = 4096  # points at which the density of singular values is summed


def estimate(config: Config) -> dict[str, list[float]]:
    """The r singular values of the target and of −∇loss(0), by the names of a run's facts.

    Empty for a problem whose matrix is neither random nor a table. Noise and unseen entries act on
    the surrogate as independent noise of variance τ² an entry. It moves a singular value s to
    √((s² + rows τ²)(s² + cols τ²))/s, but at least to the edge (√rows + √cols) τ. The source is
    Benaych-Georges and Nadakuditi (2012), "The singular values and vectors of low rank
    perturbations". For rank-one sums, whose weights have heavier tails, the estimate is up to 25 %
    too low.
    """
    if not traits.problem(config.problem).low_rank:
        return {}
    rows, cols = config.shape
    values = target_values(config)
    if seen(config) == "inputs":
        return {
            "target_singular_values": values.tolist(),
            "surrogate_singular_values": (curvature(config) * table.pulls(config)).tolist(),
        }
    variance = _variance(config, values)
    squares = values**2
    moved = np.sqrt((squares + rows * variance) * (squares + cols * variance) / squares)
    visible = squares > variance * math.sqrt(rows * cols)
    pulled = np.where(visible, moved, (rows**0.5 + cols**0.5) * variance**0.5)
    return {
        "target_singular_values": values.tolist(),
        "surrogate_singular_values": (curvature(config) * pulled).tolist(),
    }


def _variance(config: Config, values: Array) -> float:
    """τ², the variance of an entry of the surrogate, relative to M*: noise and unseen entries."""
    energy = float((values**2).sum())
    variance = config.noise**2
    if seen(config) == "sums":
        variance = (energy + variance) / config.measurements
    elif seen(config) == "entries":
        share = shown(config)
        variance = (energy / math.prod(config.shape) * (1 - share) + variance) / share
    return variance


def visibility(config: Config) -> float | None:
    """s_r² / (τ² √(rows cols)) of the target's least mode: above 1 it shows in the surrogate.

    Below 1 the surrogate's r-th singular vectors know nothing of it, for large matrices. Infinity
    if all is seen without noise; None where ``estimate`` has nothing.
    """
    if not traits.problem(config.problem).low_rank or seen(config) == "inputs":
        return None
    values = target_values(config)
    variance = _variance(config, values)
    least = float(values[-1]) ** 2
    return least / (variance * math.prod(config.shape) ** 0.5) if variance else math.inf


def gap(values: Sequence[float]) -> int:
    """A guess at the rank: how many singular values come before their largest gap, by ratio.

    Args:
        values: of the surrogate, largest first, about half of them. The rank is none of them if
            noise or unseen entries hide its least modes, see ``visibility``.
    """
    kept = np.asarray(values, float)
    kept = np.maximum(kept, ROUNDING * kept[0])
    return int(np.argmax(kept[:-1] / kept[1:])) + 1 if len(kept) > 1 else 1


def certain(config: Config) -> bool:
    """Whether ``estimate`` is exact: a full target without noise whose values are given."""
    drawn = not traits.problem(config.problem).table and config.spectrum in ("top", "spread")
    return seen(config) in ("all", "inputs") and not config.noise and not drawn


def target_values(config: Config) -> Array:
    """s_i of the config's target: exact for a table, flat and power-law, else of a typical draw."""
    if traits.problem(config.problem).table:
        return table.values(config)
    rows, cols = config.shape
    if config.spectrum in ("flat", "power-law"):
        values = np.full(config.rank, rows**0.5 + cols**0.5)
        return values if config.spectrum == "flat" else values / np.arange(1, config.rank + 1)
    stride = min(rows, cols) / (2 * config.rank) if config.spectrum == "spread" else 1
    index = np.array([int(i * stride) for i in range(config.rank)])
    return gaussian_values(rows, cols)[index]


@functools.lru_cache(maxsize=32)
def gaussian_values(rows: int, cols: int) -> Array:
    """The singular values of a typical Gaussian matrix: quantiles of Marchenko and Pastur's law.

    The squares x of the values lie between a = (√rows − √cols)² and b = (√rows + √cols)², with
    √((b − x)(x − a))/(2πx) squares per unit of x.
    """
    low, high = ((rows**0.5 + sign * cols**0.5) ** 2 for sign in (-1, 1))
    # In x = mean − half cos θ the density is smooth up to both edges.
    angle = (np.arange(GRID) + 0.5) * math.pi / GRID
    half = (high - low) / 2
    squares = (high + low) / 2 - half * np.cos(angle)
    mass = np.cumsum((half * np.sin(angle)) ** 2 / squares)
    count = min(rows, cols)
    quantiles = (count - 0.5 - np.arange(count)) / count
    return np.sqrt(np.interp(quantiles, mass / mass[-1], squares))
