"""Panels: the only way from a chart's name to the chart, for one run or several runs."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go

from dynamics.core import registry, traits
from dynamics.core.cells import Cells
from dynamics.core.config import Config
from dynamics.core.description import labels
from dynamics.core.pictures import Picture
from dynamics.core.records import Trajectory
from dynamics.draw import between, chart
from dynamics.draw.look import PARENT, UNLIT
from dynamics.draw.shown import Shown, show
from dynamics.draw.time_axis import VERSUS
from dynamics.runs import maps, pictures
from dynamics.runs.run import Run, RunError

MAPS = "heat_maps"
NUMBERS = "numbers"  # numbers/NAME: what a program that was recorded gave by this name
MOMENTS = 36  # frames of a film of a chart of one moment
USUAL = ("recovery_error", "losses", "singular_values", "principal_angles")


class NothingToDrawError(RunError):
    """The run has no numbers for a chart; the message is one sentence."""


@dataclass(frozen=True)
class Panel:
    """A chart of one run, with all its networks or one: ``chart`` or ``chart/network``."""

    chart: str
    network: str = ""

    @classmethod
    def named(cls, name: str) -> "Panel":
        """The panel with this name.

        Raises:
            RunError: if the chart does not exist.
        """
        stem, _, network = name.partition("/")
        existing = registry.options("charts")
        if stem not in existing and not (stem == NUMBERS and network):
            raise RunError(f"{stem[:40]!r} is not one of the charts {', '.join(existing)}.")
        return cls(stem, network)

    @property
    def kind(self) -> str:
        """``lines`` for most charts; see ``ChartTraits``."""
        return "lines" if self.chart == NUMBERS else traits.chart(self.chart).kind

    def select(self, trajectories: Sequence[Trajectory]) -> list[Trajectory]:
        """The trajectories that the panel draws.

        Raises:
            NothingToDrawError: if none of them has the series that the chart needs.
            RunError: if the run has no such network.
        """
        names = [trajectory.network for trajectory in trajectories]
        if self.network and self.network not in names:
            raise NothingToDrawError(
                f"This run has no network {self.network[:40]!r}; it has {', '.join(names)}."
            )
        needs = traits.chart(self.chart).needs
        # A heat map and a picture show all networks.
        network = self.network if self.kind not in ("map", "picture") else ""
        selected = [
            trajectory
            for trajectory in trajectories
            if network in ("", trajectory.network) and set(needs) <= set(trajectory.series)
        ]
        if not selected:
            raise NothingToDrawError(traits.chart(self.chart).missing)
        return selected

    def draw(
        self,
        config: Config,
        trajectories: Sequence[Trajectory],
        versus: str = "steps",
        *,
        theory: bool = True,
        cells: Sequence[Cells] = (),
        pictures: Sequence[Picture] = (),
        at: float = math.inf,
    ) -> go.Figure:
        """The chart of a run; from trajectories without records, its description.

        Args:
            config: the run's settings.
            trajectories: the trajectories of all its networks.
            versus: the time axis.
            theory: whether the chart shows what theory expects.
            cells: a heat map for each network; empty if the run has none.
            pictures: the picture of each network; empty if the run has none.
            at: the step of a chart of one moment; infinity for the last.

        Raises:
            NothingToDrawError: if the run has no numbers for the chart.
            RunError: if the axis does not exist.
        """
        check_axis(versus)
        if self.chart == NUMBERS:
            return self._number(trajectories, versus)
        selected = self.select(trajectories)
        if self.kind == "map":
            if not cells:
                raise NothingToDrawError(traits.chart(self.chart).missing)
            pairs = zip(selected, cells, strict=True)
            shown = [Shown(trajectory, cells=heat_map) for trajectory, heat_map in pairs]
            return chart.marked(self.chart, shown)
        if self.kind == "picture":
            if not pictures:
                raise NothingToDrawError(traits.chart(self.chart).missing)
            both = zip(selected, pictures, strict=True)
            return chart.marked(self.chart, [Shown(one, picture=own) for one, own in both])
        if traits.chart(self.chart).of_moment:
            return chart.marked(self.chart, [Shown(each, at=at) for each in selected])
        theory = theory and traits.chart(self.chart).expected
        shown = show(config, selected, versus, theory=theory)
        if not shown:
            raise NothingToDrawError(NO_UNIT)
        figure = chart.marked(self.chart, shown, versus)
        between.follow(figure)
        return figure

    def _number(self, trajectories: Sequence[Trajectory], versus: str) -> go.Figure:
        """The chart of the number that is called like the panel's network."""
        shown = [Shown(each) for each in trajectories if self.network in each.series]
        if not shown:
            raise NothingToDrawError(f"No number {self.network[:40]!r} was given to this run.")
        return chart.given(shown, self.network, versus)


