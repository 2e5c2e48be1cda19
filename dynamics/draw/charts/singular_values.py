"""Singular values of the end-to-end matrix W_L⋯W_1 beside the target's and theory's."""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from dynamics.core.records import Array, followed
from dynamics.draw.chart import blank, fading, line, titled
from dynamics.draw.look import GREY, INK, LAST, RING, color
from dynamics.draw.shown import Shown
from dynamics.findings.classes import at_ends, named, names_of
from dynamics.findings.crossings import crossings, least
from dynamics.theory.course import Expected
from dynamics.theory.prediction import FIRST_ORDER, HEURISTIC, SMALL_W

NEEDS = ("singular_values",)
EXPECTED = True  # the chart draws what theory expects, where it is known
MOST_MODES = 50  # modes for which the chart draws targets and theory
# In print a mode is named if its value is this share of the largest at least; there are at most
# as many names as legends can hold.
GROWN, MOST_NAMES = 0.05, 9
MOST_POINTS = 500  # points of one line of theory
THEORY = {"color": INK, "width": 1.2, "dash": "dash"}
TRIANGLE = {"symbol": "triangle-up", "size": 9, "line": {"width": 1, "color": INK}}
# Names of a plateau's forecast, by how sure it is.
FORECASTS = {
    SMALL_W: "forecast while W is small",
    FIRST_ORDER: "forecast while W is small, with a learning backbone",
    HEURISTIC: "forecast, an estimate",
}
LEVEL = {"dash": "dot", "width": 1, "color": "gray"}


def draw(shown: Sequence[Shown], versus: str = "steps") -> go.Figure:
    """A line for each σ_i, darkest for the largest; dotted, the target's singular values s_i.

    Where the target is known, a line stays with its mode, and a ring marks where two modes cross.

    Thin and dashed: the exact course of theory. A strip below shows the distance of each mode from
    it. Where no exact course is known, triangles mark the steps at which theory expects a mode to
    be half grown. Where classes or items have names, a trace's ``meta["vector"]`` names the columns
    of the mode's vector over them: the live page names the modes as ``_name_modes`` does, in
    ``pages/shared/live/browser/panel/naming.js``.

    ``layout.meta["watched"]`` lists the run's lines: the page's replay jumps from one escape to the
    next.
    """
    title = titled("Singular values", shown)
    figure = blank(title, versus, "σ<sub>i</sub> of W<sub>L</sub>⋯W<sub>1</sub>")
    dash = "solid" if len(shown) == 1 else None
    for item in shown:
        name = followed(item.trajectory.series)
        count = item.trajectory.series[name].shape[1]
        before = len(figure.data)
        for i in range(count):
            line(
                figure,
                item,
                versus,
                name,
                (i,),
                label=f"σ<sub>{i + 1}</sub>",
                shade=i / max(count - 1, 1),
                dash=dash,
                legend=not i,
            )
        if len(shown) == 1:
            fading(figure, before, "σ", count)
        _name_modes(figure, item, count, alone=len(shown) == 1)
        _mark_crossings(figure, item, versus, name)
        _add_theory(figure, item, versus)
    goals = _goals(shown[0])
    for i, value in enumerate(goals[:MOST_MODES]):
        named = {"name": "target s<sub>i</sub>", "showlegend": not i, "legendrank": LAST}
        figure.add_hline(value, line=LEVEL, layer="below", **named)
    watched = [trace.meta["y"] for trace in figure.data if "y" in trace.meta]
    series, names, groups = names_of(shown[0].trajectory.facts)
    meta = {"watched": watched, "crossings": least(goals)} | (
        {"classes": names, "groups": groups, "ends": series == "film_ends"} if names else {}
    )
    figure.update_layout(meta=meta)
    figure.update_yaxes(rangemode="tozero")
    if any(item.residuals is not None for item in shown):
        _add_strip(figure, shown, versus, dash)
    return figure


def _name_modes(figure: go.Figure, item: Shown, count: int, *, alone: bool) -> None:
    """Name the modes by the classes or items that they tell apart at the last record.

    If the network is alone in the chart, the modes that have grown are in the legend.
    """
    series, classes, groups = names_of(item.trajectory.facts)
    vectors = item.trajectory.series.get(series)
    if vectors is None:
        return
    traces = figure.data[-count:]
    for i, trace in enumerate(traces):
        trace.meta["vector"] = [
            f"{item.network}.{series}.{i + 1}.{k + 1}" for k in range(vectors.shape[2])
        ]
    if not len(vectors):
        return
    grown = item.values(followed(item.trajectory.series))[-1]
    shown = 0
    for i, (trace, vector) in enumerate(zip(traces, vectors[-1], strict=False)):
        label, words = f"σ<sub>{i + 1}</sub>", _words(series, vector, classes, groups)
        if not words or not grown[i] > GROWN * grown[0]:
            trace.update(name="smaller modes" if shown else trace.name)
            continue
        trace.hovertemplate = trace.hovertemplate.replace(label, f"{label} {words}", 1)
        if alone and shown < MOST_NAMES:
            trace.update(name=f"{label} {words}", showlegend=True)
            shown += 1


def _words(
    series: str, vector: Array, names: Sequence[str], groups: Mapping[str, Sequence[str]]
) -> str:
    return at_ends(vector, names) if series == "film_ends" else named(vector, names, groups)


def _goals(item: Shown) -> Sequence[float]:
    return item.trajectory.facts.get("target_singular_values") or ()


