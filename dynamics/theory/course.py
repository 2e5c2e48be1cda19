"""Expected: what theory says about a run's singular values, from its settings and facts alone.

If an exact course is known and cheap, it is followed step by step; otherwise the expectation is the
forecast's escapes. A second call for the same run costs nothing.
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
from dynamics.theory import compressed, plateau
from dynamics.theory.escapes import measured_escapes
from dynamics.theory.forecast import Forecast, NetworkForecast, forecast
from dynamics.theory.prediction import EXACT, Facts, Known, Prediction, broken_by_start

POINTS = 500  # evenly spaced points of a course
RECORDS = 1000  # most records of the run at which a course has further points
MOST_STEPS = 20_000  # most steps of a course, which take about half a second
MOST_WORK = 4e9  # most multiplications of a simulation, which take about half a second
# A course ends at SLACK times the last expected escape plus RISES times the slowest rise, because
# little happens after that. Momentum swings for SWINGS times its memory, 1/(1 − β) steps, more.
SLACK = 1.3
RISES = 3
SWINGS = 20
LEAST_RESIDUAL = 1e-17  # least residual that is returned, below rounding
SETTLED = 0.01  # relative distance from its goal within which a mode has settled


@dataclass(frozen=True)
class Expected:
    """One network's singular values as theory expects them, for comparison with the recorded ones.

    Attributes:
        escapes: steps until each mode is half grown; infinity for a mode that never grows.
        standing: how sure the escapes are: ``exact``, ``gradient-flow``, ``heuristic`` or
            ``unknown``.
        breaks: the assumptions of the exact result that the run violates, one sentence each.
        steps: T steps of the exact course; empty if only the escapes are known.
        values: T × modes, the singular values of the exact course.
        goals: s_i of these modes.
        followed: how many of the T points were computed; all modes have settled after them. 0 for
            a plateau, whose ``steps`` and ``values`` are those of a W that is still small.
        plateau: the steps at which the loss has fallen by 2 and by 10 % of ln K, where classes are
            told apart; ``standing`` and ``breaks`` are theirs.
    """

    escapes: tuple[float, ...] = ()
    standing: str = "unknown"
    breaks: tuple[str, ...] = ()
    steps: Array = field(default_factory=lambda: np.empty(0))
    values: Array = field(default_factory=lambda: np.empty((0, 0)))
    goals: Array = field(default_factory=lambda: np.empty(0))
    followed: int = 0
    plateau: tuple[float, ...] = ()

    def residuals(self, steps: Array, values: Array) -> Array:
        """|σ_i − expected σ_i| / s_i, T × modes; NaN at steps without a computed course.

        The k-th largest value is compared with the k-th largest expected value, and the difference
        belongs to the value's mode. So modes that cross are compared correctly even at a tie.
        Residuals are at least LEAST_RESIDUAL, because a logarithmic axis has no zero.

        Args:
            steps: T steps of records.
            values: recorded singular values, T × at least these modes.
        """
        points = np.searchsorted(self.steps[: self.followed], steps)
        points = np.minimum(points, max(self.followed - 1, 0))
        order = np.argsort(-values, axis=1, kind="stable")
        ranks = np.argsort(order, axis=1)[:, : len(self.goals)]
        largest_first = np.zeros(values.shape)
        largest_first[:, : len(self.goals)] = -np.sort(-self.values[points], axis=1)
        course = np.take_along_axis(largest_first, ranks, axis=1)
        distance = np.abs(values[:, : len(self.goals)] - course) / self.goals
        distance = np.maximum(distance, LEAST_RESIDUAL)
        return np.where((self.steps[points] == steps)[:, None], distance, np.nan)

    @property
    def first(self) -> float | None:
        """t₁, the steps to the first escape after the start; None if theory expects none."""
        return min((step for step in self.escapes if 0 < step < np.inf), default=None)


@functools.lru_cache(maxsize=32)
def expected(config: Config, facts: Facts) -> dict[str, Expected]:
    """What theory expects of each network, by the network's name."""
    predicted = forecast(config, facts)
    known = Known.of(config, facts)
    return {
        name: _of(known, predicted, name)
        if network.plateau is None
        else _waiting(config, facts, name, network.plateau)
        for name, network in predicted.networks.items()
    }


