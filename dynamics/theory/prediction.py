"""Predictions for one network, and how sure they are.

Exact results hold for a full target, gradient descent and, for the original network, square
orthogonal first factors. Each prediction lists the assumptions that the config violates.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dynamics.core import rates, traits
from dynamics.core.config import Config
from dynamics.core.records import Array
from dynamics.core.sizes import curvature, observed, seen, widths
from dynamics.theory import original, stability
from dynamics.theory.compressed import NO_TURNS, Turns
from dynamics.theory.escapes import (
    RISE,
    delay,
    escapes_and_rises,
    measured_escapes,
    spare_value,
)
from dynamics.theory.spectrum import certain, estimate

EXACT, FLOW, HEURISTIC, UNKNOWN = "exact", "gradient-flow", "heuristic", "unknown"
SMALL_W, FIRST_ORDER = "small-W", "first-order"
MOST_WORK = 3e10  # most multiplications of a forecast's simulation, which take some seconds
WEAK = 1e-12  # share of the largest pull up to which a pull is rounding alone
SLACK = 1.1  # an estimated stability limit may be too low by this factor
STILL = 0.999  # share of ε above which a spare mode has not moved
RECORDS = 2000  # records of a forecast's simulation; escapes between them are interpolated
TYPICAL = "The singular values are those of a typical draw; those of the run may differ."
TURNED = "The random start is treated as orthogonal to the target."
ABOVE = "η is too large for a small start to settle."
BESIDE = "The r spare directions beside the learned ones are left out."
SWINGS = "Spare modes swing with the momentum before they decay."
CUT = "It starts from the original during the run, for which no formula is known."
NOISY = "Noise is fitted where few entries are seen, and the loss may be sharper there."
FITTED = "Noise that remains is estimated by counting free parameters."


@dataclass(frozen=True)
class Facts:
    """What theory needs to know about a drawn problem; empty for what is not drawn or not known.

    Attributes:
        target_singular_values: s_i, the singular values of the target.
        surrogate_singular_values: the singular values of −∇loss(0).
        overlap: overlap of the original network's start with the target, r × r.
        gradient_singular_values: the singular values of −∇loss(W = 0) where classes are told apart.
        gradient_moments: C in the directions u_i and C u_i of the features, see ``plateau``.
        start_overlaps: the ``overlaps`` of ``plateau`` for each of its ``random_starts``.
        backbone_kernel: ⟨∇s_i, ∇s_j⟩ of ``gradient_singular_values`` by the backbone's parameters.
    """

    target_singular_values: tuple[float, ...] = ()
    surrogate_singular_values: tuple[float, ...] = ()
    overlap: tuple[tuple[float, ...], ...] = ()
    gradient_singular_values: tuple[float, ...] = ()
    gradient_moments: tuple[tuple[float, ...], ...] = ()
    start_overlaps: tuple[tuple[tuple[float, ...], ...], ...] = ()
    backbone_kernel: tuple[tuple[float, ...], ...] = ()

    @classmethod
    def of(cls, stored: Mapping[str, Sequence[Any]]) -> "Facts":
        """The facts for theory, out of all facts in a run's layout."""
        return cls(
            tuple(stored.get("target_singular_values", ())),
            tuple(stored.get("surrogate_singular_values", ())),
            tuple(tuple(row) for row in stored.get("overlap", ())),
            tuple(stored.get("gradient_singular_values", ())),
            tuple(map(tuple, stored.get("gradient_moments", ()))),
            tuple(tuple(map(tuple, start)) for start in stored.get("start_overlaps", ())),
            tuple(map(tuple, stored.get("backbone_kernel", ()))),
        )


