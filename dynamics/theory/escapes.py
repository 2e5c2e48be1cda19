"""Escapes: when each mode leaves its plateau, how fast it rises, and which modes merge.

Steps are steps of gradient descent at ``rate`` = ηc, for a mode whose factors start at ε. ``goals``
are the singular values s_i that the modes grow to.
"""

import functools
import math
from collections.abc import Sequence

import numpy as np

from dynamics.core.records import Array

# Quadrature and integration use NumPy alone. SciPy would take a third of the web process's memory,
# and these integrands are smooth.

NODES, WEIGHTS = np.polynomial.legendre.leggauss(160)
HALVINGS = 80  # halvings of an interval of logarithms, more than double precision resolves
GROWN = 10.0  # growth of a factor after which random factors have turned towards their mode
STRIDE = 0.3  # largest relative change of the product per integration step


def escape_steps(
    goals: Sequence[float] | Array,
    depth: int,
    alpha: float,
    init_scale: float,
    rate: float | Array,
    share: float = 0.5,
) -> Array:
    """Steps until a mode of the compressed network reaches ``share`` of its goal, by quadrature.

    The flow keeps a² − αb² = (1 − α) ε², which leaves one variable y, the logarithm of a (of b if
    α < 1). It moves by g = ln(1 + ηẏ) a step, so that by Euler and Maclaurin

        N = ∫ dy/g + ½ ln(g_end/g_start).

    For small steps that is ∫ db/(ηc (s − a² b^(L−2)) a² b^(L−3)); the logarithm keeps it right to
    within half a per cent up to 0.9 of the stability limit.

    Args:
        goals: s_i.
        depth: L.
        alpha: α.
        init_scale: ε.
        rate: ηc; one number, or one for each mode.
        share: share of the goal, between 0 and 1.

    Returns:
        One number for each goal: 0 if the mode starts above the share, infinity for s = 0.
    """
    goal = np.asarray(goals, float)[:, None]
    flow = _Flow(depth, alpha, init_scale)
    rates = np.reshape(rate, (-1, 1))

    def pace(y: Array) -> Array:
        return np.log1p(rates * flow.slope(y) * np.maximum(goal - flow.product(y), 0))

    start = np.full_like(goal, math.log(init_scale))
    low, high = start, np.log(np.maximum(goal, init_scale) / init_scale) + np.abs(start) + 5
    high = np.maximum(high, start + math.log(alpha) / 2 + 1)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        below = flow.product(middle) < share * goal
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    with np.errstate(divide="ignore", invalid="ignore"):
        half = (high - start) / 2
        steps = half * (WEIGHTS / pace(start + half * (1 + NODES))).sum(-1, keepdims=True)
        steps = steps + np.log(pace(high) / pace(start)) / 2
    begun = flow.product(start) >= share * goal
    return np.where(goal > 0, np.where(begun, 0.0, steps), np.inf)[:, 0]


class _Flow:
    """A mode of the compressed network as a function of y, the logarithm of its leading value.

    The leading value is the outer value a if α ≥ 1 or L = 2, and otherwise the inner value b.
    """

    def __init__(self, depth: int, alpha: float, init_scale: float) -> None:
        self._depth = depth
        self._alpha = alpha
        self._kept = (1 - alpha) * init_scale**2  # a² − αb²
        self._outer_leads = alpha >= 1 or depth == 2

    def product(self, y: Array) -> Array:
        """w = a² b^(L−2)."""
        outer, inner = self._factors(y)
        return np.asarray(outer**2 * inner ** (self._depth - 2))

    def slope(self, y: Array) -> Array:
        """ẏ/(c (s − w)), the speed of y for a unit of c and of the remaining goal s − w."""
        outer, inner = self._factors(y)
        if self._outer_leads:
            return np.asarray(self._alpha * inner ** (self._depth - 2))
        return np.asarray(outer**2 * inner ** (self._depth - 4))

    def _factors(self, y: Array) -> tuple[Array, Array]:
        leading = np.exp(y)
        if self._outer_leads:
            return leading, np.sqrt((leading**2 - self._kept) / self._alpha)
        return np.sqrt(self._alpha * leading**2 + self._kept), leading


def leading_steps(
    goals: Sequence[float] | Array, depth: int, alpha: float, init_scale: float, rate: float
) -> Array:
    """The leading term of ``escape_steps`` to one half, which shows the roles of ε, α and s.

    L ≥ 3: ε^(2−L) I_L(α)/(ηcs); L = 2: ln((s − ε²)/ε²)/(2 ln(1 + αηcs)).
    """
    goal = np.asarray(goals, float)
    if depth == 2:
        scale = init_scale**2
        return np.asarray(np.log((goal - scale) / scale) / (2 * np.log1p(alpha * rate * goal)))
    return np.asarray(init_scale ** (2 - depth) * plateau(depth, alpha) / (rate * goal))


