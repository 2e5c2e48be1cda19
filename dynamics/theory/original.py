"""The original network's exact course on a full target, at a cost independent of its width.

The course holds for square factors with an orthogonal start, a full target of rank r, and gradient
descent. Outside a subspace of 2r dimensions, every factor then stays a multiple of its start. So a
2r × 2r core and one number for each factor describe the whole network. ``simulate`` starts from the
overlap alone; ``engine/steps/reduced.py`` steps the same ``Cores`` for a network that has factors.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dynamics.core.finite import NotFiniteError, finite
from dynamics.core.machine.threads import use_one
from dynamics.core.records import Array
from dynamics.theory.compressed import NO_TURNS, Turns
from dynamics.theory.matching import LOW, Matching, identified


@dataclass(frozen=True)
class Course:
    """The singular values and the error of the wide network, at T records.

    Attributes:
        steps: steps of the T records.
        core_values: T × 2r singular values of the end-to-end matrix within the 2r dimensions,
            largest first.
        mode_values: the same, a column for each mode of the target and then for each spare one,
            as a run follows them where values cross.
        rest: T values, each the value that the other d − 2r singular values share.
        squared_error: T values of ‖W − M*‖².
    """

    steps: Array
    core_values: Array
    mode_values: Array
    rest: Array
    squared_error: Array


def overlap(factors: Sequence[Array], left: Array, right: Array) -> Array:
    """G = Vᵀ Qᵀ U, r × r, with Q = Q_L ⋯ Q_1 and Q_l = W_l(0)/‖·‖.

    The course depends on the random start only through G.

    Args:
        factors: W_1(0), …, W_L(0), multiples of orthogonal d × d matrices.
        left: U, d × r.
        right: Vᵀ, r × d.
    """
    use_one()
    rotated = left
    for factor in reversed(factors):
        # By a power of two, which changes no digit: the squares of a small start would be 0.
        turn = np.ldexp(factor, -np.frexp(np.abs(factor).max())[1])
        rotated = turn.T @ rotated * (len(turn) ** 0.5 / np.linalg.norm(turn))
    return np.asarray(right @ rotated)


class Cores:
    """Cores M_l that descend from ε_l I towards a goal, and numbers ρ_l for the other dimensions.

    ρ_l starts at ε_l and moves by ρ_l ← ρ_l (1 − η_l c Π_(k≠l) ρ_k²).

    Attributes:
        cores: M_l, L × 2r × 2r.
        rest: ρ_l, L numbers.
    """

    def __init__(self, goal: Array, sizes: Array, momentum: float = 0.0) -> None:
        self.cores = sizes[:, None, None] * np.eye(len(goal))
        self.rest = sizes
        self._goal = goal
        self._momentum = momentum
        self._slopes = np.empty_like(self.cores)
        self._moves = np.zeros_like(self.cores)
        self._rest_moves = np.zeros_like(sizes)

    def step(self, rates: Array) -> None:
        """Make one gradient step at the rates η_l c, L numbers."""
        _gradients(self.cores, self._goal, self._slopes)
        self._moves *= self._momentum
        self._moves += self._slopes
        self._rest_moves = self._momentum * self._rest_moves + self.rest.prod() ** 2 / self.rest
        self.cores -= rates[:, None, None] * self._moves
        self.rest = self.rest - rates * self._rest_moves


@np.errstate(all="ignore")  # above the stability limit, a course overflows
def simulate(
    goals: Sequence[float] | Array,
    overlap: Array,
    width: int,
    depth: int,
    init_scale: float,
    rate: float,
    steps: Sequence[int],
    alpha: float = 1.0,
    momentum: float = 0.0,
    turns: Turns = NO_TURNS,
) -> Course:
    """The exact course of the original network, at a cost independent of its width d.

    With K = √(I − GᵀG), the cores descend towards [G; K] S [I, 0]. The other d − 2r singular values
    all equal ``rest``.

    Args:
        goals: s_i, r numbers.
        overlap: G, r × r.
        width: d, of the square target and of every factor.
        depth: L.
        init_scale: ε.
        rate: ηc, the learning rate times the curvature of the loss.
        steps: numbers of gradient steps at which to record, ascending.
        alpha: the factor by which the outer factors move faster.
        momentum: the share of the last step that is added to the next.
        turns: α and ηc from later steps on, by step; they replace ``alpha`` and ``rate``.

    Raises:
        ValueError: if 2r exceeds d.
    """
    use_one()
    rank = len(goals)
    if 2 * rank > width:
        raise ValueError(f"A width of {width} has no room for twice the rank, {2 * rank}.")
    goal = np.zeros((2 * rank, 2 * rank))
    goal[:, :rank] = np.vstack([overlap, _complement(overlap)]) * np.asarray(goals, float)
    core = Cores(goal, np.full(depth, float(init_scale)), momentum)
    rates = rates_of(depth, alpha, rate)
    matching = Matching(tuple(range(2 * rank)))
    records: list[tuple[Array, Array, float, float]] = []
    done = 0
    for step in steps:
        for count in range(done, step):
            if count in turns:
                rates = rates_of(depth, *turns[count])
            core.step(rates)
        done = step
        product = _product(core.cores)
        values, matching = _followed(product, goal, matching)
        rest = float(core.rest.prod())
        # Python's ** would raise an error where rest² overflows.
        error = float(((product - goal) ** 2).sum()) + (width - len(goal)) * rest * rest
        records.append((values, values[list(matching.order)], rest, error))
    return Course(np.array(steps, float), *map(np.array, zip(*records, strict=True)))


def rates_of(depth: int, alpha: float, rate: float) -> Array:
    """η_l c of each factor, from ηc."""
    rates = np.full(depth, float(rate))
    rates[[0, -1]] *= alpha
    return rates


def _complement(overlap: Array) -> Array:
    """K with KᵀK = I − GᵀG. A Cholesky decomposition would fail if an overlap is 1."""
    values, vectors = np.linalg.eigh(finite(np.eye(len(overlap)) - overlap.T @ overlap))
    return np.asarray(np.sqrt(np.maximum(values, 0))[:, None] * vectors.T)


def _gradients(cores: Array, goal: Array, slopes: Array) -> None:
    """(M_L ⋯ M_(l+1))ᵀ (M_L ⋯ M_1 − goal) (M_(l−1) ⋯ M_1)ᵀ, into ``slopes``."""
    below = [cores[0]]
    for core in cores[1:]:
        below.append(core @ below[-1])
    above = below[-1] - goal
    for index in range(len(cores) - 1, 0, -1):
        np.matmul(above, below[index - 1].T, out=slopes[index])
        above = cores[index].T @ above
    slopes[0] = above


def _product(cores: Array) -> Array:
    """M_L ⋯ M_1."""
    product = cores[0]
    for core in cores[1:]:
        product = core @ product
    return np.asarray(product)


def _followed(product: Array, goal: Array, before: Matching) -> tuple[Array, Matching]:
    """The singular values of a product, largest first, and which of them is which mode.

    NaN for a product that is not finite. The columns of ``goal`` are the target's left singular
    vectors times its singular values; its right singular vectors are the first r axes.
    """
    rank = len(product) // 2
    try:
        left, values, right = np.linalg.svd(finite(product))
    except NotFiniteError:
        return np.full(2 * rank, np.nan), before
    goals = np.linalg.norm(goal, axis=0)
    cosines = (left.T @ goal[:, :rank] / goals[:rank]) * right[:, :rank]
    low = (LOW * goals - values).tolist()
    return values, before.followed(identified(cosines, values, goals[:rank]), low)