@dataclass(frozen=True)
class Prediction:
    """A value and how sure it is.

    Attributes:
        value: a number, or one number for each mode; None if nothing is known.
        standing: ``exact``; ``gradient-flow``: exact for small steps; ``small-W``: as long as W is
            small; ``first-order``: and the features have moved little; ``heuristic``: an estimate;
            ``unknown``. docs/theory.md has the measured spread of each.
        breaks: the assumptions of the exact result that the config violates, one sentence each.
    """

    value: Any
    standing: str
    breaks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Known:
    """The numbers from which all predictions of a config follow.

    Attributes:
        config: the settings of the run.
        goals: s_i, the singular values that the network grows to, largest first.
        pulls: singular values of −∇loss(0) divided by c; they equal the goals for a full target.
        overlap: overlap of the original network's start with the target; None if it is unknown, or
            if the network's course depends on more than the overlap.
        drawn: whether the values come from the drawn problem, or are certain without a draw.
    """

    config: Config
    goals: Array
    pulls: Array
    overlap: Array | None
    drawn: bool

    @classmethod
    def of(cls, config: Config, facts: Facts) -> "Known":
        """The known numbers from a run's facts, and from estimates for missing facts."""
        estimated = Facts.of(estimate(config))
        drawn = bool(facts.surrogate_singular_values)
        source = facts if drawn else estimated
        whole = seen(config) == "all"
        pulls = np.asarray(source.surrogate_singular_values, float) / curvature(config)
        pulls = pulls[: config.rank]
        goals = source.target_singular_values or estimated.target_singular_values
        exact = whole and not config.noise and facts.overlap
        return cls(
            config,
            # Noise on a full target is part of what the network grows to.
            np.asarray(goals, float)[: len(pulls)] if goals and not whole else pulls,
            pulls,
            np.asarray(facts.overlap, float) if exact else None,
            drawn or certain(config),
        )

    def simulated(
        self,
        alpha: float,
        rate: float,
        steps: Sequence[int],
        most_work: float,
        momentum: float = 0.0,
        turns: Turns = NO_TURNS,
    ) -> Array | None:
        """The original network's exact singular values by mode, T × r, at ascending ``steps``.

        None without an overlap, or if the simulation takes more than ``most_work`` multiplications.
        NaN from where the course is not finite. ``original.simulate`` explains the other arguments.
        """
        config = self.config
        rank = len(self.goals)
        if self.overlap is None or steps[-1] * 6.0 * config.depth * (2 * rank) ** 3 > most_work:
            return None
        start = (self.goals, self.overlap, config.cols, config.depth, config.init_scale)
        course = original.simulate(*start, rate, steps, alpha, momentum, turns)
        return course.mode_values[:, :rank]

    @property
    def inertia(self) -> float | None:
        """The optimizer's momentum β; None for a rule without a theory."""
        return traits.optimizer(self.config.optimizer).inertia

    @property
    def noise(self) -> float:
        """Noise over the root mean square of the target's entries; 0 unless only some are seen."""
        if seen(self.config) not in ("entries", "list") or not self.goals.any():
            return 0.0
        entry = math.sqrt(float((self.goals**2).sum()) / math.prod(self.config.shape))
        return self.config.noise / entry

    def timed(self, rate: float | None, network: str) -> bool:
        """Whether a network's escape times are known."""
        uncovered = self.inertia is None or traits.network(network).adrift
        return bool(len(self.pulls)) and rate is not None and not uncovered

    def paces(self, rate: float) -> Array:
        """ηc of each mode, as if it were pulled by its goal; 0 for a mode without pull."""
        pulls = np.where(self.pulls > WEAK * self.pulls[0], self.pulls, 0)
        shares = np.divide(pulls, self.goals, out=np.zeros_like(pulls), where=self.goals > 0)
        return np.asarray(rate * curvature(self.config) * shares)

    def judged(self, value: Any, standing: str, *breaks: str) -> Prediction:
        """A Prediction with that standing, or a heuristic one if any assumption is violated."""
        broken = (*broken_by(self.config), *breaks)
        if not self.drawn:
            broken = (*broken, TYPICAL)
        if value is None:
            return Prediction(None, UNKNOWN, broken)
        return Prediction(value, HEURISTIC if broken else standing, broken)


def broken_by(config: Config) -> list[str]:
    """The violated assumptions of the results for a full target and gradient descent."""
    sentences = []
    if seen(config) in ("entries", "list"):
        sentences.append("Only some entries are seen, so modes do not grow independently.")
    if seen(config) == "sums":
        sentences.append("Only sums of entries are seen, so modes do not grow independently.")
    if seen(config) == "inputs":
        sentences.append("The inputs are correlated, so modes do not grow independently.")
    rule = traits.optimizer(config.optimizer)
    if rule.rescales:
        sentences.append(f"The optimizer {config.optimizer} rescales the gradient of every entry.")
    elif rule.inertia is None:
        sentences.append(
            f"Nothing is known of the optimizer {config.optimizer}: it has its own rule."
        )
    return sentences


