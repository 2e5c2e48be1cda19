"""Panels: the charts of a run for the live page, and the record columns that they draw.

A chart without records is its own description: axes, colours, lines whose ``meta`` names their
columns, and what theory expects. It depends on settings and layout alone, so thirty viewers of one
run cost one drawing.

A chart is kept by itself, whatever it is asked for with, and is found without waiting. Who asks for
one that is new waits for its turn, chart by chart, so that nobody's many charts keep others from
theirs.
"""

import contextlib
import functools
import hashlib
import json
import threading
import traceback
from collections import OrderedDict, deque
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
MOST_KEPT = 400  # charts, each a few dozen kilobytes


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
    layout, config = run.layout, run.config
    with _fitting(run):
        check_axis(versus)
        listed = tuple(filter(None, names.split(",")))
        if len(listed) > MOST_PANELS:
            raise RunError(f"{len(listed)} panels are too many; at most {MOST_PANELS} are shown.")
        panels = [(name, Panel.named(name)) for name in listed]
        if not layout.shapes:
            return ()
        about = _About(config, layout, maps.goal(run), pictures.content(run), versus, theory)
        return tuple(_kept(about, name, panel) for name, panel in panels)


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
    waiting = {name: start for name, start in run.starts.items() if name in layout.shapes}
    for rows in run.parts():
        for network, start in list(waiting.items()):
            if np.isfinite(rows[:, layout.slices[network, "seconds"].start]).any():
                del waiting[network]
                for counter, before in layout.carried(network, rows, start).items():
                    added[layout.slices[network, counter]] = before
        if not waiting:
            break
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


@dataclass(frozen=True)
class _About:
    """What a chart without records depends on, beside its name."""

    config: Config
    layout: Layout
    goal: bytes
    still: bytes
    versus: str
    theory: bool

    @functools.cached_property
    def digest(self) -> str:
        """Short, and another one for all that makes another chart."""
        known = [self.config.to_dict(), self.layout.to_dict(), self.versus, self.theory]
        parts = (json.dumps(known).encode(), self.goal, self.still)
        lengths = json.dumps([len(part) for part in parts]).encode()
        return hashlib.sha256(b"".join((lengths, *parts))).hexdigest()


class _Turns:
    """One at a time, in the order in which they came; a mere lock may starve whoever waits."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._line: deque[object] = deque()

    @contextlib.contextmanager
    def turn(self) -> Iterator[None]:
        """The block runs when all before it have."""
        me = object()
        with self._changed:
            self._line.append(me)
            self._changed.wait_for(lambda: self._line[0] is me)
        try:
            yield
        finally:
            with self._changed:
                self._line.popleft()
                self._changed.notify_all()


class _Charts:
    """The charts that were asked for last."""

    def __init__(self) -> None:
        self._held: OrderedDict[tuple[str, str], Description] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: tuple[str, str]) -> Description | None:
        with self._lock:
            if key in self._held:
                self._held.move_to_end(key)
            return self._held.get(key)

    def put(self, key: tuple[str, str], chart: Description) -> None:
        with self._lock:
            self._held[key] = chart
            while len(self._held) > MOST_KEPT:
                self._held.popitem(last=False)


_turns, _charts = _Turns(), _Charts()


def _kept(about: _About, name: str, panel: Panel) -> Description:
    """A chart that was drawn before, else a new one."""
    key = (about.digest, name)
    if (known := _charts.get(key)) is not None:
        return known
    with _turns.turn():  # whoever waits for the same chart finds it
        known = _charts.get(key) or _described(about, name, panel)
        _charts.put(key, known)
    return known


def _described(about: _About, name: str, panel: Panel) -> Description:
    config, layout = about.config, about.layout
    networks = len(layout.shapes)
    empty = layout.trajectories(np.empty((0, layout.width)))
    cells = maps.cells(config, networks, about.goal) if about.goal else []
    unmoved = pictures.unmoved(config, networks, about.still)
    try:
        figure = panel.draw(
            config, empty, about.versus, theory=about.theory, cells=cells, pictures=unmoved
        )
    except NothingToDrawError as error:
        return Description(name, None, lack="" if _elsewhere(panel, empty) else str(error))
    plain = json.loads(figure.to_json())
    # The template is seven kilobytes of defaults, all of which the page's own theme replaces.
    plain["layout"].pop("template", None)
    metas = [trace.get("meta", {}) for trace in plain["data"]]
    drawn = [meta[name] for name in ("y", "vector") for meta in metas if name in meta]
    columns = [column for part in drawn for column in np.ravel(part)]
    return Description(name, plain, tuple(dict.fromkeys(map(str, columns))))


def _elsewhere(panel: Panel, trajectories: list[Trajectory]) -> bool:
    """Whether the chart of a network exists, but for other networks of the run alone."""
    if panel.network not in {trajectory.network for trajectory in trajectories}:
        return False
    try:
        return bool(Panel(panel.chart).select(trajectories))
    except NothingToDrawError:
        return False
