"""Matrices: square heat maps side by side, with the names of their rows and columns."""

import math
from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from dynamics.draw.look import DIVERGING

ABREAST = 3  # most matrices side by side
BAR = {"thickness": 12, "len": 0.8}


def matrices(
    traces: Sequence[go.Heatmap], names: Sequence[str], most: float, bar: dict[str, Any]
) -> go.Figure:
    """Each trace under its name, on one colour scale from −``most`` to ``most``.

    Names of columns are upright unless they are very short; only the lowest matrices have them, and
    only the left ones have names of rows.
    """
    across = min(len(traces), ABREAST) if len(traces) != ABREAST + 1 else 2
    down = math.ceil(len(traces) / across)
    titles = [trace.name for trace in traces]
    figure = make_subplots(down, across, subplot_titles=titles, horizontal_spacing=0.04)
    ticks = {"tickvals": list(range(len(names))), "ticktext": names, "showgrid": False}
    for place, trace in enumerate(traces):
        row, col = place // across + 1, place % across + 1
        figure.add_trace(trace.update(coloraxis="coloraxis"), row, col)
        lowest = place + across >= len(traces)
        figure.update_xaxes(
            constrain="domain", zeroline=False, **ticks, showticklabels=lowest,
            tickangle=-90 if max(map(len, names)) > 2 else 0, row=row, col=col,
        )  # fmt: skip
        x = next(figure.select_xaxes(row=row, col=col)).plotly_name.replace("axis", "")
        figure.update_yaxes(
            autorange="reversed", scaleanchor=x, constrain="domain", zeroline=False, **ticks,
            showticklabels=col == 1, row=row, col=col,
        )  # fmt: skip
    scale = {"colorscale": DIVERGING, "cmin": -most, "cmax": most, "colorbar": BAR | bar}
    return figure.update_layout(
        coloraxis=scale, paper_bgcolor="rgba(0,0,0,0)", plot_bgcolor="rgba(0,0,0,0)"
    )
