"""Shown: a trajectory as a chart shows it, with what theory expects of it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from dynamics.core.cells import Cells
from dynamics.core.config import Config
from dynamics.core.pictures import Picture
from dynamics.core.rates import plain_descent
from dynamics.core.records import Array, Trajectory, followed
from dynamics.draw import time_axis
from dynamics.theory.course import Expected, expected
from dynamics.theory.prediction import Facts


@dataclass(frozen=True)
class Shown:
    """One network of a chart: its records, and what is drawn beside them.

    Attributes:
        trajectory: the records.
        expected: what theory expects; None if it is unknown, or if theory is hidden.
        unit: t₁ in steps, the unit of normalised time; None on every other axis.
        cells: the heat map at one moment; None for charts without one.
        picture: the network's picture at one moment; None for charts without one.
        at: the step of the moment that a chart of one moment shows; infinity for the last.
        plain: whether the network moves by −η times its whole gradient, see ``plain_descent``.
    """

    trajectory: Trajectory
    expected: Expected | None = None
    unit: float | None = None
    cells: Cells | None = None
    picture: Picture | None = None
    at: float = math.inf
    plain: bool = False

    @property
    def network(self) -> str:
        """The network's name."""
        return self.trajectory.network

    @cached_property
    def residuals(self) -> Array | None:
        """|σ_i − expected σ_i| / s_i, T × modes; None where no exact course is known."""
        series = self.trajectory.series
        if self.expected is None or not self.expected.followed or "singular_values" not in series:
            return None
        return self.expected.residuals(self.trajectory.steps, series[followed(series)])

    def values(self, name: str) -> Array:
        """A series of the records, or ``residuals``."""
        if name == "residuals":
            assert self.residuals is not None, "only an exact course has residuals"
            return self.residuals
        return self.trajectory.series[name]

    @property
    def moment(self) -> int | None:
        """The last record up to step ``at``, else the first; None before the first record."""
        reached = int((self.trajectory.steps <= self.at).sum())
        return max(reached - 1, 0) if len(self.trajectory.steps) else None

    def along(self, versus: str, steps: Array) -> Array:
        """The places of steps on a time axis."""
        return time_axis.along(self.trajectory, versus, steps, self.unit)

    def axis(self, versus: str) -> dict[str, Any]:
        """For a trace's ``meta``: the column of its time axis, its unit and its least value."""
        return time_axis.axis(self.network, versus, self.unit)


def show(
    config: Config,
    trajectories: Sequence[Trajectory],
    versus: str = "steps",
    *,
    theory: bool = True,
) -> list[Shown]:
    """The trajectories of one run, ready for a chart.

    In normalised time, networks for which theory expects no escape are left out: they have no unit.

    Args:
        config: the run's settings.
        trajectories: the trajectories of the run's networks, or of some of them.
        versus: the time axis.
        theory: whether the charts draw what theory expects.
    """
    normalised = versus == "normalised"
    if not trajectories or not (theory or normalised):
        return [Shown(each, plain=_plain(config, each.network)) for each in trajectories]
    courses = expected(config, Facts.of(trajectories[0].facts))
    listed = []
    for trajectory in trajectories:
        course = courses.get(trajectory.network)
        unit = course.first if course and normalised else None
        if unit or not normalised:
            plain = _plain(config, trajectory.network)
            listed.append(Shown(trajectory, course if theory else None, unit, plain=plain))
    return listed


def _plain(config: Config, network: str) -> bool:
    """``plain_descent`` of a network that the config trains; a recorded one moves as it likes."""
    return network in config.networks and not config.watched and plain_descent(config, network)