def _mark_crossings(figure: go.Figure, item: Shown, versus: str, name: str) -> None:
    """A ring at the first record after two modes have crossed; the live page draws its own."""
    trajectory = item.trajectory
    crossed = crossings(trajectory.series[name], least(_goals(item)))
    if not crossed:
        return
    records, first, second = map(list, zip(*crossed, strict=True))
    values = trajectory.series[name]
    steps = trajectory.steps[records]
    text = [
        f"modes {i + 1} and {j + 1} cross at step {step:,.0f}"
        for i, j, step in zip(first, second, steps, strict=True)
    ]
    figure.add_scatter(
        x=item.along(versus, steps),
        y=(values[records, first] + values[records, second]) / 2,
        name="crossings",
        legendrank=LAST,
        mode="markers",
        marker=RING,
        text=text,
        hovertemplate="%{text}<extra></extra>",
        meta=item.axis(versus),
    )


def _add_strip(figure: go.Figure, shown: Sequence[Shown], versus: str, dash: str | None) -> None:
    """Below, on the same time axis: |σ_i − theory| / s_i of every mode, on a logarithmic axis."""
    for item in shown:
        count = 0 if item.residuals is None else item.residuals.shape[1]
        for i in range(min(count, MOST_MODES)):
            label = f"σ<sub>{i + 1}</sub> off theory by"
            shade = i / max(count - 1, 1)
            line(figure, item, versus, "residuals", (i,), label=label, shade=shade, dash=dash)
            figure.data[-1].update(yaxis="y2", line_width=1.2)
    figure.update_layout(
        yaxis_domain=[0.3, 1],
        yaxis2={
            "domain": [0, 0.2],
            "type": "log",
            "title": {"text": "residual"},
            "exponentformat": "power",
            "gridcolor": GREY,
            "nticks": 3,
            "fixedrange": True,
        },
        xaxis_anchor="y2",
    )


def _add_theory(figure: go.Figure, item: Shown, versus: str) -> None:
    """The exact course, or else marks; ``meta`` names no column, as theory is not recorded."""
    course = item.expected
    if course is None or not course.values.size:
        _mark_escapes(figure, item, versus)
        return
    name = FORECASTS.get(course.standing, "theory") if course.plateau else "theory"
    points = _telling(course)
    times = [float(f"{x:.7g}") for x in item.along(versus, course.steps[points])]
    for i in range(min(course.values.shape[1], MOST_MODES)):
        label = f"σ<sub>{i + 1}</sub>, {name}"
        figure.add_scatter(
            x=times,
            y=[float(f"{value:.5g}") for value in course.values[points, i]],
            name=name,
            legendgroup="theory",
            legendrank=LAST,
            showlegend=not i and name not in {trace.name for trace in figure.data},
            mode="lines",
            line=THEORY,
            zorder=1,
            meta=item.axis(versus) | {"network": item.network, "mode": i + 1},
            hovertemplate=f"{label}: %{{y}} at %{{x}}<extra></extra>",
        )
    _mark_plateau(figure, item, versus)


def _telling(course: Expected) -> NDArray[np.intp]:
    """The points that are drawn of a course, in order: as many in a steep rise as on a plateau."""
    if len(course.steps) <= MOST_POINTS:
        return np.arange(len(course.steps))
    moved = np.abs(np.diff(course.values, axis=0)).sum(axis=1) / (course.values.max() or 1.0)
    passed = np.diff(course.steps) / (np.ptp(course.steps) or 1.0)
    way = np.concatenate([[0.0], np.cumsum(moved + passed)])
    chosen = np.searchsorted(way, np.linspace(0, way[-1], MOST_POINTS))
    return np.unique(np.minimum(chosen, len(way) - 1))


def _mark_plateau(figure: go.Figure, item: Shown, versus: str) -> None:
    """A triangle on the time axis where the forecast has the loss fallen by 10 % of ln K."""
    course = item.expected
    if course is None or not course.plateau or not np.isfinite(course.plateau[-1]):
        return
    end = course.plateau[-1]
    figure.add_scatter(
        x=item.along(versus, np.array([end])).tolist(),
        y=[0.0],
        name="end of the plateau",
        legendgroup="theory",
        legendrank=LAST,
        mode="markers",
        cliponaxis=False,
        marker=TRIANGLE | {"color": color(item.network)},
        text=["<br>".join([f"the plateau ends at step {end:,.0f}", *course.breaks])],
        hovertemplate="%{text}<extra></extra>",
        meta=item.axis(versus),
    )


def _mark_escapes(figure: go.Figure, item: Shown, versus: str) -> None:
    """A triangle on the time axis for each escape that theory expects."""
    course = item.expected
    if not course or not course.escapes:
        return
    finite = [(i, step) for i, step in enumerate(course.escapes, 1) if np.isfinite(step)]
    finite = finite[:MOST_MODES]
    figure.add_scatter(
        x=item.along(versus, np.array([step for _, step in finite])).tolist(),
        y=[0.0] * len(finite),
        name="expected escapes",
        legendgroup="theory",
        legendrank=LAST,
        mode="markers",
        cliponaxis=False,
        marker=TRIANGLE | {"color": color(item.network)},
        text=[f"σ<sub>{i}</sub> expected half grown at step {step:,.0f}" for i, step in finite],
        hovertemplate=f"%{{text}} ({course.standing})<extra></extra>",
        meta=item.axis(versus),
    )
