"""A chart for a file: its figure, as the viewer sees it, and the file's description of itself."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dynamics.core import registry, traits
from dynamics.draw import panel
from dynamics.export.caption import About, about
from dynamics.export.layout.thinning import thinned
from dynamics.findings.rounding import limits
from dynamics.runs.run import Run

AXES = {"xaxis": "x", "yaxis": "y", "yaxis2": "strip"}  # by the page's names of their ranges


@dataclass(frozen=True)
class Chart:
    """A chart for a file.

    Attributes:
        figure: a Plotly dictionary.
        about: title, caption, source and citation.
        run: the folder of the run, if the chart shows one moment of it: a film shows many.
        panel: the name of that chart, ``chart`` or ``chart/network``.
    """

    figure: Mapping[str, Any]
    about: About
    run: str = ""
    panel: str = ""

    @classmethod
    def of(cls, figure: Any, about: About, run: str = "", panel: str = "") -> "Chart":
        """The chart of a Plotly figure, its lines thinned."""
        return cls(thinned(figure.to_plotly_json()), about, run, panel)

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> "Chart":
        """The inverse of ``to_dict``."""
        return cls(stored["figure"], About(**stored["about"]), stored["run"], stored["panel"])

    def to_dict(self) -> dict[str, Any]:
        """A dictionary for JSON, except for NumPy arrays in the figure."""
        place = {"run": self.run, "panel": self.panel}
        return {"figure": self.figure, "about": self.about.to_dict(), **place}


@dataclass(frozen=True)
class Asked:
    """A chart of runs that another process draws: what ``of_runs`` is given, for JSON.

    Attributes:
        runs: the folders of the runs.
        name, versus, view, theory: as of ``of_runs``.
    """

    runs: Sequence[str]
    name: str
    versus: str = "steps"
    view: Mapping[str, Any] = field(default_factory=dict)
    theory: bool = True

    def chart(self) -> Chart:
        """The chart.

        Raises:
            RunError: as ``of_runs``.
        """
        runs = [Run(Path(folder)) for folder in self.runs]
        return of_runs(runs, self.name, self.versus, self.view, theory=self.theory)


def outline(runs: Sequence[Run], name: str, types: Sequence[str]) -> Chart:
    """A chart that is not drawn yet: its words, and traces of these types without numbers."""
    moment = _moment(runs, name)
    return Chart({"data": [{"type": each} for each in types]}, _words(runs, name), *moment)


def _words(runs: Sequence[Run], name: str) -> About:
    return about([run.config for run in runs], name, _limits(runs))


def _moment(runs: Sequence[Run], name: str) -> tuple[str, str]:
    """Folder and name of a chart that shows one moment of its run; empty for any other."""
    stem = name.partition("/")[0]
    moves = stem in registry.options("charts") and traits.chart(stem).of_moment
    return (str(runs[0].folder.resolve()), name) if moves else ("", "")


def of_runs(
    runs: Sequence[Run],
    name: str = "",
    versus: str = "steps",
    view: Mapping[str, Any] | None = None,
    *,
    theory: bool = True,
) -> Chart:
    """One run's panel, or one series of several runs, as currently shown on screen.

    Args:
        runs: the runs, which have records.
        name: ``chart`` or ``chart/network``, or a series; empty for the errors, or else losses.
        versus: the time axis.
        view: as the live page describes it: ``held``, the ranges of the axes, ``strip`` that of the
            strip below, or the camera; ``log``, whether the value axis is logarithmic; ``hidden``,
            the names that are left out; ``at``, the step of a chart of one moment; ``mode``, the
            mode that is lit; ``beside``, key and last shared step of the run's parent.
        theory: whether the chart shows what theory expects.

    Raises:
        RunError: if a run has no records, or the panel or axis does not exist.
    """
    name = name or _usual(runs)
    view = view or {}
    at = math.inf if view.get("at") is None else float(view["at"])
    figure = panel.of_runs(runs, name, versus, theory=theory, at=at)
    if parent := view.get("beside"):
        key, step = parent
        origin = Run(runs[0].folder.with_name(key))
        figure = panel.beside(figure, runs[0], name, versus, origin, int(step))
    if mode := view.get("mode"):
        panel.light(figure, int(mode))
    held = view.get("held") or {}
    for axis, part in AXES.items():
        if ends := held.get(part):
            figure.layout[axis].update(range=[float(end) for end in ends], autorange=False)
    if camera := held.get("camera"):
        figure.update_scenes(camera=camera)
    if view.get("log") is not None:
        figure.layout.yaxis.type = "log" if view["log"] else "linear"  # and not a strip's
    hidden = set(view.get("hidden") or ())
    for part in ("data", "layout.shapes"):
        shown = [each for each in figure[part] if (each.legendgroup or each.name) not in hidden]
        figure[part] = shown
    return Chart.of(figure, _words(runs, name), *_moment(runs, name))


def _limits(runs: Sequence[Run]) -> list[str]:
    """Where rounding decides the numbers of a single run."""
    return limits(runs[0].rounding) if len(runs) == 1 else []


def _usual(runs: Sequence[Run]) -> str:
    """The recovery error where all networks have it, else the losses."""
    measured = [shapes for run in runs for shapes in run.layout.shapes.values()]
    if all("recovery_error" in shapes for shapes in measured):
        return "recovery_error"
    return "losses" if len(runs) == 1 else "test_loss"
