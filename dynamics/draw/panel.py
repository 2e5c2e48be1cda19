"""Panel: from a panel's name and a run to the chart."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from dynamics.core import registry
from dynamics.core.description import labels
from dynamics.draw.chart import compared, marked
from dynamics.draw.time_axis import VERSUS
from dynamics.runs import maps
from dynamics.runs.run import Run, RunError
from dynamics.theory.course import beside

MAPS = "heat_maps"
MOMENTS = 36  # of a film of heat maps
FIGURES = ("recovery_error", "losses", "singular_values", "principal_angles")


def chart(
    runs: Sequence[Run],
    panel: str,
    versus: str = "steps",
    *,
    theory: bool = True,
    at: float = math.inf,
) -> Any:
    """A panel of one run, ``figure`` or ``figure/network``, or one series of several runs.

    ``theory`` says whether what it expects of a single run is drawn, too; ``at`` is the step of
    what shows one moment, the last one otherwise.

    Raises:
        RunError: if there are no records, no such figure, or nothing in the runs that it draws.
    """
    if versus not in VERSUS:
        raise RunError(f"There is no axis {versus[:40]!r}; take one of {', '.join(VERSUS)}.")
    for run in runs:
        run.need_records()
    measured = any(panel in shapes for run in runs for shapes in run.layout.shapes.values())
    if len(runs) > 1 or (measured and panel not in registry.options("charts")):
        return _series(runs, panel, versus)
    return _panel(runs[0], panel, versus, theory=theory or versus == "normalised", at=at)


def _series(runs: Sequence[Run], name: str, versus: str) -> Any:
    named = labels([run.config for run in runs])
    drawn = [
        (label, beside(run.config, run.trajectories))
        for label, run in zip(named, runs, strict=True)
    ]
    figure = compared(drawn, name, versus)
    if not figure.data:
        raise RunError(f"None of these runs has a {name.replace('_', ' ')[:40]}.")
    return figure


def _panel(run: Run, panel: str, versus: str, *, theory: bool, at: float) -> Any:
    stem, _, network = panel.partition("/")
    if stem not in registry.options("charts"):
        known = ", ".join(registry.options("charts"))
        raise RunError(f"There is no figure {stem[:40]!r}; take one of {known}.")
    told, names = run.trajectories, [""]
    names += [each.network for each in told]
    if network not in names:
        raise RunError(
            f"Run {run.key} has no network {network[:40]!r}; it has {', '.join(names[1:])}."
        )
    if theory:
        told = beside(run.config, told)
    if registry.constant("charts", stem, "KIND") == "map":  # all networks' maps are one chart
        told, network = maps.shown(run, told, at), ""
    needs = registry.constant("charts", stem, "NEEDS", ())
    trajectories = [
        each
        for each in told
        if network in ("", each.network) and all(need in each.series for need in needs)
    ]
    if not trajectories:
        raise RunError(f"Run {run.key} has nothing recorded for {panel[:40]}.")
    return marked(stem, trajectories, versus)


def moments(run: Run) -> list[dict[str, Any]]:
    """The run's heat maps from its first to its last moment, evenly over the steps, for a film.

    Raises:
        RunError: as ``chart``.
    """
    kept = maps.kept(run, len(run.layout.shapes))
    last = float(kept["step"][-1]) if kept is not None and len(kept) else math.inf
    steps = np.linspace(0, last, MOMENTS) if math.isfinite(last) else [last]
    return [chart([run], MAPS, at=float(step)).to_plotly_json() for step in steps]
