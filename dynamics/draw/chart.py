"""What a figure is: ``draw(trajectories, versus) -> go.Figure``, one file of ``figures/`` each.

A chart is described once. Each trace says in ``meta`` which columns of a record it draws, so that
the page's live chart can take the same figure as its layout and its list of lines, and fill it
from the run's stream. A trace whose ``meta`` names no column ``y`` is theory: its x are steps, to
be placed where the run has come to them.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from dynamics.core import registry
from dynamics.core.records import Trajectory
from dynamics.core.traits import said
from dynamics.core.words import raised
from dynamics.draw.look import DASHES, GREY, RUN_COLORS, color
from dynamics.draw.time_axis import LEAST, UNITS, VERSUS, along, axis

CHANGE = {"color": "#808080", "width": 1, "dash": "longdash"}  # the mark of a change on the way


def blank(title: str, versus: str, y: str, *, log: bool = False, note: str = "") -> go.Figure:
    """An empty figure with its title, its time axis and its value axis.

    ``note`` says in a sentence or two, beside the chart, what it means and how sure it is.
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
    if versus in LEAST:
        figure.update_xaxes(type="log", rangemode="normal")
    return figure.update_yaxes(title_text=y, type=kind, exponentformat="power", **axis)


def titled(title: str, trajectories: Sequence[Trajectory]) -> str:
    """With the name of the only network; the legend has those of several."""
    return f"{title}: {said(trajectories[0].network)}" if len(trajectories) == 1 else title


def marked(name: str, trajectories: Sequence[Trajectory], versus: str = "steps") -> go.Figure:
    """The figure of this name, with what changed on the way marked on its axis.

    Over steps all networks share a mark; else each has its own, where it was at that step. In
    ``layout.meta`` stand all changes, for charts that learn of the records later.
    """
    figure: go.Figure = registry.load("charts", name).draw(trajectories, versus)
    changes = trajectories[0].facts.get("changes", ()) if trajectories else ()
    if not changes or registry.constant("charts", name, "KIND"):  # no time axis in the plane
        return figure
    figure.update_layout(meta={**(figure.layout.meta or {}), "changes": list(changes)})
    places = {
        (float(along(each, versus, np.array([float(step)]))[0]), label)
        for step, label in changes
        for each in trajectories
        if step in each.steps
    }
    last = {label: value for value, label in sorted(places)}
    for value, label in sorted(places):
        own = label if value == last[label] else ""  # once: on other axes networks have their own
        _mark(figure, value, own, logarithmic=versus in LEAST)
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
    trajectory: Trajectory,
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

    ``label`` is what hovering says; the legend says the network. ``scale`` turns the stored unit
    into the axis's. ``dash`` is the network's own unless it needs no telling apart. ``meta`` names
    the columns of a record, counted from one, and the mode, which is the entry's last index unless
    ``mode`` says that the entry belongs to none.
    """
    network = trajectory.network
    entry: Any = (slice(None), *index)
    figure.add_scatter(
        x=along(trajectory, versus, trajectory.steps),
        y=trajectory.series[name][entry] * scale,
        name=said(network),
        legendgroup=network,
        showlegend=legend,
        mode="lines",
        line={
            "color": color(network, shade),
            "dash": dash or DASHES.get(network, "dot"),
            "width": 2,
        },
        hovertemplate=f"{label or said(network)}: %{{y}} at %{{x}}<extra></extra>",
        meta={
            "network": network,
            **axis(trajectory, versus),
            "y": ".".join([network, name, *(str(i + 1) for i in index)]),
            "scale": scale,
            **({"mode": index[-1] + 1} if index and mode else {}),
        },
    )


def compared(
    runs: Sequence[tuple[str, Sequence[Trajectory]]], name: str, versus: str = "steps"
) -> go.Figure:
    """One series of several runs on a logarithmic axis: a colour for each run, dashes by network.

    ``runs`` has a label and the trajectories of each; those that lack the series, or the unit of
    normalised time, are left out.
    """
    figure = blank(name.replace("_", " ").capitalize(), versus, UNITS.get(name, "loss"), log=True)
    for number, (named, trajectories) in enumerate(runs):
        label = raised(named) if "=" in named else named  # a run's key 3e1925 is no number
        for trajectory in trajectories:
            timed = versus != "normalised" or (trajectory.expected and trajectory.expected.first)
            if name in trajectory.series and timed:
                line(figure, trajectory, versus, name, label=label, legend=True)
                figure.data[-1].update(
                    name=f"{label} · {said(trajectory.network)}",
                    legendgroup=f"{number}",
                    line_color=RUN_COLORS[number % len(RUN_COLORS)],
                )
    below = {"orientation": "h", "x": 0, "xanchor": "left", "y": -0.2, "yanchor": "top"}
    return figure.update_layout(legend=below)
