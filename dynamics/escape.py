"""Escape: when each mode leaves its plateau, how fast it then rises, and which modes merge.

All numbers of steps are those of gradient descent at ``rate`` = ηc, for a mode whose factors start
at ε; ``goals`` are the singular values s_i that they grow to.
"""

import functools
import math
from collections.abc import Sequence

import numpy as np
from scipy.integrate import quad, solve_ivp

from dynamics.trajectory import Array

NODES, WEIGHTS = np.polynomial.legendre.leggauss(160)
HALVINGS = 80  # of an interval of logarithms: past the last digit
GROWN = 10.0  # times the start: random factors have turned towards their mode long before


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
        share: of the goal, between 0 and 1.

    Returns:
        One number for each goal: 0 if it starts past the share, infinity if it is no goal (s = 0).
    """
    goal = np.asarray(goals, float)[:, None]
    outer_leads = alpha >= 1 or depth == 2

    def pace(y: Array) -> tuple[Array, Array]:
        """w and g where the leading value is e^y."""
        lead = np.exp(y)
        if outer_leads:
            outer, inner = lead, np.sqrt((lead**2 + (alpha - 1) * init_scale**2) / alpha)
        else:
            outer, inner = np.sqrt(alpha * lead**2 + (1 - alpha) * init_scale**2), lead
        w = outer**2 * inner ** (depth - 2)
        slope = alpha * inner ** (depth - 2) if outer_leads else outer**2 * inner ** (depth - 4)
        return w, np.log1p(np.reshape(rate, (-1, 1)) * slope * np.maximum(goal - w, 0))

    start = np.full_like(goal, math.log(init_scale))
    low, high = start, np.log(np.maximum(goal, init_scale) / init_scale) + np.abs(start) + 5
    high = np.maximum(high, start + math.log(alpha) / 2 + 1)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        below = pace(middle)[0] < share * goal
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    with np.errstate(divide="ignore", invalid="ignore"):
        half = (high - start) / 2
        steps = half * (WEIGHTS / pace(start + half * (1 + NODES))[1]).sum(-1, keepdims=True)
        steps = steps + np.log(pace(high)[1] / pace(start)[1]) / 2
    begun = pace(start)[0] >= share * goal
    return np.where(goal > 0, np.where(begun, 0.0, steps), np.inf)[:, 0]


def leading_steps(
    goals: Sequence[float] | Array, depth: int, alpha: float, init_scale: float, rate: float
) -> Array:
    """``escape_steps`` to one half by its leading term: what ε, α and s do to it, at a glance.

    L ≥ 3: ε^(2−L) I_L(α)/(ηcs); L = 2: ln((s − ε²)/ε²)/(2 ln(1 + αηcs)).
    """
    goal = np.asarray(goals, float)
    if depth == 2:
        scale = init_scale**2
        return np.asarray(np.log((goal - scale) / scale) / (2 * np.log1p(alpha * rate * goal)))
    return np.asarray(init_scale ** (2 - depth) * plateau(depth, alpha) / (rate * goal))


def plateau(depth: int, alpha: float) -> float:
    """I_L(α) = ∫_1^∞ db/(a² b^(L−3)), a² = αb² + 1 − α: a plateau's length for L ≥ 3.

    I_L(1) = 1/(L − 2); I_3 = arccosh(√α)/√(α(α − 1)) for α > 1; I_4 = ln α/(2(α − 1)).
    """

    def slope(inverse: float) -> float:  # with b = 1/x, so that the range is finite
        return float(inverse ** (depth - 3) / (alpha + (1 - alpha) * inverse**2))

    # A peak near x = 1 gets narrow for large α: quadrature looks there by itself, if told.
    return float(quad(slope, 0, 1, points=[1 - min(0.5, 1 / alpha)], epsabs=0, epsrel=1e-10)[0])


@functools.lru_cache(maxsize=64)
def delay(depth: int, alpha: float) -> float:
    """How much later a wide random network escapes, in units of ε^(2−L)/(ηcs) steps.

    Its first factors turn the target's right singular vector v_i into a direction that is
    orthogonal to u_i, up to 1/√d: the mode's 2 × 2 core starts at ε I and must learn to turn by
    90°, where the compressed one's starts in line. L = 2: ln(2)/(2α). Both cores are integrated
    until they have grown well past the start, where the difference stays.
    """
    if depth == 2:
        return math.log(2) / (2 * alpha)
    turned, straight = (_time_to_grow(depth, alpha, angle) for angle in (math.pi / 2, 0.0))
    return turned - straight


def _time_to_grow(depth: int, alpha: float, angle: float) -> float:
    """Time for a core of unit start and unit pull (s = c = 1, no saturation) to GROWN^L.

    In the variable ∫ ‖W‖^(1−2/L) dt growth is exponential, where time itself ends in a pole.
    """
    pull = np.array([[math.cos(angle), 0.0], [math.sin(angle), 0.0]])
    rates = np.ones((depth, 1, 1))
    rates[[0, -1]] = alpha

    def flow(_: float, flat: Array) -> Array:
        factors = flat[1:].reshape(depth, 2, 2)
        below = [factors[0]]
        for factor in factors[1:]:
            below.append(factor @ below[-1])
        gradients, above = np.empty_like(factors), pull
        for index in range(depth - 1, 0, -1):
            gradients[index] = above @ below[index - 1].T
            above = factors[index].T @ above
        gradients[0] = above
        slow = float((below[-1] ** 2).sum()) ** (1 / depth - 0.5)
        return np.concatenate([[slow], (slow * rates * gradients).ravel()])

    def grown(_: float, flat: Array) -> float:
        product = functools.reduce(lambda below, above: above @ below, flat[1:].reshape(-1, 2, 2))
        return float(np.linalg.norm(product) - GROWN**depth)

    grown.terminal = True  # type: ignore[attr-defined]
    start = np.concatenate([[0.0], np.tile(np.eye(2), (depth, 1, 1)).ravel()])
    solution = solve_ivp(flow, (0, 1e9), start, events=grown, rtol=1e-6, atol=1e-6)
    return float(solution.y[0, -1])


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
    power = 2 - 2 / depth
    return float(quad(lambda x: 1 / (depth * x**power * (1 - x)), 0.1, 0.9, epsabs=0)[0])


def incrementality(escapes: Array, rises: Array) -> Array:
    """J_i = (T_(i+1) − T_i)/rise_i: above 3 modes come one after another, below 1 they merge."""
    escapes, rises = np.asarray(escapes, float), np.asarray(rises, float)
    return np.diff(escapes) / rises[:-1]


def measured_escapes(
    steps: Array, values: Array, goals: Sequence[float] | Array, share: float = 0.5
) -> Array:
    """The steps at which recorded singular values reach a share of their goals, between records.

    Args:
        steps: of the T records.
        values: T × at least as many singular values, largest first.
        goals: s_i.
        share: of the goal.

    Returns:
        One number for each goal, NaN for one that was not reached.
    """
    found = np.full(len(goals), np.nan)
    for index, level in enumerate(share * np.asarray(goals, float)):
        reached = np.flatnonzero(values[:, index] >= level)
        if len(reached):
            after = int(reached[0])
            around = slice(max(after - 1, 0), after + 1)
            found[index] = np.interp(level, values[around, index], steps[around])
    return found
