"""Escapes: when each mode leaves its plateau, how fast it rises, and which modes merge.

Steps are steps of gradient descent at ``rate`` = ηc, for a mode whose factors start at ε. ``goals``
are the singular values s_i that the modes grow to. ``momentum`` is β, the share of the last step
that is added to the next one.
"""

import functools
import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from dynamics.core.records import Array

# Quadrature and integration use NumPy alone. SciPy would take a third of the web process's memory,
# and these integrands are smooth.

NODES, WEIGHTS = np.polynomial.legendre.leggauss(160)
NEWTON = 10  # steps of Newton's method, which doubles the digits with each
HALVINGS = 46  # halvings of an interval of logarithms, to 1e-12
STILL = 1e-4  # fall of a factor's logarithm, in the whole run, up to which it has not moved
FALL = 20.0  # most that the logarithm of a factor without a goal falls
GROWN = 10.0  # growth of a factor after which random factors have turned towards their mode
RISE = (0.1, 0.9)  # shares of the goal between which a rise is timed
CALM = 0.2  # growth of a mode, within the memory of the momentum, up to which it is steady
LOW = 0.01  # share of its goal up to which a mode is steady if it grows more than that later
MOST_STEPS = 5000  # steps after which a mode that is followed step by step is given up
STRIDE = 0.3  # largest relative change of the product per integration step


def escape_steps(
    goals: Sequence[float] | Array,
    depth: int,
    alpha: float,
    init_scale: float,
    rate: float | Array,
    share: float = 0.5,
    momentum: float = 0.0,
) -> Array:
    """Steps until a mode of the compressed network reaches ``share`` of its goal, by quadrature.

    The flow keeps a² − αb² = (1 − α) ε², which leaves one variable y, the logarithm of a (of b if
    α < 1). It moves by g = ln z a step, where z is ``growth`` at λ = ηẏ, so that by Euler and
    Maclaurin, and with the lag of the momentum,

        N = ∫ dy/g + ½ (1 + β)/(1 − β) ln(g_end/g_start) − ln A/g_start.

    A is the part of a start from rest that grows. For small steps without momentum N is
    ∫ db/(ηc (s − a² b^(L−2)) a² b^(L−3)). A mode that grows much within the memory of the momentum
    is followed step by step from where that begins.

    Args:
        goals: s_i.
        depth: L.
        alpha: α.
        init_scale: ε.
        rate: ηc; one number, or one for each mode.
        share: share of the goal, between 0 and 1.
        momentum: β.

    Returns:
        One number for each goal: 0 for a start above the share, infinity for s = 0 or ηc = 0.
    """
    return _reached(goals, _Flow(depth, alpha, init_scale), rate, (share,), momentum)[0]


def _reached(
    goals: Sequence[float] | Array,
    flow: "_Flow",
    rate: float | Array,
    shares: Sequence[float],
    momentum: float,
) -> Array:
    """Steps from the start to the first of ascending shares, then from each share to the next.

    A rise can be so much shorter than its plateau that a difference of escapes would be rounding.

    Returns:
        shares × modes; infinity for a mode that never grows.
    """
    goal = np.asarray(goals, float)[:, None]
    rates = np.broadcast_to(np.reshape(rate, (-1, 1)), goal.shape)
    memory = (1 - momentum) ** 2 / (1 + momentum)

    def pull(y: Array) -> Array:
        return np.asarray(rates * flow.slope(y) * np.maximum(goal - flow.product(y), 0))

    def pace(y: Array) -> Array:
        return log_growth(pull(y), momentum)

    def calm(y: Array) -> Any:
        slow = pull(y) * flow.depth < CALM * memory
        return slow & (flow.product(y) < LOW * goal)

    def spent(start: Array, end: Array) -> Array:
        """Steps from one y to another, in steady growth."""
        with np.errstate(divide="ignore", invalid="ignore"):
            half = (end - start) / 2
            steps = half * (WEIGHTS / pace(start + half * (1 + NODES))).sum(-1, keepdims=True)
            steps += (1 + momentum) / (1 - momentum) / 2 * np.log(pace(end) / pace(start))
        return np.where(end > start, steps, 0)[:, 0]

    start = np.full_like(goal, math.log(flow.init_scale))
    levels = [share * goal for share in shares]
    ends = [flow.at(level, start) for level in levels]
    steps = np.array([spent(*ys) for ys in pairwise((start, *ends))])
    with np.errstate(divide="ignore", invalid="ignore"):
        at_rest = -np.log(_growing(pull(start), momentum))[:, 0] / pace(start)[:, 0]
    steps[0] += np.where((ends[0] > start)[:, 0], at_rest, 0)
    fastest = pull(start + (ends[-1] - start) * (1 + NODES) / 2).max(-1)
    brisk = np.flatnonzero(fastest * flow.depth >= CALM * memory)
    if len(brisk):
        turn = np.minimum(_last(calm, start, flow, levels[0]), ends[0])
        turn = np.where(calm(start), turn, start)
        followed = flow.stepped(
            turn[brisk], (turn == start)[brisk], goal[brisk], rates[brisk], shares, momentum
        )
        steps[:, brisk] = np.diff(followed, axis=0, prepend=0)
        before = np.where((turn > start)[:, 0], spent(start, turn) + at_rest, 0)
        steps[0, brisk] += before[brisk]
    return np.where((goal > 0) & (rates > 0), steps.T, np.inf).T


