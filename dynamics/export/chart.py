"""A chart for a file: its figure, as the viewer sees it, and the file's description of itself."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dynamics.draw import panel
from dynamics.export.caption import About, about
from dynamics.export.layout.thinning import thinned
from dynamics.findings.rounding import limits
from dynamics.runs.run import Run


@dataclass(frozen=True)
class Chart:
    """A chart for a file.

    Attributes:
        figure: a Plotly dictionary.
        about: title, caption, source and citation.
        run: the folder of the run whose heat maps make a film; empty for all other charts.
    """

    figure: Mapping[str, Any]
    about: About
    run: str = ""

    @classmethod
    def of(cls, figure: Any, about: About, run: str = "") -> "Chart":
        """The chart of a Plotly figure, its lines thinned."""
        return cls(thinned(figure.to_plotly_json()), about, run)

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> "Chart":
        """The inverse of ``to_dict``."""
        return cls(stored["figure"], About(**stored["about"]), stored["run"])

    def to_dict(self) -> dict[str, Any]:
        """A dictionary for JSON, except for NumPy arrays in the figure."""
        return {"figure": self.figure, "about": self.about.to_dict(), "run": self.run}


def of_runs(
    runs: Sequence[Run],
    name: str = "",
    versus: str = "steps",
    view: Mapping[str, Any] | None = None,
    *,
    theory: bool = True,
    link: str = "",
) -> Chart:
    """One run's panel, or one series of several runs, as currently shown on screen.

    Args:
        runs: the runs, which have records.
        name: ``chart`` or ``chart/network``, or a series; empty for the errors, or else losses.
        versus: the time axis.
        view: as the live page describes it: ``held``, the ranges of the axes or the camera;
            ``log``, whether the value axis is logarithmic; ``hidden``, the names that are left out;
            ``at``, the step of a heat map.
        theory: whether the chart shows what theory expects.
        link: address of the page that shows the chart; a command line if empty.

    Raises:
        RunError: if a run has no records, or the panel or axis does not exist.
    """
    name = name or _usual(runs)
    view = view or {}
    at = math.inf if view.get("at") is None else float(view["at"])
    figure = panel.of_runs(runs, name, versus, theory=theory, at=at)
    held = view.get("held") or {}
    for letter, update in (("x", figure.update_xaxes), ("y", figure.update_yaxes)):
        if ends := held.get(letter):
            update(range=[float(end) for end in ends], autorange=False)
    if camera := held.get("camera"):
        figure.update_scenes(camera=camera)
    if view.get("log") is not None:
        figure.update_yaxes(type="log" if view["log"] else "linear")
    hidden = set(view.get("hidden") or ())
    figure.data = [
        trace for trace in figure.data if (trace.legendgroup or trace.name) not in hidden
    ]
    filmed = str(runs[0].folder.resolve()) if name.partition("/")[0] == panel.MAPS else ""
    words = about([run.config for run in runs], name, link, _limits(runs))
    return Chart.of(figure, words, filmed)


def _limits(runs: Sequence[Run]) -> list[str]:
    """Where rounding decides the numbers of a single run."""
    return limits(runs[0].rounding) if len(runs) == 1 else []


def _usual(runs: Sequence[Run]) -> str:
    """The recovery error where all networks have it, else the losses."""
    measured = [shapes for run in runs for shapes in run.layout.shapes.values()]
    if all("recovery_error" in shapes for shapes in measured):
        return "recovery_error"
    return "losses" if len(runs) == 1 else "test_loss"
