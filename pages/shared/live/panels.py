"""Panels: the charts of a run for the live page, and the record columns that they draw.

A chart without records is its own description: axes, colours, lines whose ``meta`` names their
columns, and what theory expects. It depends on settings and layout alone, so thirty viewers of one
run cost one drawing.
"""

import contextlib
import functools
import json
import threading
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from dynamics.core.config import Config
from dynamics.core.records import COUNTERS, Array, Layout, Trajectory, followed
from dynamics.draw.panel import NothingToDrawError, Panel, check_axis
from dynamics.draw.time_axis import VERSUS
from dynamics.runs import maps, pictures
from dynamics.runs.run import Run, RunError
from dynamics.theory.course import expected
from dynamics.theory.prediction import Facts

MOST_PANELS = 24
_ONE_AT_A_TIME = threading.Lock()


@dataclass(frozen=True)
class Description:
    """A chart without records.

    Attributes:
        panel: its name, ``chart`` or ``chart/network``.
        figure: a Plotly dictionary; None if the run has no numbers for it.
        columns: the columns of a record that its lines draw.
        lack: a sentence in place of the figure; empty for a network without one where others of
            the run have it: its panel is hidden.
    """

    panel: str
    figure: dict[str, Any] | None
    columns: tuple[str, ...] = ()
    lack: str = ""


def descriptions(
    run: Run, names: str, versus: str = "steps", theory: bool = True
) -> tuple[Description, ...]:
    """The panels of a run, without records; empty before the run's first record.

    Args:
        run: the run.
        names: the panels' names, separated by commas.
        versus: the time axis.
        theory: whether the charts show what theory expects.

    Raises:
        RunError: if there is no such chart or axis, or the layout is damaged.
    """
    layout_text = json.dumps(run.layout.to_dict())
    config_text = json.dumps(run.config.to_dict())
    with _ONE_AT_A_TIME, _fitting(run):
        listed = tuple(filter(None, names.split(",")))
        still = pictures.content(run)
        return _described(layout_text, config_text, maps.goal(run), still, listed, versus, theory)


@contextlib.contextmanager
def _fitting(run: Run) -> Iterator[None]:
    """The block reads files of a run together, each of which is in order for itself.

    Raises:
        RunError: if they are not of one run.
    """
    try:
        yield
    except (ArithmeticError, AssertionError, LookupError, TypeError, ValueError):
        traceback.print_exc()  # into the server's log, should it be the program's own fault
        raise RunError(
            f"Run {run.key} is damaged: config.json, layout.json and goal.f2 do not fit each other."
        ) from None


class Sent:
    """The columns that the stream sends of each record to a viewer of some panels.

    Recorded columns come first, then distances from theory, which are not recorded.
    """

    def __init__(self, run: Run, chosen: tuple[Description, ...]) -> None:
        self._run = run
        with _fitting(run):
            self._read(run, chosen)

    def _read(self, run: Run, chosen: tuple[Description, ...]) -> None:
        layout = run.layout
        names = layout.names
        shown = columns(layout, chosen)
        derived = [name for name in shown if name not in names]
        self._places = [names.index(name) for name in shown if name in names]
        self._carried = _carried(run)[self._places]
        self.names = [names[place] for place in self._places] + derived
        self._derived = [(name.split(".")[0], int(name.split(".")[-1]) - 1) for name in derived]
        self._values = {
            network: layout.slices[network, followed(layout.shapes[network])]
            for network, _ in self._derived
        }
        self._expected = expected(run.config, Facts.of(layout.facts)) if derived else {}

    def of(self, rows: Array) -> Array:
        """The columns of these rows of the record table.

        Raises:
            RunError: if theory does not fit them.
        """
        with _fitting(self._run):
            return self._of(rows)

    def _of(self, rows: Array) -> Array:
        recorded = rows[:, self._places] + self._carried
        if not self._derived:
            return recorded
        distances = {
            network: self._expected[network].residuals(rows[:, 0], rows[:, self._values[network]])
            for network in {network for network, _ in self._derived}
        }
        return np.column_stack(
            [recorded, *(distances[network][:, i] for network, i in self._derived)]
        )


def _carried(run: Run) -> Array:
    """What to add to each column of the record table: see ``Layout.carried``, else zeros."""
    layout = run.layout
    added = np.zeros(layout.width)
    only_first = not run.config.late and run.count(layout.width)
    rows = run.picked([0], layout.width) if only_first else run.rows()
    for network, start in run.starts.items():
        if network in layout.shapes:
            for counter, before in layout.carried(network, rows, start).items():
                added[layout.slices[network, counter]] = before
    return added


def columns(layout: Layout, chosen: tuple[Description, ...]) -> list[str]:
    """The step, the clocks of all networks and the columns of the lines."""
    clocks = [
        f"{network}.{counter}"
        for network in layout.shapes
        for counter in COUNTERS
        if counter in VERSUS
    ]
    lines = [column for description in chosen for column in description.columns]
    return list(dict.fromkeys(["step", *clocks, *lines]))


@functools.lru_cache(maxsize=64)
def _described(
    layout_text: str,
    config_text: str,
    goal: bytes,
    still: bytes,
    names: tuple[str, ...],
    versus: str,
    theory: bool,
) -> tuple[Description, ...]:
    check_axis(versus)
    if len(names) > MOST_PANELS:
        raise RunError(f"{len(names)} panels are too many; at most {MOST_PANELS} are shown.")
    panels = [Panel.named(name) for name in names]
    layout = Layout.from_dict(json.loads(layout_text))
    if not layout.shapes:
        return ()
    config = Config.from_dict(json.loads(config_text))
    empty = layout.trajectories(np.empty((0, layout.width)))
    cells = maps.cells(config, len(layout.shapes), goal) if goal else []
    unmoved = pictures.unmoved(config, len(layout.shapes), still)

    def described(name: str, panel: Panel) -> Description:
        try:
            figure = panel.draw(config, empty, versus, theory=theory, cells=cells, pictures=unmoved)
        except NothingToDrawError as error:
            return Description(name, None, lack="" if _elsewhere(panel, empty) else str(error))
        plain = json.loads(figure.to_json())
        # The template is seven kilobytes of defaults, all of which the page's own theme replaces.
        plain["layout"].pop("template", None)
        metas = [trace.get("meta", {}) for trace in plain["data"]]
        drawn = [meta[name] for name in ("y", "vector") for meta in metas if name in meta]
        columns = [column for part in drawn for column in np.ravel(part)]
        return Description(name, plain, tuple(dict.fromkeys(map(str, columns))))

    return tuple(map(described, names, panels))


def _elsewhere(panel: Panel, trajectories: list[Trajectory]) -> bool:
    """Whether the chart of a network exists, but for other networks of the run alone."""
    if panel.network not in {trajectory.network for trajectory in trajectories}:
        return False
    try:
        return bool(Panel(panel.chart).select(trajectories))
    except NothingToDrawError:
        return False