def _last(condition: Callable[[Array], Any], start: Array, flow: "_Flow", levels: Array) -> Array:
    """The last y at which a condition holds that holds up to there, by bisection.

    The products of all modes reach their ``levels`` before the end of the interval.
    """
    low = start
    high = np.log(np.maximum(levels, np.exp(start))) - start + np.abs(start) + 5
    high = np.maximum(high, start + math.log(flow.alpha) / 2 + 1)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        holds = condition(middle)
        low, high = np.where(holds, middle, low), np.where(holds, high, middle)
    return low


def log_growth(pull: Array, momentum: float) -> Array:
    """ln z, the growth of a mode in one step at λ = ``pull``: ln(1 + λ) without momentum.

    With m ← βm + λx and x ← x + m a mode is multiplied by the larger root z of
    z² − (1 + β + λ) z + β = 0.
    """
    # With z = 1 + δ the root loses no digits where λ is small.
    behind = 1 - momentum - pull
    root = np.sqrt(behind**2 + 4 * pull)
    excess = np.where(behind > 0, 2 * pull / (root + np.abs(behind)), (root - behind) / 2)
    return np.log1p(excess)


def _growing(pull: Array, momentum: float) -> Array:
    """A = (1 + λ − z₂)/(z₁ − z₂), the share of a start from rest that grows with z₁."""
    larger = np.exp(log_growth(pull, momentum))
    smaller = momentum / larger
    return np.asarray((1 + pull - smaller) / (larger - smaller))


class _Flow:
    """A mode of the compressed network as a function of y, the logarithm of its leading value.

    The leading value is the outer value a if α ≥ 1 or L = 2, and otherwise the inner value b.
    """

    def __init__(self, depth: int, alpha: float, init_scale: float) -> None:
        self.depth = depth
        self.alpha = alpha
        self.init_scale = init_scale
        self._kept = (1 - alpha) * init_scale**2  # a² − αb²
        self._outer_leads = alpha >= 1 or depth == 2

    def product(self, y: Array) -> Array:
        """w = a² b^(L−2)."""
        outer, inner = self._factors(y)
        return np.asarray(outer**2 * inner ** (self.depth - 2))

    def at(self, level: Array, start: Array) -> Array:
        """The y at which the product is ``level``, and ``start`` where it is above that already.

        ln w is convex in y, so that Newton's steps from above close in on it and never pass it.
        """
        length = self.depth - 2
        with np.errstate(divide="ignore"):
            log_level = np.maximum(np.log(level), self.depth * start)
        spread = math.log(self.alpha) * (length / 2 if self._outer_leads else -1)
        y = np.maximum((log_level + spread) / self.depth, start)
        for _ in range(NEWTON):
            outer, inner = self._factors(y)
            if self._outer_leads:
                slope = 2 + length * outer**2 / (self.alpha * inner**2)
            else:
                slope = 2 * self.alpha * inner**2 / outer**2 + length
            y = y - (2 * np.log(outer) + length * np.log(inner) - log_level) / slope
        return np.where(log_level > self.depth * start, np.maximum(y, start), start)

    def slope(self, y: Array) -> Array:
        """ẏ/(c (s − w)), the speed of y for a unit of c and of the remaining goal s − w."""
        outer, inner = self._factors(y)
        if self._outer_leads:
            return np.asarray(self.alpha * inner ** (self.depth - 2))
        return np.asarray(outer**2 * inner ** (self.depth - 4))

    def stepped(
        self,
        y: Array,
        rest: Array,
        goal: Array,
        rate: Array,
        shares: Sequence[float],
        momentum: float,
    ) -> Array:
        """Steps from y to shares of the goals, shares × modes, by the exact recursion.

        Args:
            y: where each mode is.
            rest: whether it has no momentum there; otherwise it has that of steady growth.
            goal: s_i.
            rate: ηc.
            shares: shares of the goal, ascending.
            momentum: β.
        """
        outer, inner = self._factors(y)
        moves = []
        for factor, squares in ((outer, self.alpha * inner**2), (inner, outer**2)):
            slope = squares * inner ** (self.depth - 4)
            growth = log_growth(rate * slope * (goal - self.product(y)), momentum)
            moves.append(np.where(rest, 0, -factor * np.expm1(-growth)))
        values = [outer**2 * inner ** (self.depth - 2)]
        while len(values) < MOST_STEPS:
            going = values[-1] < shares[-1] * goal
            if not going.any():
                break
            chain = inner ** (self.depth - 2)
            force = rate * (goal - values[-1]) * outer
            moves[0] = going * (momentum * moves[0] + self.alpha * force * chain)
            if self.depth > 2:
                force = force * outer * inner ** (self.depth - 3)
                moves[1] = going * (momentum * moves[1] + force)
                inner = inner + moves[1]
            outer = outer + moves[0]
            values.append(outer**2 * inner ** (self.depth - 2))
        course = np.hstack(values).T
        steps = np.arange(len(course), dtype=float)
        return np.array([measured_escapes(steps, course, goal[:, 0], share) for share in shares])

    def _factors(self, y: Array) -> tuple[Array, Array]:
        leading = np.exp(y)
        if self._outer_leads:
            return leading, np.sqrt((leading**2 - self._kept) / self.alpha)
        return np.sqrt(self.alpha * leading**2 + self._kept), leading


