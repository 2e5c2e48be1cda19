"""Weights: a series with a number for each weight matrix, head and backbone, as lines."""

import plotly.graph_objects as go

from dynamics.core.traits import short_name
from dynamics.draw.chart import line
from dynamics.draw.look import BACKBONE, faded
from dynamics.draw.shown import Shown

PALEST = 0.75  # shade of the last matrix
OF_BACKBONE = "backbone"


def add(
    figure: go.Figure,
    item: Shown,
    versus: str,
    series: str,
    *,
    alone: bool,
    label: str = "",
    dash: str | None = None,
    legend: bool = True,
    scale: float = 1.0,
) -> None:
    """Add a line for each matrix: W_1 to W_L in the network's colour, the backbone's in grey.

    Args:
        figure: the chart, which is changed.
        item: the network.
        versus: the time axis.
        series: the series.
        alone: whether the network is alone in the chart; then the legend names its matrices.
        label: words after a matrix's name on hovering.
        dash: the dash of all these lines; the network's own if None.
        legend: whether these lines are in the legend.
        scale: turns the stored unit into the axis's.
    """
    names = _names(item, series)
    own = sum(name.startswith("W") for name in names)
    known: set[str] = set()
    for i, name in enumerate(names):
        of_head = i < own
        first, count = (0, own) if of_head else (own, len(names) - own)
        shade = PALEST * (i - first) / max(count - 1, 1)
        words = [name, label, "" if alone else short_name(item.network)]
        line(
            figure, item, versus, series, (i,), scale=scale, dash=dash, mode=False,
            label=", ".join(filter(None, words)), shade=shade,
        )  # fmt: skip
        trace = figure.data[-1]
        if not of_head:
            trace.line.color = faded(BACKBONE, shade)
        if alone:
            trace.name = trace.legendgroup = name if of_head else OF_BACKBONE
        trace.showlegend = legend and trace.name not in known
        known.add(trace.name)


def _names(item: Shown, series: str) -> list[str]:
    """The names of a network's weight matrices, as many as the series has numbers."""
    body = [f"{OF_BACKBONE} {name}" for name in item.trajectory.facts.get("backbone_weights", ())]
    depth = item.trajectory.series[series].shape[1] - len(body)
    return [f"W<sub>{i + 1}</sub>" for i in range(depth)] + body
