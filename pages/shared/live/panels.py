"""Panels: the figures of a run's live charts by name, and the record columns that they draw.

A panel is ``figure`` or ``figure/network``. A figure without records is its own description: axes,
colours, lines whose ``meta`` names their columns, and what theory expects. It depends on settings
and layout alone, so thirty viewers of one run cost one drawing.
"""

import dataclasses
import functools
import json
import threading
from dataclasses import dataclass
from typing import Any

import numpy as np

from dynamics.core import registry
from dynamics.core.config import Config
from dynamics.core.records import COUNTERS, Array, Layout, Trajectory, followed
from dynamics.draw.chart import marked
from dynamics.draw.time_axis import VERSUS
from dynamics.runs import maps
from dynamics.runs.run import Run, RunError
from dynamics.theory.course import beside, expected

MOST_PANELS = 24
_ONE_AT_A_TIME = threading.Lock()


@dataclass(frozen=True)
class Panel:
    """One chart: its name, its figure as Plotly JSON, and the columns of the lines' values.

    ``lack`` is a sentence in place of the figure: what the run has no numbers for.
    """

    name: str
    figure: dict[str, Any] | None
    columns: tuple[str, ...] = ()
    lack: str = ""


def panels(run: Run, names: str, versus: str = "steps", theory: bool = True) -> tuple[Panel, ...]:
    """The panels with these comma-separated names; none before the run's first record.

    ``theory`` says whether what it expects is drawn beside the data.

    Raises:
        RunError: if there is no such figure or axis, or the layout is damaged.
    """
    layout, config = json.dumps(run.layout.to_dict()), json.dumps(run.config.to_dict())
    with _ONE_AT_A_TIME:
        wanted, goal = tuple(filter(None, names.split(","))), maps.goal(run)
        return _drawn(layout, config, goal, wanted, versus, theory)


class Sent:
    """What a viewer of some panels is sent of each record, by the names of its columns.

    These are the record's own, and how far it is from theory, which is recorded nowhere.
    """

    def __init__(self, run: Run, chosen: tuple[Panel, ...]) -> None:
        layout = run.layout
        names, wanted = layout.names, columns(layout, chosen)
        derived = [name for name in wanted if name not in names]
        self._places = [names.index(name) for name in wanted if name in names]
        self.names = [names[place] for place in self._places] + derived
        self._derived = [(name.split(".")[0], int(name.split(".")[-1]) - 1) for name in derived]
        self._values = {
            network: layout.slices[network, followed(layout.shapes[network])]
            for network, _ in self._derived
        }
        self._expected = expected(run.config, layout.facts) if derived else {}

    def of(self, rows: Array) -> Array:
        """The columns of these records."""
        if not self._derived:
            return rows[:, self._places]
        off = {
            network: self._expected[network].residuals(rows[:, 0], rows[:, self._values[network]])
            for network in {network for network, _ in self._derived}
        }
        return np.column_stack(
            [rows[:, self._places], *(off[network][:, i] for network, i in self._derived)]
        )


def columns(layout: Layout, chosen: tuple[Panel, ...]) -> list[str]:
    """The step, all clocks and the lines' columns."""
    clocks = [
        f"{network}.{counter}"
        for network in layout.shapes
        for counter in COUNTERS
        if counter in VERSUS
    ]
    lines = [column for panel in chosen for column in panel.columns]
    return list(dict.fromkeys(["step", *clocks, *lines]))


@functools.lru_cache(maxsize=64)
def _drawn(
    layout: str, config: str, goal: bytes, names: tuple[str, ...], versus: str, theory: bool
) -> tuple[Panel, ...]:
    if versus not in VERSUS:
        raise RunError(f"There is no axis {versus[:40]!r}; take one of {', '.join(VERSUS)}.")
    if len(names) > MOST_PANELS:
        raise RunError(f"{len(names)} panels are too many; at most {MOST_PANELS} are shown.")
    described = Layout.from_dict(json.loads(layout))
    settings = Config.from_dict(json.loads(config))
    drawn = tuple(_panel(described, settings, goal, name, versus, theory) for name in names)
    return drawn if described.shapes else ()


def _panel(
    layout: Layout, config: Config, goal: bytes, name: str, versus: str, theory: bool
) -> Panel:
    stem, _, network = name.partition("/")
    try:
        registry.load("charts", stem)
    except ValueError as error:
        raise RunError(str(error)) from None
    kind = registry.constant("charts", stem, "KIND", "lines")
    network = "" if kind == "map" else network  # it has all networks or none
    needs = set(registry.constant("charts", stem, "NEEDS", ()))
    chosen = [
        trajectory
        for trajectory in layout.trajectories(np.empty((0, layout.width)))
        if needs <= set(trajectory.series) and network in ("", trajectory.network)
    ]
    expected = theory and registry.constant("charts", stem, "EXPECTED", False)
    normalised = versus == "normalised" and kind != "map"
    if expected or normalised:
        chosen = beside(config, chosen)
    if normalised:
        chosen = [each for each in chosen if each.expected and each.expected.first]
    if not theory:
        chosen = [dataclasses.replace(each, series=_recorded(each)) for each in chosen]
    if kind == "map":
        chosen = maps.pictured(config, chosen, goal) if goal else []
    if not chosen:
        return Panel(name, None, lack=_lack(stem, normalised))
    figure = json.loads(marked(stem, chosen, versus).to_json())
    # Seven kilobytes of defaults, all of which the page's own theme replaces.
    figure["layout"].pop("template", None)
    lines = [trace for trace in figure["data"] if "y" in trace.get("meta", {})]
    figure["data"] = figure["data"] if theory or kind == "map" else lines
    columns = [column for trace in lines for column in np.ravel(trace["meta"]["y"]).tolist()]
    return Panel(name, figure, tuple(dict.fromkeys(columns)))


def _recorded(trajectory: Trajectory) -> dict[str, Array]:
    return {name: trajectory.series[name] for name in trajectory.series if name != "residuals"}


def _lack(stem: str, normalised: bool) -> str:
    """Why there is no such chart of the run."""
    if normalised:
        return "Theory expects no escape in this run, so there is no time to count in."
    named = " and ".join(registry.constant("charts", stem, "NEEDS", ())).replace("_", " ")
    return str(registry.constant("charts", stem, "LACKS", f"This run does not record {named}."))