def broken_by_start(config: Config) -> list[str]:
    """The violated assumptions of the original network's simulation, apart from ``broken_by``."""
    rows, cols = config.shape
    sentences = []
    if config.initialization != "orthogonal":
        sentences.append(f"The first factors are {config.initialization}, not orthogonal.")
    if not rows == cols == (config.width or cols):
        sentences.append("The factors are not all square.")
    if seen(config) == "all" and config.noise:
        sentences.append("Noise gives the target full rank.")
    if 2 * config.rank > min(rows, cols):
        sentences.append("The rank is more than half the width.")
    return sentences


def turning(config: Config, network: str, escapes: Sequence[float] | Array) -> list[str]:
    """A sentence if some of these escapes, made by ``turned``, come after a change of rates."""
    first, *later = rates.turns(config, network, config.learning_rate).items()
    turns = [step for step, now in later if now != first[1]]
    if not turns or not any(math.isnan(step) or turns[0] < step < math.inf for step in escapes):
        return []
    start = f"Predicted escapes of the {traits.full_name(network)}"
    sentences = []
    alpha = next((step for step, now in later if now.alpha != first[1].alpha), None)
    if alpha is not None and any(map(math.isnan, escapes)):
        sentences.append(
            f"{start} hold until step {alpha:,}; α changes there, and later ones are not known."
        )
    if any(turns[0] < step < math.inf for step in escapes):
        sentences.append(f"{start} after step {turns[0]:,} follow η: they count the sum of η.")
    return sentences


def turned(config: Config, network: str, escapes: Array) -> Array:
    """Escapes of a network by its first rates, moved to where changes of η during the run put them.

    A small step of η moves the gradient flow by η, so a mode escapes once the sum of η over the
    steps is what it would have been. NaN for escapes after a change of α, which are not known.
    """
    first, *later = rates.turns(config, network, config.learning_rate).items()
    moved = np.full_like(escapes, np.nan)
    step = flow = 0.0  # the flow counts in steps by the first rates
    pace = 1.0
    ends = [*((float(turn), now) for turn, now in later), (math.inf, first[1])]
    for end, now in ends:
        until = flow + pace * (end - step)
        here = (escapes >= flow) & (escapes <= until)
        moved[here] = step + (escapes[here] - flow) / pace
        if now.alpha != first[1].alpha:
            break
        step, flow, pace = end, until, now.learning_rate / first[1].learning_rate
    moved[np.isposinf(escapes)] = math.inf
    return moved


def eta_star(known: Known, network: str) -> Prediction:
    """The stability limit η*, computed from the largest pull."""
    if not len(known.pulls) or known.pulls[0] <= 0:
        return known.judged(None, UNKNOWN)
    config = known.config
    largest = float(known.pulls[0])
    if seen(config) == "inputs":
        largest = stability.through_inputs(config.depth, float(known.goals[0]), largest)
    limit = stability.stability_limit(
        config.depth, rates.alpha(config, network), curvature(config), largest
    )
    breaks = []
    if known.inertia and stability.reach(known.inertia) < 1:
        reach = stability.reach(known.inertia)
        breaks.append(f"With {config.optimizer}, small starts settle up to {reach:.2g} η* alone.")
    if known.noise >= stability.NOISY:
        breaks.append(NOISY)
    return known.judged(limit, EXACT, *breaks)


def above(known: Known, rate: float | None, limit: Prediction) -> bool:
    """Whether η is too large for a small start to settle."""
    if rate is None or limit.value is None:
        return False
    slack = 1.0 if limit.standing == EXACT else SLACK
    return bool(rate > slack * limit.value * stability.reach(known.inertia or 0.0))


def times(
    known: Known, network: str, rate: float | None, limit: Prediction, simulate: bool
) -> tuple[Prediction, Prediction]:
    """Steps until each mode is half grown, and steps that it takes from 10 to 90 % of its goal.

    Infinity for a mode that the network is too narrow for, or that nothing pulls. ``simulate``
    allows the original network's exact simulation, which takes about 20 µs a step.
    """
    config = known.config
    if config.starts_late(network):
        return (known.judged(None, UNKNOWN, CUT),) * 2
    if rate is None or not known.timed(rate, network):
        return (known.judged(None, UNKNOWN),) * 2
    momentum = known.inertia or 0.0
    alpha = rates.alpha(config, network)
    pace = known.paces(rate)
    start = (known.goals, config.depth, alpha, config.init_scale, pace)
    steps, risen = escapes_and_rises(*start, momentum)
    breaks = [ABOVE] if above(known, rate, limit) else []
    if not traits.network(network).spectral:
        steps += np.where(steps > 0, _delays(known, alpha, pace, momentum), 0)
        breaks += [*broken_by_start(config), TURNED]
    steps = turned(config, network, steps)
    steps[min(widths(config, network)) :] = math.inf
    risen[np.isinf(steps)] = math.inf
    breaks += turning(config, network, steps)
    simple = TURNED in breaks and set(breaks) <= {TURNED, ABOVE}
    if simulate and simple and not broken_by(config):
        last = 1.3 * float(steps.max()) + 3 * float(risen.max())
        exact = _simulated_times(known, alpha, rate * curvature(config), last, momentum)
        if exact is not None:
            return known.judged(exact[0], EXACT), known.judged(exact[1], EXACT)
    found = (tuple(steps.tolist()), tuple(risen.tolist()))
    return known.judged(found[0], FLOW, *breaks), known.judged(found[1], FLOW, *breaks)