def _waiting(config: Config, facts: Facts, name: str, end: Prediction) -> Expected:
    """A network that tells classes apart: its plateau, up to the last step."""
    course = plateau.followed(config, facts, name)
    if course is None:
        return Expected((), end.standing, end.breaks)
    shown = course.steps <= config.steps
    return Expected(
        standing=end.standing,
        breaks=end.breaks,
        steps=course.steps[shown],
        values=course.values[shown],
        plateau=end.value,
    )


def _of(known: Known, predicted: Forecast, name: str) -> Expected:
    network = predicted.networks[name]
    times = network.escapes
    steps = _steps(known.config, network)
    curves = None if steps is None else _followed(known, predicted, name, steps)
    if steps is None or curves is None:
        return Expected(tuple(times.value or ()), times.standing, times.breaks)
    measured = measured_escapes(steps, curves, known.goals[: curves.shape[1]])
    # Escapes after the last step of the course are the forecast's.
    later = np.array((times.value or [math.inf] * len(measured))[: len(measured)])
    escapes = np.where(np.isnan(measured), np.maximum(later, steps[-1]), measured).tolist()
    escapes += [math.inf] * (len(known.goals) - len(measured))
    longer, course = _lengthened(known, steps, curves)
    followed = min(len(steps), len(longer))
    goals = known.goals[: curves.shape[1]]
    return Expected(tuple(escapes), EXACT, (), longer, course, goals, followed)


def _steps(config: Config, network: NetworkForecast) -> Array | None:
    """The steps of a network's course; None if it would have more than ``MOST_STEPS``.

    The course ends when every mode has risen, or at the last step of training if that is earlier.
    """
    escapes = [step for step in network.escapes.value or () if math.isfinite(step)]
    momentum = traits.optimizer(config.optimizer).inertia
    last = config.steps
    if escapes and not config.schedule:  # a schedule may move the escapes
        rises = [rise for rise in network.rises.value or () if math.isfinite(rise)]
        swings = SWINGS / (1 - momentum) if momentum else 0
        end = SLACK * max(escapes) + RISES * max(rises, default=0) + swings
        last = max(1, math.ceil(min(last, end)))  # a large start has escaped at step 0
    if last > MOST_STEPS:
        return None
    # The course also has the steps of the run's own records, at which it is compared with them.
    apart = config.record_every * -(-last // (config.record_every * RECORDS))
    steps = [np.linspace(0, last, POINTS).astype(int), np.arange(0, last + 1, apart)]
    return np.unique(np.concatenate(steps)).astype(float)


def _followed(known: Known, predicted: Forecast, name: str, steps: Array) -> Array | None:
    """The exact singular values of the modes after these steps; None if no course is known."""
    config = known.config
    kind = traits.network(name)
    momentum = traits.optimizer(config.optimizer).inertia
    rate = predicted.learning_rate
    if momentum is None or seen(config) != "all" or rate is None or not known.drawn:
        return None
    whole = steps.astype(int).tolist()
    later = {
        step: (rates.alpha, rates.learning_rate * curvature(config))
        for step, rates in turns(config, name, rate).items()
    }
    alpha, pace = later.pop(0)
    with np.errstate(all="ignore"):  # above the stability limit, a course overflows
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
    """The steps and the course, cut before the first value that is not finite.

    If all modes have settled, the course is continued to the last step of the run.
    """
    finite = np.isfinite(curves).all(axis=1)
    if not finite.all():
        stop = int(np.argmin(finite))
        return steps[:stop], curves[:stop]
    goals = known.goals[: curves.shape[1]]
    settled = bool((np.abs(curves[-1] - goals) <= SETTLED * goals).all())
    if settled and steps[-1] < known.config.steps:
        return np.append(steps, float(known.config.steps)), np.vstack([curves, curves[-1:]])
    return steps, curves
