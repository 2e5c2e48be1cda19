"""Formulas of the theory that training is held against."""

from collections.abc import Sequence

import numpy as np

from dynamics.core.records import Array

UNMOVED = 1e-2  # relative change up to which a singular value counts as never moved


def squared_error(values: Array, goals: Sequence[float] | Array) -> Array:
    """‖W − M*‖² = Σ_(i≤r̂) (w_i − s_i)² + Σ_(i>r̂) s_i², of values records × r̂ and all r goals."""
    width, goal = values.shape[-1], np.asarray(goals, float)
    fitted = np.pad(goal, (0, max(0, width - len(goal))))[:width]
    rest = float((goal[width:] ** 2).sum())
    return np.asarray(((values - fitted) ** 2).sum(-1) + rest)


def growth_rates(values: Array, pulls: Array, depth: int) -> Array:
    """dσ_i/dt = L (σ_i²)^(1 − 1/L) · pull_i, for any loss: σ_i's speed under gradient flow.

    For a balanced network with α = 1; a step of gradient descent takes η of the flow's time.
    Arora et al. (2019), "Implicit regularization in deep matrix factorization", theorem 3.

    Args:
        values: σ_i of the end-to-end matrix W.
        pulls: −⟨∇loss(W), u_i v_iᵀ⟩, with its singular vectors.
        depth: L.
    """
    return np.asarray(depth * values ** (2 - 2 / depth) * pulls)


def balance(factor_values: Array, alpha: float) -> Array:
    """a² − αb², which gradient flow conserves: how far the outer factors are from the inner ones.

    For depth 2 there is no inner factor, and it is the difference of the outer ones' a².

    Args:
        factor_values: singular values of the factors, records × L × modes, W_1 first.
        alpha: α.
    """
    squares = np.asarray(factor_values) ** 2
    if squares.shape[-2] == 2:
        return np.asarray(squares[..., 1, :] - squares[..., 0, :])
    return np.asarray(squares[..., 0, :] - alpha * squares[..., 1, :])


def unmoved(factor_values: Array) -> list[int]:
    """How many singular values of each factor have never moved, to within a hundredth.

    Args:
        factor_values: singular values of the factors, records × L × modes; NaN where a factor has
            fewer than another. The first record is the start.
    """
    start = factor_values[:1]
    still = np.abs(factor_values - start) <= UNMOVED * np.abs(start)
    return [int(count) for count in still.all(axis=0).sum(-1)]


def random_overlap(rank: int, width: int, generator: np.random.Generator) -> Array:
    """An overlap as random factors of this width have it: a corner of a Haar-orthogonal matrix."""
    columns, triangle = np.linalg.qr(generator.standard_normal((width, rank)))
    return np.asarray(columns[:rank] * np.sign(np.diagonal(triangle)))