NO_UNIT = "Normalised time needs a predicted escape; this run has none."


def check_axis(versus: str) -> None:
    """Raise RunError if the time axis does not exist."""
    if versus not in VERSUS:
        raise RunError(f"There is no axis {versus[:40]!r}; take one of {', '.join(VERSUS)}.")


def compared(
    runs: Sequence[tuple[str, Config, Sequence[Trajectory]]], series: str, versus: str = "steps"
) -> go.Figure:
    """One series of several runs in one chart; runs that lack it are left out.

    Args:
        runs: label, settings and trajectories of each run.
        series: the series' name, such as ``recovery_error``.
        versus: the time axis.

    Raises:
        NothingToDrawError: if none of the runs has the series or, for normalised time, an expected
            escape.
        RunError: if the axis does not exist.
    """
    check_axis(versus)
    recorded = [
        (label, config, [trajectory for trajectory in trajectories if series in trajectory.series])
        for label, config, trajectories in runs
    ]
    if not any(trajectories for *_, trajectories in recorded):
        raise NothingToDrawError(f"None of these runs has a {series.replace('_', ' ')[:40]}.")
    shown = [
        (label, show(config, trajectories, versus, theory=False))
        for label, config, trajectories in recorded
    ]
    if not any(listed for _, listed in shown):
        raise NothingToDrawError("Normalised time needs a predicted escape; these runs have none.")
    return chart.compared(shown, series, versus)


def of_runs(
    runs: Sequence[Run],
    name: str,
    versus: str = "steps",
    *,
    theory: bool = True,
    at: float = math.inf,
) -> go.Figure:
    """A panel of one run, or one series of several runs.

    Args:
        runs: the runs, which have records.
        name: ``chart`` or ``chart/network``; for several runs, a series.
        versus: the time axis.
        theory: whether the chart of a single run shows what theory expects.
        at: the step of a chart of one moment; infinity for the last.

    Raises:
        RunError: if a run has no records, if the chart or axis does not exist, or if the runs have
            no numbers for it.
    """
    for run in runs:
        run.need_records()
    measured = any(name in shapes for run in runs for shapes in run.layout.shapes.values())
    if len(runs) > 1 or (measured and name not in registry.options("charts")):
        configs = [run.config for run in runs]
        named = zip(labels(configs), configs, runs, strict=True)
        parts = [(label, config, run.trajectories) for label, config, run in named]
        return compared(parts, name, versus)
    (run,) = runs
    panel = Panel.named(name)
    cells = maps.cells_at(run, at) if panel.kind == "map" else []
    drawn = pictures.at_step(run, at) if panel.kind == "picture" else []
    return panel.draw(
        run.config, run.trajectories, versus, theory=theory, cells=cells, pictures=drawn, at=at
    )


def beside(figure: go.Figure, run: Run, name: str, versus: str, parent: Run, step: int) -> Any:
    """A panel of a run with the lines of its parent, faint and below its own, as on the page.

    They begin at the step up to which both runs are the same, and have the look of the run's own.
    """
    own = [each.since(step) for each in parent.trajectories]
    own = [each for each in own if len(each.steps)]
    panel = Panel.named(name)
    if panel.kind != "lines":
        return figure
    try:
        drawn = panel.draw(run.config, own, versus, theory=False)
    except NothingToDrawError:  # the parent lacks what the chart needs
        return figure
    lines = [each for each in drawn.data if "y" in (each.meta or ()) and each.yaxis in (None, "y")]
    for line in lines:
        line.update(opacity=PARENT, showlegend=False, line={"width": 1.5})
    return go.Figure([*lines, *figure.data], figure.layout)


def light(figure: go.Figure, mode: int) -> None:
    """Leave one mode as it is and make all others faint, their theory and angles with them."""
    modes = {number: (each.meta or {}).get("mode") for number, each in enumerate(figure.data)}
    for number, own in modes.items():
        trace = figure.data[number]
        if own in (None, mode):
            continue
        trace.opacity = UNLIT * (1 if trace.opacity is None else trace.opacity)
        if trace.showlegend is not False:  # the legend shows a line that is lit
            others = [each for place, each in enumerate(figure.data) if modes[place] == mode]
            same = [each for each in others if each.name == trace.name and each.opacity is None]
            if same:
                trace.showlegend, same[0].showlegend = False, True


def moments(run: Run, name: str) -> list[dict[str, Any]]:
    """A chart of one moment at moments evenly over the run's steps, for a film.

    Raises:
        RunError: as ``of_runs``.
    """
    run.need_records()
    last = max(float(trajectory.steps[-1]) for trajectory in run.trajectories)
    steps = np.linspace(0, last, MOMENTS)
    return [of_runs([run], name, at=float(step)).to_plotly_json() for step in steps]