def _delays(known: Known, alpha: float, pace: Array, momentum: float) -> Array:
    """Steps by which each mode of the original network escapes later than a compressed one's."""
    config = known.config
    hidden = config.width or min(config.shape)
    rows, cols = config.shape
    kept = (math.sqrt(min(1, hidden / side)) for side in (cols, rows))
    unit = np.float64(config.init_scale) ** (2 - config.depth)  # it may be infinite
    wait = (1 - momentum) * delay(config.depth, alpha, *kept) * unit
    pull = pace * known.goals
    return np.divide(wait, pull, out=np.full_like(pull, np.inf), where=pull > 0)


def _simulated_times(
    known: Known, alpha: float, rate: float, last: float, momentum: float
) -> tuple[tuple[float, ...], tuple[float, ...]] | None:
    """The original network's exact escapes and rises, in a simulation until step ``last``.

    None if the simulation is too long or if a mode does not rise in it.
    """
    if not last < MOST_WORK:
        return None
    records = np.unique(np.linspace(0, math.ceil(last), RECORDS).astype(int)).tolist()
    course = known.simulated(alpha, rate, records, MOST_WORK, momentum)
    if course is None:
        return None
    counts = np.array(records, float)
    low, half, high = (
        measured_escapes(counts, course, known.goals, share) for share in (RISE[0], 0.5, RISE[1])
    )
    if np.isnan(high).any():
        return None
    return tuple(half.tolist()), tuple((high - low).tolist())


def floor(known: Known, network: str, rate: float | None, limit: Prediction) -> Prediction:
    """The loss at the end of the run: from spare modes, from modes without room, and from noise.

    Unknown above the stability limit.
    """
    config = known.config
    rank = config.rank
    spectral = traits.network(network).spectral
    if not traits.problem(config.problem).low_rank:
        return known.judged(None, UNKNOWN, "The target is of full rank or unknown.")
    if traits.network(network).adrift:
        return known.judged(None, UNKNOWN)
    if above(known, rate, limit):
        return known.judged(None, UNKNOWN, ABOVE)
    width = widths(config, network)[1]
    spare = max(0, width - 2 * rank)
    if spectral:
        spare = max(0, min(width, *config.shape) - rank)
    scale = _spare_scale(known, network, rate)
    missed = known.goals[width:]
    value = stability.floor(spare, scale, config.depth, curvature(config), missed)
    if config.noise:
        rows, cols = config.shape
        share = 1 - width * (rows + cols - width) / observed(config)
        unit = curvature(config) if seen(config) == "sums" else 1.0
        value += unit * config.noise**2 / 2 * max(0.0, share)
    breaks = [FITTED] if config.noise else []
    if not spectral:
        breaks.append(BESIDE)
    if known.inertia and scale < STILL * config.init_scale:
        breaks.append(SWINGS)
    return known.judged(value, FLOW, *breaks)


def _spare_scale(known: Known, network: str, rate: float | None) -> float:
    """The mean scale of the factors of a spare mode at the end of the run; at most ε."""
    config = known.config
    if known.inertia is None or rate is None:
        return config.init_scale
    turns = rates.turns(config, network, rate)
    ends = [*list(turns)[1:], config.steps]
    steps = sum(
        max(0, min(end, config.steps) - step) * now.learning_rate / turns[0].learning_rate
        for (step, now), end in zip(turns.items(), ends, strict=True)
    )
    start = (config.depth, rates.alpha(config, network), config.init_scale)
    value = spare_value(*start, rate * curvature(config), steps, known.inertia)
    return float(value ** (1 / config.depth))