def leading_steps(
    goals: Sequence[float] | Array,
    depth: int,
    alpha: float,
    init_scale: float,
    rate: float,
    momentum: float = 0.0,
) -> Array:
    """The leading term of ``escape_steps`` to one half, which shows the roles of ε, α and s.

    L ≥ 3: (1 − β) ε^(2−L) I_L(α)/(ηcs); L = 2: ln((s − ε²)/ε²)/(2 ln z) with z at λ = αηcs.
    """
    goal = np.asarray(goals, float)
    if depth == 2:
        scale = init_scale**2
        pace = log_growth(alpha * rate * goal, momentum)
        return np.asarray(np.log((goal - scale) / scale) / (2 * pace))
    wait = (1 - momentum) * np.float64(init_scale) ** (2 - depth) * plateau(depth, alpha)
    return np.asarray(wait / (rate * goal))


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
def delay(depth: int, alpha: float, into: float = 1.0, out: float = 1.0) -> float:
    """The extra time until a wide random network escapes, in units of ε^(2−L)/(ηcs) steps.

    The network's first factors map the target's right singular vector v_i to a direction that is
    orthogonal to u_i, up to 1/√d. So the mode's 2 × 2 core starts at ε I and must learn to turn by
    90°, while the compressed network's core starts aligned. L = 2: ln(2)/(2α). Both cores are
    integrated until they have grown so far that the difference of their times is constant.

    Args:
        depth: L.
        alpha: α.
        into: how much of v_i a first factor narrower than the matrix keeps: √(width/cols).
        out: how much of u_i the last factor reaches: √(width/rows).
    """
    if depth == 2:
        return math.log(4 / (into**2 + out**2)) / (2 * alpha)
    turned = _time_to_grow(depth, alpha, math.pi / 2, into, out)
    return turned - _time_to_grow(depth, alpha, 0.0)


def _time_to_grow(
    depth: int, alpha: float, angle: float, into: float = 1.0, out: float = 1.0
) -> float:
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
    factors[0, 0, 0] = into
    factors[-1, 1, 1] = out
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
    goals: Sequence[float] | Array,
    depth: int,
    alpha: float,
    init_scale: float,
    rate: float | Array,
    momentum: float = 0.0,
) -> Array:
    """Steps from 10 to 90 % of the goal, by the quadrature of ``escape_steps``.

    For small steps and ε they are F_L/(ηc α^(2/L) s^(2 − 2/L)), where F_L is the integral of
    1/(L x^(2−2/L) (1 − x)) from 0.1 to 0.9: 2.197 for L = 2, 2.009 for L = 3. A mode that starts
    above 10 % rises from its start; infinity for a mode that never escapes.
    """
    return _reached(goals, _Flow(depth, alpha, init_scale), rate, RISE, momentum)[1]


