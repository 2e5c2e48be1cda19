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
MOST_WORK = 3e10  # multiplications of a forecast's simulation: some seconds
RECORDS = 2000  # of such a simulation; steps between them are interpolated
TYPICAL = "The singular values are those of a typical draw; those of the run may differ."
TURNED = "The random start is treated as orthogonal to the target."
BESIDE = "The r spare directions beside the learned ones are left out."
CUT = "It starts from the original during the run; no formula for that is known."
FITTED = "Noise that remains is estimated by counting free parameters."


@dataclass(frozen=True)
class Facts:
    """What theory needs of a drawn problem; empty where nothing is drawn or known.

    Attributes:
        target_singular_values: s_i.
        surrogate_singular_values: those of −∇loss(0).
        overlap: of the original network's start with the target, r × r.
    """

    target_singular_values: tuple[float, ...] = ()
    surrogate_singular_values: tuple[float, ...] = ()
    overlap: tuple[tuple[float, ...], ...] = ()

    @classmethod
    def of(cls, stored: Mapping[str, Sequence[Any]]) -> "Facts":
        """Those among the facts that a run's layout keeps."""
        return cls(
            tuple(stored.get("target_singular_values", ())),
            tuple(stored.get("surrogate_singular_values", ())),
            tuple(tuple(row) for row in stored.get("overlap", ())),
        )


@dataclass(frozen=True)
class Prediction:
    """A value and how sure it is.

    Attributes:
        value: a number, or one for each mode; None where nothing is known.
        standing: ``exact``; ``gradient-flow``: exact for small steps, and within a per cent below
            the stability limit; ``heuristic``: good to a few or twenty per cent; ``unknown``.
        breaks: the assumptions of the exact result that the config violates, a sentence each.
    """

    value: Any
    standing: str
    breaks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Known:
    """The numbers from which all predictions of a config follow.

    Attributes:
        config: the settings.
        goals: s_i, the singular values that the network grows to, largest first.
        pulls: singular values of −∇loss(0) divided by c: those of the goals for a full target.
        overlap: of the original network's start with the target; None if its course depends on
            more than that, or if it is unknown.
        drawn: whether the values are those of the drawn problem, or certain without a draw.
    """

    config: Config
    goals: Array
    pulls: Array
    overlap: Array | None
    drawn: bool

    @classmethod
    def of(cls, config: Config, facts: Facts) -> "Known":
        """From a run's facts, and estimates where they are missing."""
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
            # Noise on a full target is a part of it.
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

        None without an overlap, if it takes more than ``most_work`` multiplications, or if the
        course is not finite. The other arguments are those of ``original.simulate``.
        """
        config, rank = self.config, len(self.goals)
        if self.overlap is None or steps[-1] * 6.0 * config.depth * (2 * rank) ** 3 > most_work:
            return None
        start = (self.goals, self.overlap, config.cols, config.depth, config.init_scale)
        try:
            course = original.simulate(*start, rate, steps, alpha, momentum, turns)
        except np.linalg.LinAlgError:
            return None
        return course.core_values[:, :rank]

    def timed(self, rate: float | None, network: str) -> bool:
        """Whether escape times are known."""
        inertia = traits.optimizer(self.config.optimizer).inertia
        lost = inertia is None or traits.network(network).adrift
        return bool(len(self.pulls)) and rate is not None and not lost

    def judged(self, value: Any, standing: str, *breaks: str) -> Prediction:
        """A Prediction of that standing; a heuristic one if any assumption is violated."""
        broken = (*broken_by(self.config), *breaks, *(() if self.drawn else (TYPICAL,)))
        if value is None:
            return Prediction(None, UNKNOWN, broken)
        return Prediction(value, HEURISTIC if broken else standing, broken)


def broken_by(config: Config) -> list[str]:
    """The violated assumptions of the results for a full target and gradient descent."""
    found = []
    if seen(config) in ("entries", "list"):
        found.append("Only some entries are seen, so modes do not grow independently.")
    if seen(config) == "sums":
        found.append("Only sums of entries are seen, so modes do not grow independently.")
    rule = traits.optimizer(config.optimizer)
    if rule.rescales:
        found.append(f"The optimizer {config.optimizer} rescales the gradient of every entry.")
    elif rule.momentum is not None:
        found.append(f"The optimizer {config.optimizer} adds earlier gradients to the step.")
    elif not rule.plain:
        found.append(f"Nothing is known of the optimizer {config.optimizer}: it has its own rule.")
    return found


def broken_by_start(config: Config) -> list[str]:
    """The violated assumptions of the original network's simulation, apart from ``broken_by``."""
    (rows, cols), found = config.shape, []
    if config.initialization != "orthogonal":
        found.append(f"The first factors are {config.initialization}, not orthogonal.")
    if not rows == cols == (config.width or cols):
        found.append("The factors are not all square.")
    if seen(config) == "all" and config.noise:
        found.append("Noise gives the target full rank.")
    if 2 * config.rank > min(rows, cols):
        found.append("The rank is more than half the width.")
    return found


