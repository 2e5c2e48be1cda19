"""Singular values of the end-to-end matrix W_L⋯W_1 beside the target's and theory's."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from dynamics.core.records import followed
from dynamics.draw.chart import blank, line, titled
from dynamics.draw.look import GREY, INK, color
from dynamics.draw.shown import Shown
from dynamics.findings.crossings import crossings, least

NEEDS = ("singular_values",)
EXPECTED = True  # the chart draws what theory expects, where it is known
MOST_MODES = 50  # modes for which the chart draws targets and theory
MOST_POINTS = 500  # points of one line of theory
THEORY = {"color": INK, "width": 1.2, "dash": "dash"}
LAST = 2000  # rank in the legend, after the networks
RING = {"symbol": "circle-open", "size": 10, "color": INK, "line": {"width": 1.5}}
LEVEL = {"dash": "dot", "width": 1, "color": "gray"}


def draw(shown: Sequence[Shown], versus: str = "steps") -> go.Figure:
    """A line for each σ_i, darkest for the largest; dotted, the target's singular values s_i.

    Where the target is known, a line stays with its mode, and a ring marks where two modes cross.

    Thin and dashed: the exact course of theory. A strip below shows the distance of each mode from
    it. Where no exact course is known, triangles mark the steps at which theory expects a mode to
    be half grown. ``layout.meta["watched"]`` lists the run's lines: the page's replay jumps from
    one escape to the next.
    """
    title = titled("Singular values", shown)
    figure = blank(title, versus, "σ<sub>i</sub> of W<sub>L</sub>⋯W<sub>1</sub>")
    dash = "solid" if len(shown) == 1 else None
    for item in shown:
        name = followed(item.trajectory.series)
        count = item.trajectory.series[name].shape[1]
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
            )
        _mark_crossings(figure, item, versus, name)
        _add_theory(figure, item, versus)
    goals = _goals(shown[0])
    for i, value in enumerate(goals[:MOST_MODES]):
        named = {"name": "target s<sub>i</sub>", "showlegend": not i, "legendrank": LAST}
        figure.add_hline(value, line=LEVEL, layer="below", **named)
    watched = [trace.meta["y"] for trace in figure.data if "y" in trace.meta]
    figure.update_layout(meta={"watched": watched, "crossings": least(goals)})
    figure.update_yaxes(rangemode="tozero")
    if any(item.residuals is not None for item in shown):
        _add_strip(figure, shown, versus, dash)
    return figure


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
    points = np.unique(np.linspace(0, len(course.steps) - 1, MOST_POINTS).astype(int))
    times = [float(f"{x:.7g}") for x in item.along(versus, course.steps[points])]
    for i in range(min(course.values.shape[1], MOST_MODES)):
        label = f"theory of σ<sub>{i + 1}</sub>"
        figure.add_scatter(
            x=times,
            y=[float(f"{value:.5g}") for value in course.values[points, i]],
            name="theory",
            legendgroup="theory",
            legendrank=LAST,
            showlegend=not i and "theory" not in {trace.name for trace in figure.data},
            mode="lines",
            line=THEORY,
            zorder=1,
            meta=item.axis(versus) | {"mode": i + 1},
            hovertemplate=f"{label}: %{{y}} at %{{x}}<extra></extra>",
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
        marker={
            "symbol": "triangle-up",
            "size": 9,
            "color": color(item.network),
            "line": {"width": 1, "color": INK},
        },
        text=[f"σ<sub>{i}</sub> expected half grown at step {step:,.0f}" for i, step in finite],
        hovertemplate=f"%{{text}} ({course.standing})<extra></extra>",
        meta=item.axis(versus),
    )