def escapes_and_rises(
    goals: Sequence[float] | Array,
    depth: int,
    alpha: float,
    init_scale: float,
    rate: float | Array,
    momentum: float = 0.0,
) -> tuple[Array, Array]:
    """``escape_steps`` to one half and ``rise_steps``, in the time of one of them."""
    low, high = RISE
    flow = _Flow(depth, alpha, init_scale)
    parts = _reached(goals, flow, rate, (low, 0.5, high), momentum)
    return parts[0] + parts[1], parts[1] + parts[2]


def spare_value(
    depth: int,
    alpha: float,
    init_scale: float,
    rate: float,
    steps: float,
    momentum: float = 0.0,
) -> float:
    """The singular value of a mode without a goal, which decays from ε^L.

    It is the quadrature of ``escape_steps`` with s = 0, inverted by bisection. For small steps and
    α = 1 it is (ε^(2−2L) + (2L − 2) ηc steps)^(−L/(2L − 2)).
    """
    flow = _Flow(depth, alpha, init_scale)
    start = np.array([[math.log(init_scale)]])
    fastest = rate * float((flow.slope(start) * flow.product(start))[0, 0])
    if fastest * steps < STILL * (1 - momentum):
        return init_scale**depth
    # A mode that falls faster than this swings with its momentum instead.
    most = 0.9 * (1 - momentum**0.5) ** 2

    def pace(y: Array) -> Array:
        pull = np.minimum(rate * flow.slope(y) * flow.product(y), most)
        return -log_growth(-pull, momentum)

    def taken(fall: Array) -> Array:
        """Steps from the start until y has fallen that far."""
        steps = fall / 2 * (WEIGHTS / pace(start - fall * (1 + NODES) / 2)).sum(-1, keepdims=True)
        lag = (1 + momentum) / (1 - momentum) / 2
        at_rest = momentum / (1 - momentum)
        return np.asarray(steps + lag * np.log(pace(start - fall) / pace(start)) + at_rest)

    low = np.zeros((1, 1))
    high = np.full((1, 1), FALL)
    with np.errstate(all="ignore"):  # for L = 2 the inner factor plays no part
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            early = taken(middle) < steps
            low, high = np.where(early, middle, low), np.where(early, high, middle)
        return float(flow.product(start - low)[0, 0])


def incrementality(escapes: Array, rises: Array) -> Array:
    """J_i = (T_(i+1) − T_i)/rise_i: above 3, modes rise one after another; below 1, they merge.

    It is infinite before and after a mode that never escapes.

    Args:
        escapes: T_i, in the order in which the modes escape.
        rises: the steps that each rise takes, in the same order.
    """
    escapes, rises = np.asarray(escapes, float), np.asarray(rises, float)
    never = np.isposinf(escapes[1:]) | np.isposinf(escapes[:-1])
    gaps = np.diff(np.where(np.isposinf(escapes), 0, escapes))
    gaps[never] = np.inf
    known = np.where(gaps == 0, 0.0, np.inf)
    return np.divide(gaps, rises[:-1], out=known, where=(rises[:-1] > 0) & ~never)


def measured_escapes(
    steps: Array, values: Array, goals: Sequence[float] | Array, share: float = 0.5
) -> Array:
    """The steps, interpolated, at which recorded singular values reach a share of their goals.

    Between two records the logarithm of w/(s − w) is a straight line, as it is in the rise of a
    mode of depth 2; the logarithm of w if a mode passes its goal s between them; w itself after a
    value that is not positive.

    Args:
        steps: steps of the T records.
        values: singular values, a column for each goal, T × at least as many as there are goals.
        goals: s_i.
        share: share of the goal.

    Returns:
        One number for each goal; NaN if the share was not reached.
    """
    escapes = np.full(len(goals), np.nan)
    for index, goal in enumerate(goals):
        level = share * float(goal)
        reached = np.flatnonzero(values[:, index] >= level)
        if not len(reached):
            continue
        after = int(reached[0])
        around = slice(max(after - 1, 0), after + 1)
        ends = np.append(values[around, index], level)
        if ends[0] > 0 and ends.max() < goal:
            ends = np.log(ends / (goal - ends))
        elif ends[0] > 0:
            ends = np.log(ends)
        escapes[index] = np.interp(ends[-1], ends[:-1], steps[around])
    return escapes
