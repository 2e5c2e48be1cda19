"""Charts: what they share. A chart is a file of ``charts/`` with ``draw(shown, versus)``.

A chart is described once. Each trace names in ``meta`` the columns of a record that it draws. So
the live page takes the same figure as its layout and its list of lines, and fills them from the
run's stream. A trace whose ``meta`` names no column ``y`` is theory: its x values are steps, and
the page places them at the times when the run reached those steps.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from dynamics.core import registry, traits
from dynamics.core.traits import short_name
from dynamics.core.words import raised
from dynamics.core.words import title as title_of
from dynamics.draw.look import DASHES, GREY, LAST, RING, RUN_COLORS, color
from dynamics.draw.shown import Shown
from dynamics.draw.time_axis import SHARES, UNITS, VERSUS, is_log
from dynamics.findings.validation import least

SELDOM = {"mode": "lines+markers", "connectgaps": True, "cliponaxis": False, "marker": {"size": 5}}
GIVEN = "as the program gave it"  # the unit of a number of a run that another program trains
CHANGE = {"color": "#808080", "width": 1, "dash": "longdash"}  # mark of a change


def blank(title: str, versus: str, y: str, *, log: bool = False, note: str = "") -> go.Figure:
    """An empty figure with its title, its time axis and its value axis.

    ``note`` explains in a sentence or two, beside the chart, what it means and how sure it is.
    """
    figure = go.Figure()
    if note:
        figure.update_layout(meta={"note": note})
    figure.update_layout(
        title={"text": title, "x": 0, "xref": "paper", "xanchor": "left", "font": {"size": 15}},
        margin={"l": 64, "r": 24, "t": 44, "b": 48},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        legend={"orientation": "h", "x": 1, "xanchor": "right", "y": 1, "yanchor": "bottom"},
        hovermode="closest",
    )
    axis: dict[str, Any] = {
        "gridcolor": GREY,
        "zerolinecolor": GREY,
        "showgrid": True,
        "automargin": True,
        "minexponent": 5,
    }
    thousands = {"exponentformat": "SI", "separatethousands": True, "rangemode": "tozero"}
    figure.update_xaxes(title_text=VERSUS[versus], **thousands, **axis)
    kind = "log" if log else "linear"
    if is_log(versus):
        figure.update_xaxes(type="log", rangemode="normal")
    return figure.update_yaxes(title_text=y, type=kind, exponentformat="power", **axis)


def titled(title: str, shown: Sequence[Shown]) -> str:
    """The title with the network's name if there is only one; else the legend has the names."""
    return f"{title}: {short_name(shown[0].network)}" if len(shown) == 1 else title


def marked(name: str, shown: Sequence[Shown], versus: str = "steps") -> go.Figure:
    """The chart of this name, with a mark on its time axis for each change during the run.

    Over steps all networks share a mark; on other axes each has its own, at the time when it
    reached that step. ``layout.meta["changes"]`` lists all changes, so that the live page can add
    their marks itself: ``pages/shared/live/browser/panel/changes.js``.
    """
    figure: go.Figure = registry.load("charts", name).draw(shown, versus)
    changes = shown[0].trajectory.facts.get("changes", ()) if shown else ()
    if not changes or traits.chart(name).kind != "lines":  # else the plane has no time axis
        return figure
    figure.update_layout(meta={**(figure.layout.meta or {}), "changes": list(changes)})
    places = {
        (float(item.along(versus, np.array([float(step)]))[0]), label)
        for step, label in changes
        for item in shown
        if step in item.trajectory.steps
    }
    last = {label: value for value, label in sorted(places)}
    for value, label in sorted(places):
        # Several networks may each have a mark for one change; only the last mark has the words.
        words = label if value == last[label] else ""
        _mark(figure, value, words, logarithmic=is_log(versus))
    return figure


def _mark(figure: go.Figure, value: float, label: str, *, logarithmic: bool) -> None:
    figure.add_vline(value, line=CHANGE, layer="below")
    figure.add_annotation(
        x=math.log10(value) if logarithmic else value,
        y=1,
        yref="paper",
        text=label,
        showarrow=False,
        xanchor="left",
        yanchor="top",
        font={"size": 11, "color": CHANGE["color"]},
    )


