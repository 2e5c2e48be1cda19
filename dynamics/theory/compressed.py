"""The compressed network's exact course on a full target: two numbers for each mode."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np

from dynamics.core.records import Array

Turns = Mapping[int, tuple[float, float]]  # α and ηc from a step on, by that step
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
    """Outer values a and inner values b of the compressed network, whose r̂ modes are independent.

    With w = a² b^(L−2) and e = w − s, both computed from the old values,

        a ← a − αηc e a b^(L−2),  b ← b − ηc e a² b^(L−3).

    Exact for a full target, the spectral start and plain descent, also with momentum. The singular
    values of the end-to-end matrix are ``end_to_end(outer, inner, depth)``.

    Args:
        goals: s_i, r̂ numbers; 0 for the spare modes.
        depth: L.
        alpha: α.
        init_scale: ε.
        rate: ηc, the learning rate times the curvature of the loss.
        steps: numbers of gradient steps at which to record, ascending.
        momentum: the share of the last step that is added to the next; 0 for gradient descent.
        turns: α and ηc from later steps on, by step; they replace ``alpha`` and ``rate``.

    Returns:
        Outer and inner values, records × r̂. For depth 2 the inner values have no meaning.
    """
    goal = np.asarray(goals, float)
    outer, inner = np.full_like(goal, init_scale), np.full_like(goal, init_scale)
    pace_outer, pace_inner = np.zeros_like(goal), np.zeros_like(goal)
    outers = []
    inners = []
    done = 0
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
