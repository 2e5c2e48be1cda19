"""The largest stable learning rate, the zones around it, and the least loss a start allows."""

from collections.abc import Sequence

import numpy as np

from dynamics.core.records import Array

# Each zone of η/η* with its upper end.
ZONES = ((0.6, "safe"), (1.0, "near the limit"), (1.4, "oscillates"), (np.inf, "diverges"))
# Noise on observed entries, over the root mean square of the target's entries, from which a network
# that fits it reaches a loss so sharp that it may bounce; and the share of the limit up to which
# hardly any does. Both are measured: see docs/theory.md.
NOISY = 0.4
CALM = 0.15


def stability_limit(depth: int, alpha: float, curvature: float, largest: float) -> float:
    """η* = 2/λ_max with λ_max = c L α^(2/L) s_1^(2 − 2/L); above it, descent cannot converge.

    Exact for a full target. For masked and random measurements, c is the mean curvature, and the
    limit is an estimate that is at most a few per cent too low.

    Args:
        depth: L.
        alpha: α, the factor by which the outer factors move faster.
        curvature: c of the loss (c/2)·‖W − M*‖².
        largest: s_1, the target's largest singular value; without one there is no limit.
    """
    if largest <= 0:
        return np.inf
    sharpness = curvature * depth * alpha ** (2 / depth) * largest ** (2 - 2 / depth)
    with np.errstate(divide="ignore"):  # for an α of almost 0 there is no limit either
        return float(2 / np.float64(sharpness))


def through_inputs(depth: int, largest: float, pulled: float) -> float:
    """The s_1 of a full target with the η* of one that is seen through correlated inputs.

    The limit is that of λ_max = c L α^(2/L) s_1^(1 − 2/L) p_1: within 0.6 % for every κ and L = 2,
    3, 4, see docs/theory.md.

    Args:
        depth: L.
        largest: s_1, the largest singular value of M*.
        pulled: p_1, the largest singular value of M* Σ_xx.
    """
    power = 2 - 2 / depth
    return float((largest ** (1 - 2 / depth) * pulled) ** (1 / power))


def reach(momentum: float) -> float:
    """The share of η* up to which a small start settles: 1 for gradient descent, 0.57 for β = 0.9.

    Near the minimum momentum β is stable up to (1 + β) η*. But a mode that rises with momentum
    overshoots to where the loss is sharper, and does not come back. This share is measured, and
    the worst of 2 to 6 factors, α from 0.3 to 5 and ε^L from 10⁻⁵ to 0.3 lies just above it.

    Args:
        momentum: β.
    """
    return min(1.0, 0.25 + (1 - momentum) ** 0.5)


def zone(ratio: float, momentum: float = 0.0, noise: float = 0.0) -> str:
    """The zone of a learning rate that is ``ratio`` times the stability limit.

    Args:
        ratio: η/η*.
        momentum: β.
        noise: of observed entries, over the root mean square of the target's entries; 0 if all of
            the matrix or sums are seen. From NOISY on, ``safe`` becomes ``may bounce``.
    """
    share = ratio / reach(momentum)
    if noise >= NOISY and CALM < share <= ZONES[0][0]:
        return "may bounce"
    return next(word for most, word in ZONES if share <= most)


def floor(
    spare: int,
    init_scale: float,
    depth: int,
    curvature: float,
    missed: Sequence[float] | Array = (),
) -> float:
    """(c/2)·(spare ε^(2L) + Σ s²): the loss once everything that can be learned is learned.

    Spare modes stay at ε^L until the gradient flow's time is about 1/(c L ε^(2L−2)).

    Args:
        spare: number of modes with nothing to learn: r̂ − r, or d − 2r for the original network.
        init_scale: ε.
        depth: L.
        curvature: c.
        missed: singular values of the target for which the network is too narrow.
    """
    energy = spare * init_scale ** (2 * depth) + float((np.asarray(missed, float) ** 2).sum())
    return curvature / 2 * energy