def line(
    figure: go.Figure,
    item: Shown,
    versus: str,
    name: str,
    index: Sequence[int] = (),
    *,
    label: str | None = None,
    legend: bool = False,
    shade: float = 0.0,
    scale: float = 1.0,
    dash: str | None = None,
    mode: bool = True,
) -> None:
    """Add one series, or one entry of it, as a line in its network's colour and dash.

    A series that is measured seldom has a mark at each value, and the line connects them.

    Args:
        figure: the chart, which is changed.
        item: the network.
        versus: the time axis.
        name: the series; ``residuals`` is the distance from theory.
        index: the entry's index; empty for a series of single numbers. The trace's ``meta`` counts
            it from one.
        label: what hovering shows; the network's name if None.
        legend: whether the line is in the legend, under the network's name.
        shade: from 0, the network's own colour, to 1, pale.
        scale: turns the stored unit into the axis's.
        dash: the line's dash; the network's own if None.
        mode: whether the entry's last index is a mode.
    """
    network = item.network
    entry: Any = (slice(None), *index)
    known = name in registry.options("measurements")
    seldom = SELDOM if known and traits.measurement(name).seldom else {"mode": "lines"}
    figure.add_scatter(
        x=item.along(versus, item.trajectory.steps),
        y=item.values(name)[entry] * scale,
        name=short_name(network),
        legendgroup=network,
        showlegend=legend,
        **seldom,
        line={
            "color": color(network, shade),
            "dash": dash or DASHES.get(network, "dot"),
            "width": 2,
        },
        hovertemplate=f"{label or short_name(network)}: %{{y}} at %{{x}}<extra></extra>",
        meta={
            "network": network,
            **item.axis(versus),
            "y": ".".join([network, name, *(str(i + 1) for i in index)]),
            "scale": scale,
            **({"mode": index[-1] + 1} if index and mode else {}),
        },
    )


def fading(figure: go.Figure, before: int, label: str, count: int) -> None:
    """Put the traces from number ``before`` on into the legend, as one entry of fading lines.

    ``label`` is the name of one of the ``count`` lines, without its number.
    """
    ends = [f"{label}<sub>{number}</sub>" for number in (1, count)]
    name = f"{ends[0]} (strong) to {ends[1]} (faint)" if count > 1 else ends[0]
    for trace in figure.data[before:]:
        trace.update(name=name, showlegend=False)
    if count:
        figure.data[before].showlegend = True


def given(shown: Sequence[Shown], name: str, versus: str) -> go.Figure:
    """A number that a program of its own gave, perhaps now and then, under its very name."""
    figure = blank(name, versus, GIVEN)
    for item in shown:
        line(figure, item, versus, name, label=name)
        figure.data[-1].update(SELDOM, line_dash="solid")
    return figure


def compared(
    runs: Sequence[tuple[str, Sequence[Shown]]], series: str, versus: str = "steps"
) -> go.Figure:
    """One series of several runs: a colour for each run, dashes by network.

    The axis is logarithmic but for shares. ``runs`` has the label of each run and its networks, all
    of which have the series.
    """
    measured = series in registry.options("measurements")
    if measured:
        title = title_of(series)
        figure = blank(title, versus, UNITS.get(series, "loss"), log=series not in SHARES)
    else:
        figure = blank(series, versus, GIVEN)
    for number, (text, shown) in enumerate(runs):
        label = raised(text) if "=" in text else text  # a run's key 3e1925 is not a number
        for item in shown:
            line(figure, item, versus, series, label=label, legend=True)
            figure.data[-1].update({} if measured else SELDOM)
            figure.data[-1].update(
                name=f"{label} · {short_name(item.network)}",
                legendgroup=f"{number}",
                line_color=RUN_COLORS[number % len(RUN_COLORS)],
            )
    below = {"orientation": "h", "x": 0, "xanchor": "left", "y": -0.2, "yanchor": "top"}
    return figure.update_layout(legend=below)


def mark_stop(figure: go.Figure, item: Shown, versus: str, series: str) -> None:
    """A ring on a series where validation would stop the network; the live page draws its own."""
    record = least(item.trajectory)
    if record is None:
        return
    steps = item.trajectory.steps[[record]]
    figure.add_scatter(
        x=item.along(versus, steps),
        y=item.trajectory.series[series][[record]],
        name="stop by validation",
        legendrank=LAST,
        mode="markers",
        marker=RING,
        text=[f"{short_name(item.network)}: validation stops it at step {steps[0]:,.0f}"],
        hovertemplate="%{text}<extra></extra>",
        meta=item.axis(versus),
    )
