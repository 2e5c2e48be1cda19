"""Theory: what is known of the learning dynamics without training; plain numbers, no torch.

Escape times are in ``escape``, the exact course of a wide network in ``simulation``, and what
follows for a Config in ``forecast``. Times of the gradient flow are η times steps.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np

from dynamics.core.records import Array

UNMOVED = 1e-2  # relative change up to which a singular value counts as never moved
Turns = Mapping[int, tuple[float, float]]  # from a step on, another α and another ηc
NO_TURNS: Turns = MappingProxyType({})


def recursion(
    goals: Sequence[float] | Array,
    depth: int,
    alpha: float,
    init_scale: float,
    rate: float,
    steps: Sequence[int],
    momentum: float = 0.0,
    turns: Turns = NO_TURNS,
) -> tuple[Array, Array]:
    """Outer values a and inner values b of the compressed network: r̂ independent recursions.

    With w = a² b^(L−2) and e = w − s, both from the old values,

        a ← a − αηc e a b^(L−2),  b ← b − ηc e a² b^(L−3).

    Exact for a full target, the spectral start and plain descent, also with momentum. The singular
    values of the end-to-end matrix are ``end_to_end(outer, inner, depth)``.

    Args:
        goals: s_i, r̂ numbers; 0 for the spare modes.
        depth: L.
        alpha: α.
        init_scale: ε.
        rate: ηc, the learning rate times the curvature of the loss.
        steps: after how many steps to record, ascending.
        momentum: the share of the last step that is added to the next; 0 is gradient descent.
        turns: α and ηc from some steps on, in place of those above.

    Returns:
        Outer and inner values, records × r̂; for depth 2 the inner ones mean nothing.
    """
    goal = np.asarray(goals, float)
    outer, inner = np.full_like(goal, init_scale), np.full_like(goal, init_scale)
    pace_outer, pace_inner = np.zeros_like(goal), np.zeros_like(goal)
    outers, inners, done = [], [], 0
    for step in steps:
        for count in range(done, step):
            alpha, rate = turns.get(count, (alpha, rate))
            chain = inner ** (depth - 2)
            pull = rate * (outer * outer * chain - goal)
            pace_outer = momentum * pace_outer + pull * outer * chain
            if depth > 2:
                pace_inner = momentum * pace_inner + pull * outer * outer * inner ** (depth - 3)
                inner = inner - pace_inner
            outer = outer - alpha * pace_outer
        done = step
        outers.append(outer)
        inners.append(inner)
    return np.array(outers), np.array(inners)


def end_to_end(outer: Array, inner: Array, depth: int) -> Array:
    """w = a² b^(L−2), the singular values of the compressed network's end-to-end matrix."""
    return outer * outer * inner ** (depth - 2)


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
