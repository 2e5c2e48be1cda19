"""Expected: what theory says of a run's singular values, made from its settings and facts alone.

Where an exact course is known it is followed step by step, as long as that is cheap; elsewhere
there are the forecast's escapes. A second call for the same run costs nothing.
"""

import functools
import math
from dataclasses import dataclass, field

import numpy as np

from dynamics.core import traits
from dynamics.core.config import Config
from dynamics.core.rates import turns
from dynamics.core.records import Array
from dynamics.core.sizes import curvature, seen, widths
from dynamics.theory import compressed
from dynamics.theory.escapes import measured_escapes
from dynamics.theory.forecast import Forecast, NetworkForecast, forecast
from dynamics.theory.prediction import EXACT, Facts, Known, broken_by_start

POINTS = 500  # of a curve
RECORDS = 1000  # of the run's records, to which a course is followed
MOST_STEPS = 20_000  # that are followed: half a second
MOST_WORK = 4e9  # multiplications of a simulation: as long
SLACK = 1.3  # times the last expected escape, after which little happens
RISES = 3  # of the last mode, which are shown after its escape
LEAST_RESIDUAL = 1e-17  # below rounding
SETTLED = 0.01  # relative distance from its goal at which a mode stays where it is


@dataclass(frozen=True)
class Expected:
    """One network's singular values as theory expects them, for comparison with the recorded ones.

    Attributes:
        escapes: steps until each mode is half grown; infinity for a mode that never grows.
        standing: how sure they are: ``exact``, ``gradient-flow``, ``heuristic`` or ``unknown``.
        breaks: the assumptions of the exact result that the run violates, a sentence each.
        steps: T, of the curves; empty where only the escapes are known.
        values: T × modes, the exact course.
        goals: s_i of these modes.
        followed: how many of the T points were computed; all modes have settled after them.
    """

    escapes: tuple[float, ...] = ()
    standing: str = "unknown"
    breaks: tuple[str, ...] = ()
    steps: Array = field(default_factory=lambda: np.empty(0))
    values: Array = field(default_factory=lambda: np.empty((0, 0)))
    goals: Array = field(default_factory=lambda: np.empty(0))
    followed: int = 0

    def residuals(self, steps: Array, values: Array) -> Array:
        """|σ_i − expected σ_i| / s_i, T × modes; NaN at steps without a computed course.

        The k-th largest value is compared with the k-th largest expected one, and the difference
        belongs to the value's mode. So modes that cross are compared correctly even where they are
        tied. Values are at least LEAST_RESIDUAL: a logarithmic axis has no zero.

        Args:
            steps: T.
            values: T × at least these modes.
        """
        at = np.searchsorted(self.steps[: self.followed], steps)
        at = np.minimum(at, max(self.followed - 1, 0))
        order = np.argsort(-values, axis=1, kind="stable")
        ranks = np.argsort(order, axis=1)[:, : len(self.goals)]
        largest_first = np.zeros(values.shape)
        largest_first[:, : len(self.goals)] = -np.sort(-self.values[at], axis=1)
        course = np.take_along_axis(largest_first, ranks, axis=1)
        distance = np.abs(values[:, : len(self.goals)] - course) / self.goals
        distance = np.maximum(distance, LEAST_RESIDUAL)
        return np.where((self.steps[at] == steps)[:, None], distance, np.nan)

    @property
    def first(self) -> float | None:
        """t₁, the steps to the first escape after the start; None if theory expects none."""
        return min((step for step in self.escapes if 0 < step < np.inf), default=None)


@functools.lru_cache(maxsize=32)
def expected(config: Config, facts: Facts) -> dict[str, Expected]:
    """Returns what theory expects of each network, by its name."""
    made = forecast(config, facts)
    known = Known.of(config, facts)
    return {name: _of(known, made, name) for name in made.networks}


def _of(known: Known, made: Forecast, name: str) -> Expected:
    each = made.networks[name]
    steps = _steps(known.config, each)
    curves = None if steps is None else _followed(known, made, name, steps)
    if steps is None or curves is None:
        return Expected(tuple(each.escapes.value or ()), each.escapes.standing, each.escapes.breaks)
    found = measured_escapes(steps, curves, known.goals[: curves.shape[1]])
    # What comes after the last step that was followed is the forecast's.
    later = np.array((each.escapes.value or [math.inf] * len(found))[: len(found)])
    escapes = np.where(np.isnan(found), np.maximum(later, steps[-1]), found).tolist()
    escapes += [math.inf] * (len(known.goals) - len(found))
    longer, course = _lengthened(known, steps, curves)
    followed = min(len(steps), len(longer))
    goals = known.goals[: curves.shape[1]]
    return Expected(tuple(escapes), EXACT, (), longer, course, goals, followed)


def _steps(config: Config, each: NetworkForecast) -> Array | None:
    """The steps to follow: until all has happened, at most as many as are trained."""
    escapes = [step for step in each.escapes.value or () if math.isfinite(step)]
    last = config.steps
    if escapes and not config.schedule:  # whose escapes may be other than forecast
        after = SLACK * max(escapes) + RISES * max(each.rises.value or [0])
        last = min(last, math.ceil(after))
    if last > MOST_STEPS:
        return None
    # At the run's own records, too: there it is held against what was measured.
    apart = config.record_every * -(-last // (config.record_every * RECORDS))
    steps = [np.linspace(0, last, POINTS).astype(int), np.arange(0, last + 1, apart)]
    return np.unique(np.concatenate(steps)).astype(float)


def _followed(known: Known, made: Forecast, name: str, steps: Array) -> Array | None:
    """The exact singular values after these steps, those of the modes alone; None if unknown."""
    config, kind = known.config, traits.network(name)
    momentum, rate = traits.optimizer(config.optimizer).inertia, made.learning_rate
    if momentum is None or seen(config) != "all" or rate is None or not known.drawn:
        return None
    whole = steps.astype(int).tolist()
    later = {
        step: (each.alpha, each.learning_rate * curvature(config))
        for step, each in turns(config, name, rate).items()
    }
    alpha, pace = later.pop(0)
    with np.errstate(all="ignore"):  # a rate beyond the limit has a course, too: out of all numbers
        if kind.adrift or config.starts_late(name):
            return None
        if kind.spectral:
            goals = known.goals[: widths(config, name)[1]]
            start = (goals, config.depth, alpha, config.init_scale)
            outer, inner = compressed.recursion(*start, pace, whole, momentum, later)
            return np.abs(compressed.end_to_end(outer, inner, config.depth))
        if broken_by_start(config):
            return None
        return known.simulated(alpha, pace, whole, MOST_WORK, momentum, later)


def _lengthened(known: Known, steps: Array, curves: Array) -> tuple[Array, Array]:
    """Cut where a curve leaves all numbers; go on to the run's end where all have settled."""
    finite = np.isfinite(curves).all(axis=1)
    if not finite.all():
        stop = int(np.argmin(finite))
        return steps[:stop], curves[:stop]
    goals = known.goals[: curves.shape[1]]
    settled = bool((np.abs(curves[-1] - goals) <= SETTLED * goals).all())
    if settled and steps[-1] < known.config.steps:
        return np.append(steps, float(known.config.steps)), np.vstack([curves, curves[-1:]])
    return steps, curves
