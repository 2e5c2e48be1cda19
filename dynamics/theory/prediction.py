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
from dynamics.theory.escapes import delay, escape_steps, measured_escapes, rise_steps
from dynamics.theory.spectrum import certain, estimate

EXACT, FLOW, HEURISTIC, UNKNOWN = "exact", "gradient-flow", "heuristic", "unknown"
MOST_WORK = 3e10  # most multiplications of a forecast's simulation, which take some seconds
RECORDS = 2000  # records of a forecast's simulation; escapes between them are interpolated
TYPICAL = "The singular values are those of a typical draw; those of the run may differ."
TURNED = "The random start is treated as orthogonal to the target."
BESIDE = "The r spare directions beside the learned ones are left out."
CUT = "It starts from the original during the run; no formula for that is known."
FITTED = "Noise that remains is estimated by counting free parameters."


@dataclass(frozen=True)
class Facts:
    """What theory needs to know about a drawn problem; empty for what is not drawn or not known.

    Attributes:
        target_singular_values: s_i, the singular values of the target.
        surrogate_singular_values: the singular values of −∇loss(0).
        overlap: overlap of the original network's start with the target, r × r.
    """

    target_singular_values: tuple[float, ...] = ()
    surrogate_singular_values: tuple[float, ...] = ()
    overlap: tuple[tuple[float, ...], ...] = ()

    @classmethod
    def of(cls, stored: Mapping[str, Sequence[Any]]) -> "Facts":
        """The facts for theory, out of all facts in a run's layout."""
        return cls(
            tuple(stored.get("target_singular_values", ())),
            tuple(stored.get("surrogate_singular_values", ())),
            tuple(tuple(row) for row in stored.get("overlap", ())),
        )


@dataclass(frozen=True)
class Prediction:
    """A value and how sure it is.

    Attributes:
        value: a number, or one number for each mode; None if nothing is known.
        standing: ``exact``; ``gradient-flow``: exact for small steps, and within a per cent below
            the stability limit; ``heuristic``: good to between a few and twenty per cent;
            ``unknown``.
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
        """The original network's exact singular values, T × r, at ascending ``steps``.

        None without an overlap, if the simulation takes more than ``most_work`` multiplications, or
        if the course is not finite. ``original.simulate`` explains the other arguments.
        """
        config = self.config
        rank = len(self.goals)
        if self.overlap is None or steps[-1] * 6.0 * config.depth * (2 * rank) ** 3 > most_work:
            return None
        start = (self.goals, self.overlap, config.cols, config.depth, config.init_scale)
        try:
            course = original.simulate(*start, rate, steps, alpha, momentum, turns)
        except np.linalg.LinAlgError:
            return None
        return course.core_values[:, :rank]

    def timed(self, rate: float | None, network: str) -> bool:
        """Whether a network's escape times are known."""
        inertia = traits.optimizer(self.config.optimizer).inertia
        uncovered = inertia is None or traits.network(network).adrift
        return bool(len(self.pulls)) and rate is not None and not uncovered

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
    rule = traits.optimizer(config.optimizer)
    if rule.rescales:
        sentences.append(f"The optimizer {config.optimizer} rescales the gradient of every entry.")
    elif rule.momentum is not None:
        sentences.append(f"The optimizer {config.optimizer} adds earlier gradients to the step.")
    elif not rule.plain:
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
    if not len(known.pulls):
        return known.judged(None, UNKNOWN)
    config = known.config
    limit = stability.stability_limit(
        config.depth, rates.alpha(config, network), curvature(config), known.pulls[0]
    )
    return known.judged(limit, EXACT)


def escapes(known: Known, network: str, rate: float | None, simulate: bool) -> Prediction:
    """Steps until each mode is half grown; infinity if the network is too narrow for the mode.

    ``simulate`` allows the original network's exact simulation, which takes about 20 µs a step.
    """
    if known.config.starts_late(network):
        return known.judged(None, UNKNOWN, CUT)
    if not known.timed(rate, network) or rate is None:
        return known.judged(None, UNKNOWN)
    config = known.config
    alpha = rates.alpha(config, network)
    pace = rate * curvature(config) * known.pulls / known.goals
    steps = escape_steps(known.goals, config.depth, alpha, config.init_scale, pace)
    if traits.network(network).spectral:
        steps = turned(config, network, steps)
        steps[widths(config, network)[1] :] = math.inf
        return known.judged(tuple(steps.tolist()), FLOW, *turning(config, network, steps))
    plateau = config.init_scale ** (2 - config.depth) / (pace * known.goals)
    steps = np.where(steps > 0, steps + delay(config.depth, alpha) * plateau, 0)
    steps = turned(config, network, steps)
    broken = [*broken_by_start(config), *turning(config, network, steps)]
    if simulate and known.overlap is not None and not broken and not broken_by(config):
        exact = _simulated_escapes(known, alpha, rate * curvature(config), float(steps.max()))
        if exact is not None:
            return known.judged(tuple(exact.tolist()), EXACT)
    return known.judged(tuple(steps.tolist()), HEURISTIC, *broken, TURNED)


def _simulated_escapes(known: Known, alpha: float, rate: float, last: float) -> Array | None:
    """The original network's exact escapes, the last of them expected at about step ``last``.

    None if the simulation is too long or if a mode does not escape in it.
    """
    records = np.unique(np.linspace(0, math.ceil(1.3 * last), RECORDS).astype(int)).tolist()
    course = known.simulated(alpha, rate, records, MOST_WORK)
    if course is None:
        return None
    exact = measured_escapes(np.array(records, float), course, known.goals)
    return None if np.isnan(exact).any() else exact


def rises(known: Known, network: str, rate: float | None) -> Prediction:
    """Steps that each mode takes from 10 to 90 % of its goal."""
    if not known.timed(rate, network) or rate is None:
        return known.judged(None, UNKNOWN)
    alpha = rates.alpha(known.config, network)
    pace = rate * curvature(known.config)
    steps = rise_steps(known.goals, known.config.depth, alpha, pace)
    return known.judged(tuple(steps.tolist()), FLOW)


def floor(known: Known, network: str) -> Prediction:
    """The final training loss: from spare modes, from modes without room, and from noise."""
    config = known.config
    rank = config.rank
    spectral = traits.network(network).spectral
    if not traits.problem(config.problem).low_rank:
        return known.judged(None, UNKNOWN, "The target is of full rank or unknown.")
    if traits.network(network).adrift:
        return known.judged(None, UNKNOWN)
    width = widths(config, network)[1]
    spare = max(0, width - 2 * rank)
    missed = known.goals[:0]
    if spectral:
        spare = max(0, min(width, *config.shape) - rank)
        missed = known.goals[width:]
    value = stability.floor(spare, config.init_scale, config.depth, curvature(config), missed)
    if config.noise:
        rows, cols = config.shape
        share = 1 - width * (rows + cols - width) / observed(config)
        scale = curvature(config) if seen(config) == "sums" else 1.0
        value += scale * config.noise**2 / 2 * max(0.0, share)
    breaks = [FITTED] if config.noise else []
    if not spectral:
        breaks.append(BESIDE)
    return known.judged(value, FLOW, *breaks)
