"""Singular values of the end-to-end matrix W_L⋯W_1 beside the target's and theory's."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from dynamics.core.records import Trajectory, followed
from dynamics.draw.chart import blank, line, titled
from dynamics.draw.look import GREY, INK, color
from dynamics.draw.time_axis import along, axis
from dynamics.findings.crossings import crossings, least

NEEDS = ("singular_values",)
EXPECTED = True  # draws what theory says of a trajectory, if it has that
MOST_MODES, MOST_POINTS = 50, 500  # of theory
THEORY = {"color": INK, "width": 1.2, "dash": "dash"}
LAST = 2000  # in the legend, after the networks
RING = {"symbol": "circle-open", "size": 10, "color": INK, "line": {"width": 1.5}}
LEVEL = {"dash": "dot", "width": 1, "color": "gray"}


def draw(trajectories: Sequence[Trajectory], versus: str = "steps") -> go.Figure:
    """A line for each σ_i, darkest for the largest; dotted, the target's singular values s_i.

    Where the target is known a line stays with its mode, and a ring marks where two cross.

    Thin and dashed, the course that theory gives exactly, and in a strip below how far each mode is
    from it; where theory has none, triangles where it expects each mode to be half grown. All lines
    of the run are watched: the page's replay jumps from one's escape to the next.
    """
    title = titled("Singular values", trajectories)
    figure = blank(title, versus, "σ<sub>i</sub> of W<sub>L</sub>⋯W<sub>1</sub>")
    dash = "solid" if len(trajectories) == 1 else None
    for trajectory in trajectories:
        name = followed(trajectory.series)
        count = trajectory.series[name].shape[1]
        for i in range(count):
            shade, label = i / max(count - 1, 1), f"σ<sub>{i + 1}</sub>"
            line(
                figure,
                trajectory,
                versus,
                name,
                (i,),
                label=label,
                shade=shade,
                dash=dash,
            )
        _cross(figure, trajectory, versus, name)
        _expect(figure, trajectory, versus)
    goals = _goals(trajectories[0])[:MOST_MODES]
    for i, value in enumerate(goals):
        named = {"name": "target s<sub>i</sub>", "showlegend": not i, "legendrank": LAST}
        figure.add_hline(value, line=LEVEL, layer="below", **named)
    watched = [trace.meta["y"] for trace in figure.data if "y" in trace.meta]
    crossing = least(_goals(trajectories[0]))
    figure.update_layout(meta={"watched": watched, "crossings": crossing}).update_yaxes(
        rangemode="tozero"
    )
    if any("residuals" in each.series for each in trajectories):
        _strip(figure, trajectories, versus, dash)
    return figure


def _goals(trajectory: Trajectory) -> Sequence[float]:
    return trajectory.facts.get("target_singular_values") or ()


def _cross(figure: go.Figure, trajectory: Trajectory, versus: str, name: str) -> None:
    """A ring at the first record after two modes have exchanged places; the page draws its own."""
    found = crossings(trajectory.series[name], least(_goals(trajectory)))
    if not found:
        return
    records, first, second = map(list, zip(*found, strict=True))
    values, steps = trajectory.series[name], trajectory.steps[records]
    text = [
        f"modes {i + 1} and {j + 1} cross at step {step:,.0f}"
        for i, j, step in zip(first, second, steps, strict=True)
    ]
    figure.add_scatter(
        x=along(trajectory, versus, steps),
        y=(values[records, first] + values[records, second]) / 2,
        name="crossings",
        legendrank=LAST,
        mode="markers",
        marker=RING,
        text=text,
        hovertemplate="%{text}<extra></extra>",
        meta=axis(trajectory, versus),
    )


def _strip(
    figure: go.Figure, trajectories: Sequence[Trajectory], versus: str, dash: str | None
) -> None:
    """Below, over the same times: |σ_i − theory| / s_i of every mode, on a logarithmic axis."""
    for trajectory in trajectories:
        count = trajectory.series.get("residuals", np.empty((0, 0))).shape[1]
        for i in range(min(count, MOST_MODES)):
            label, shade = f"σ<sub>{i + 1}</sub> off theory by", i / max(count - 1, 1)
            line(figure, trajectory, versus, "residuals", (i,), label=label, shade=shade, dash=dash)
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


def _expect(figure: go.Figure, trajectory: Trajectory, versus: str) -> None:
    """Curves or marks that are no series of the run: their numbers in place, over steps."""
    found = trajectory.expected
    if found is None or not found.values.size:
        _mark(figure, trajectory, versus)
        return
    drawn = np.unique(np.linspace(0, len(found.steps) - 1, MOST_POINTS).astype(int))
    times = [float(f"{x:.7g}") for x in along(trajectory, versus, found.steps[drawn])]
    for i in range(min(found.values.shape[1], MOST_MODES)):
        label = f"theory of σ<sub>{i + 1}</sub>"
        figure.add_scatter(
            x=times,
            y=[float(f"{value:.5g}") for value in found.values[drawn, i]],
            name="theory",
            legendgroup="theory",
            legendrank=LAST,
            showlegend=not i and "theory" not in {trace.name for trace in figure.data},
            mode="lines",
            line=THEORY,
            zorder=1,
            meta=axis(trajectory, versus) | {"mode": i + 1},
            hovertemplate=f"{label}: %{{y}} at %{{x}}<extra></extra>",
        )


def _mark(figure: go.Figure, trajectory: Trajectory, versus: str) -> None:
    """A triangle on the time axis for each escape that is expected."""
    found = trajectory.expected
    if not found or not found.escapes:
        return
    known = [(i, step) for i, step in enumerate(found.escapes, 1) if np.isfinite(step)][:MOST_MODES]
    figure.add_scatter(
        x=along(trajectory, versus, np.array([step for _, step in known])).tolist(),
        y=[0.0] * len(known),
        name="expected escapes",
        legendgroup="theory",
        legendrank=LAST,
        mode="markers",
        cliponaxis=False,
        marker={
            "symbol": "triangle-up",
            "size": 9,
            "color": color(trajectory.network),
            "line": {"width": 1, "color": INK},
        },
        text=[f"σ<sub>{i}</sub> expected half grown at step {step:,.0f}" for i, step in known],
        hovertemplate=f"%{{text}} ({found.standing})<extra></extra>",
        meta=axis(trajectory, versus),
    )