def turning(config: Config, network: str, escapes: Sequence[float] | Array) -> list[str]:
    """A sentence if some of these escapes come after the network's rates have changed."""

    start, *later = rates.turns(config, network, config.learning_rate).items()
    turns = [step for step, now in later if now != start[1]]
    if not turns or not any(turns[0] < escape < math.inf for escape in escapes):
        return []
    return [
        f"Predicted escapes of the {traits.full_name(network)} hold until step {turns[0]:,}; later "
        "ones ignore that rates change there."
    ]


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

    ``simulate`` allows the original network's exact simulation, which takes some 20 µs a step.
    """
    if known.config.starts_late(network):
        return known.judged(None, UNKNOWN, CUT)
    if not known.timed(rate, network) or rate is None:
        return known.judged(None, UNKNOWN)
    config, alpha = known.config, rates.alpha(known.config, network)
    pace = rate * curvature(config) * known.pulls / known.goals
    steps = escape_steps(known.goals, config.depth, alpha, config.init_scale, pace)
    if traits.network(network).spectral:
        steps[widths(config, network)[1] :] = math.inf
        return known.judged(tuple(steps.tolist()), FLOW, *turning(config, network, steps))
    plateau = config.init_scale ** (2 - config.depth) / (pace * known.goals)
    steps = np.where(steps > 0, steps + delay(config.depth, alpha) * plateau, 0)
    broken = [*broken_by_start(config), *turning(config, network, steps)]
    if simulate and known.overlap is not None and not broken and not broken_by(config):
        last = math.ceil(1.3 * float(steps.max()))
        records = np.unique(np.linspace(0, last, RECORDS).astype(int)).tolist()
        course = known.simulated(alpha, rate * curvature(config), records, MOST_WORK)
        if course is not None:
            exact = measured_escapes(np.array(records, float), course, known.goals)
            if not np.isnan(exact).any():
                return known.judged(tuple(exact.tolist()), EXACT)
    return known.judged(tuple(steps.tolist()), HEURISTIC, *broken, TURNED)


def rises(known: Known, network: str, rate: float | None) -> Prediction:
    """Steps of each mode from 10 to 90 % of its goal."""
    if not known.timed(rate, network) or rate is None:
        return known.judged(None, UNKNOWN)
    alpha, pace = rates.alpha(known.config, network), rate * curvature(known.config)
    steps = rise_steps(known.goals, known.config.depth, alpha, pace)
    return known.judged(tuple(steps.tolist()), FLOW)


def floor(known: Known, network: str) -> Prediction:
    """The final training loss: from spare modes, from modes without room, and from noise."""
    config, rank = known.config, known.config.rank
    if not traits.problem(config.problem).low_rank:
        return known.judged(None, UNKNOWN, "The target is of full rank or unknown.")
    if traits.network(network).adrift:
        return known.judged(None, UNKNOWN)
    width = widths(config, network)[1]
    spare, missed = max(0, width - 2 * rank), known.goals[:0]
    if traits.network(network).spectral:
        spare, missed = max(0, min(width, *config.shape) - rank), known.goals[width:]
    value = stability.floor(spare, config.init_scale, config.depth, curvature(config), missed)
    if config.noise:
        rows, cols = config.shape
        share = 1 - width * (rows + cols - width) / observed(config)
        scale = curvature(config) if seen(config) == "sums" else 1.0
        value += scale * config.noise**2 / 2 * max(0.0, share)
    breaks = [FITTED] * bool(config.noise) + [BESIDE] * (not traits.network(network).spectral)
    return known.judged(value, FLOW, *breaks)
