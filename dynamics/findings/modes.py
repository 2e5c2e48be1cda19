"""Modes: when theory expects each mode of a network to rise, and when it did rise."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from dynamics.core.config import Config
from dynamics.core.records import Array, Trajectory, followed
from dynamics.theory import escapes
from dynamics.theory.course import expected
from dynamics.theory.prediction import Facts, Known


@dataclass(frozen=True)
class Mode:
    """One singular value of a network, and its times.

    Attributes:
        number: i, counted from 1 for the largest goal.
        goal: s_i.
        expected: steps to half of the goal by theory; infinity if never, None if unknown.
        measured: steps to half of the goal in the run, interpolated between records; None if not
            reached.
        rise: steps from 10 to 90 % of the goal; None if not reached, or begun before ``start``.
        start: step at which the network started; above 0 if it did so on the way.
    """

    number: int
    goal: float
    expected: float | None
    measured: float | None
    rise: float | None
    start: float = 0.0

    @property
    def early(self) -> bool:
        """Whether the mode was half grown already when its network started on the way."""
        return self.start > 0 and self.measured == self.start

    @property
    def deviation(self) -> float | None:
        """(expected − measured)/measured; None if either is unknown, infinite, 0 or early."""
        if not self.measured or self.early or self.expected is None or math.isinf(self.expected):
            return None
        return self.expected / self.measured - 1


def modes(config: Config, trajectory: Trajectory) -> list[Mode]:
    """The modes of the target, at most as many as its rank; empty if the target is unknown."""
    facts = Facts.of(trajectory.facts)
    if not facts.target_singular_values or "singular_values" not in trajectory.series:
        return []
    goals, half, rises = measured(config, trajectory)
    times = expected(config, facts)[trajectory.network].escapes or (None,) * len(goals)
    start = float(trajectory.steps[0]) if len(trajectory.steps) else 0.0
    return [
        Mode(i + 1, float(goal), _known(times[i]), _known(half[i]), _known(rises[i]), start)
        for i, goal in enumerate(goals)
    ]


def measured(config: Config, trajectory: Trajectory) -> tuple[Array, Array, Array]:
    """The goals of a known target, the steps to half of each, and those of each rise."""
    goals = Known.of(config, Facts.of(trajectory.facts)).goals
    low, half, high = (
        _escapes(trajectory, goals, share) for share in (escapes.RISE[0], 0.5, escapes.RISE[1])
    )
    start = float(trajectory.steps[0]) if len(trajectory.steps) else 0.0
    return goals, half, np.where((start > 0) & (low <= start), np.nan, high - low)


def incrementality(modes: Sequence[Mode]) -> list[float]:
    """J_i as measured, in the order in which the modes escaped; see ``escapes.incrementality``."""
    risen = sorted(
        (mode.measured, mode.rise)
        for mode in modes
        if mode.measured is not None and mode.rise and not mode.early
    )
    times = np.array(risen).reshape(-1, 2)
    return list(map(float, escapes.incrementality(times[:, 0], times[:, 1])))


def by_network(config: Config, trajectories: Sequence[Trajectory]) -> Mapping[str, list[Mode]]:
    """``modes`` of each network, by its name."""
    return {trajectory.network: modes(config, trajectory) for trajectory in trajectories}


def _escapes(trajectory: Trajectory, goals: Array, share: float) -> Array:
    """Steps to a share of every goal; NaN if it was not reached or the mode is missing."""
    values = trajectory.series[followed(trajectory.series)]
    count = min(len(goals), values.shape[1])
    steps = escapes.measured_escapes(trajectory.steps, values, goals[:count], share)
    return np.append(steps, np.full(len(goals) - count, np.nan))


def _known(value: float | None) -> float | None:
    return None if value is None or math.isnan(value) else float(value)
