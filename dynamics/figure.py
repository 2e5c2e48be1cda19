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

from dynamics import registry
from dynamics.digits import raised
from dynamics.kinds import called, said
from dynamics.trajectory import Array, Trajectory

VERSUS = {
    "steps": "Gradient steps",
    "log steps": "Gradient steps (log)",
    "seconds": "Training time (s)",
    "operations": "Floating-point operations",
    "normalised": "Normalised time t / t₁",
}
LEAST = {"log steps": 1}  # where a logarithmic axis begins: record 0 is drawn there
# Wide networks are blue, those with the compressed start orange, narrow ones without it pink; in
# grey, dashes tell them apart. An exact reduction is dotted, in the colour of what it stands for.
COLORS = {
    "original": "#2f6fde",
    "original_alpha": "#12a3c4",
    "original_spectral": "#7c86f2",
    "compressed": "#e8710a",
    "compressed_even": "#c79a00",
    "narrow_random": "#c2407f",
    "narrow_random_alpha": "#d984b0",
}
DASHES = {
    "original": "solid",
    "original_alpha": "dashdot",
    "original_spectral": "longdash",
    "compressed": "dash",
    "compressed_even": "longdashdot",
    "narrow_random": "2px,6px",
    "narrow_random_alpha": "12px,4px,2px,4px,2px,4px",
}
SPARE_COLORS = ("#7b5ea7", "#2a9d8f", "#b23a6f", "#6b7280")
RUN_COLORS = (  # neither blue nor orange, which mean a network
    "#2f9e44", "#ae3ec9", "#846358", "#0c8599", "#e03131", "#74840f", "#e64980", "#868e96"
)  # fmt: skip
INK = "#1f2430"  # of theory on white; the page has its own
UNITS = {"recovery_error": "‖W − M*‖<sub>F</sub> / ‖M*‖<sub>F</sub>"}
CHANGE = {"color": "#808080", "width": 1, "dash": "longdash"}  # the mark of a change on the way
GREY = "rgba(128,128,128,0.25)"


def color(network: str, shade: float = 0.0) -> str:
    """A network's fixed colour; ``shade`` from 0 to 1 fades it towards a light grey."""
    strong = COLORS.get(network.removesuffix("_reduced"))
    strong = strong or SPARE_COLORS[sum(map(ord, network)) % len(SPARE_COLORS)]
    mixed = (
        round(int(strong[i : i + 2], 16) * (1 - 0.72 * shade) + 205 * 0.72 * shade)
        for i in (1, 3, 5)
    )
    return "#{:02x}{:02x}{:02x}".format(*mixed)


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


def unit(trajectory: Trajectory) -> float:
    """t₁: the steps of one unit of normalised time, those to the first escape that is expected.

    A plateau takes ε^(2−L) I_L(α)/(ηc s_i) steps (a logarithm of ε for L = 2), so that runs of any
    ε, L, η and α have their first mode half grown at t/t₁ = 1 and mode i near s_1/s_i.

    Raises:
        ValueError: if none is expected; ``expected.beside`` says what is.
    """
    first = trajectory.expected and trajectory.expected.first
    if not first:
        raise ValueError(
            f"No escape of the {called(trajectory.network)} is foreseen, so there is no unit "
            "for normalised time; take steps."
        )
    return first


def along(trajectory: Trajectory, versus: str, steps: Array) -> Array:
    """Where steps lie on a time axis: between records in a line, beyond them at the pace so far."""
    if versus == "normalised":
        return steps / unit(trajectory)
    if versus in LEAST:
        return np.maximum(steps, LEAST[versus])
    clock = getattr(trajectory, versus)
    if versus == "steps" or not len(clock):
        return steps
    last = len(clock) - 1
    end = trajectory.steps[last]
    beyond = clock[last] * (steps / max(end, 1))
    return np.where(steps > end, beyond, np.interp(steps, trajectory.steps, clock))


def axis(trajectory: Trajectory, versus: str) -> dict[str, Any]:
    """For ``meta``: the column of a time axis, its unit, and the least that is drawn."""
    by_step = versus in ("steps", "log steps", "normalised")
    return {
        "x": "step" if by_step else f"{trajectory.network}.{versus}",
        **({"unit": unit(trajectory)} if versus == "normalised" else {}),
        **({"least": LEAST[versus]} if versus in LEAST else {}),
    }


def marked(name: str, trajectories: Sequence[Trajectory], versus: str = "steps") -> go.Figure:
    """The figure of this name, with what changed on the way marked on its axis.

    Over steps all networks share a mark; else each has its own, where it was at that step. In
    ``layout.meta`` stand all changes, for charts that learn of the records later.
    """
    figure: go.Figure = registry.load("figures", name).draw(trajectories, versus)
    changes = trajectories[0].facts.get("changes", ()) if trajectories else ()
    if not changes or registry.constant("figures", name, "KIND"):  # no time axis in the plane
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