def plateau(depth: int, alpha: float) -> float:
    """I_L(α) = ∫_1^∞ db/(a² b^(L−3)) with a² = αb² + 1 − α: the length of a plateau for L ≥ 3.

    I_L(1) = 1/(L − 2); I_3 = arccosh(√α)/√(α(α − 1)) for α > 1; I_4 = ln α/(2(α − 1)).
    """
    if alpha == 1:
        return 1 / (depth - 2)
    # With 1/b = tanh θ/tanh Θ (tan for α < 1) the factor 1/(αb² + 1 − α) is a constant.
    tangent, arctangent = (np.tanh, math.atanh) if alpha > 1 else (np.tan, math.atan)
    scale = math.sqrt(abs(alpha - 1) / alpha)
    end = arctangent(scale)
    inverse = tangent(end * (1 + NODES) / 2) / scale
    integral = end / 2 * float(WEIGHTS @ inverse ** (depth - 3))
    return integral / math.sqrt(alpha * abs(alpha - 1))


@functools.lru_cache(maxsize=64)
def delay(depth: int, alpha: float) -> float:
    """The extra time until a wide random network escapes, in units of ε^(2−L)/(ηcs) steps.

    The network's first factors map the target's right singular vector v_i to a direction that is
    orthogonal to u_i, up to 1/√d. So the mode's 2 × 2 core starts at ε I and must learn to turn by
    90°, while the compressed network's core starts aligned. L = 2: ln(2)/(2α). Both cores are
    integrated until they have grown so far that the difference of their times is constant.
    """
    if depth == 2:
        return math.log(2) / (2 * alpha)
    turned, straight = (_time_to_grow(depth, alpha, angle) for angle in (math.pi / 2, 0.0))
    return turned - straight


def _time_to_grow(depth: int, alpha: float, angle: float) -> float:
    """Time in which a core of unit start and unit pull (s = c = 1, no saturation) grows to GROWN^L.

    The time is integrated by Runge–Kutta steps of fourth order. The core becomes infinite in a
    finite time, so each step is as long as the product takes to change by the share STRIDE.
    """
    pull = np.array([[math.cos(angle), 0.0], [math.sin(angle), 0.0]])
    rates = np.ones((depth, 1, 1))
    rates[[0, -1]] = alpha

    def flow(factors: Array) -> Array:
        below = [factors[0]]
        for factor in factors[1:-1]:
            below.append(factor @ below[-1])
        gradients = np.empty_like(factors)
        above = pull
        for index in range(depth - 1, 0, -1):
            gradients[index] = above @ below[index - 1].T
            above = factors[index].T @ above
        gradients[0] = above
        return rates * gradients

    factors = np.tile(np.eye(2), (depth, 1, 1))
    time = 0.0
    norm = 1.0
    while norm < GROWN**depth:
        old_time, old_norm = time, norm
        first = flow(factors)
        step = STRIDE / depth * math.sqrt(float((factors**2).sum() / (first**2).sum()))
        second = flow(factors + step / 2 * first)
        third = flow(factors + step / 2 * second)
        fourth = flow(factors + step * third)
        factors = factors + step / 6 * (first + 2 * second + 2 * third + fourth)
        norm = float(np.linalg.norm(functools.reduce(lambda below, above: above @ below, factors)))
        time += step
    # Between the last two steps, time is linear in this power of the norm, as it is near infinity.
    start, end, level = (size ** (2 / depth - 1) for size in (old_norm, norm, GROWN**depth))
    return old_time + (time - old_time) * (level - start) / (end - start)


def rise_steps(
    goals: Sequence[float] | Array, depth: int, alpha: float, rate: float | Array
) -> Array:
    """Steps from 10 to 90 % of the goal: F_L/(ηc α^(2/L) s^(2 − 2/L)), for a mode that has escaped.

    F_L = ∫ dx/(L x^(2−2/L) (1 − x)) from 0.1 to 0.9: 2.197 for L = 2, 2.009 for L = 3.
    """
    goal = np.asarray(goals, float)
    return np.asarray(_rise(depth) / (rate * alpha ** (2 / depth) * goal ** (2 - 2 / depth)))


@functools.cache
def _rise(depth: int) -> float:
    share = 0.5 + 0.4 * NODES
    return 0.4 * float(WEIGHTS @ (1 / (depth * share ** (2 - 2 / depth) * (1 - share))))


def incrementality(escapes: Array, rises: Array) -> Array:
    """J_i = (T_(i+1) − T_i)/rise_i: above 3, modes rise one after another; below 1, they merge.

    Args:
        escapes: T_i, in the order in which the modes escape.
        rises: the steps that each rise takes, in the same order.
    """
    escapes, rises = np.asarray(escapes, float), np.asarray(rises, float)
    return np.diff(escapes) / rises[:-1]


def measured_escapes(
    steps: Array, values: Array, goals: Sequence[float] | Array, share: float = 0.5
) -> Array:
    """The steps, interpolated, at which recorded singular values reach a share of their goals.

    Args:
        steps: steps of the T records.
        values: singular values, largest first, T × at least as many as there are goals.
        goals: s_i.
        share: share of the goal.

    Returns:
        One number for each goal; NaN if the share was not reached.
    """
    escapes = np.full(len(goals), np.nan)
    for index, level in enumerate(share * np.asarray(goals, float)):
        reached = np.flatnonzero(values[:, index] >= level)
        if len(reached):
            after = int(reached[0])
            around = slice(max(after - 1, 0), after + 1)
            escapes[index] = np.interp(level, values[around, index], steps[around])
    return escapes
