"""Subplots: several pairs of axes in one figure, under one legend."""

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

ROOMY = 480  # pixels of a file's width from which subplots stand side by side
GAPS = {"x": 7.0, "y": 4.6}  # sizes of type: ticks and title of a y axis, of an x axis
LOWER = 0.7  # share of the usual height, for each of several subplots in a column


def abreast(figures: Sequence[go.Figure]) -> go.Figure:
    """One figure made of several, with a pair of axes for each; it has the first one's title.

    The legend has each name once.
    """
    if len(figures) == 1:
        return figures[0]
    whole = go.Figure(layout=figures[0].layout)
    listed: set[str] = set()
    for number, figure in enumerate(figures):
        own = str(number + 1) if number else ""
        for letter, other in ("xy", "yx"):
            looks = figure.layout[f"{letter}axis"].to_plotly_json() | {"anchor": f"{other}{own}"}
            whole.update_layout({f"{letter}axis{own}": looks})
        for trace in figure.data:
            shown = trace.showlegend is not False and trace.name not in listed
            if shown:
                listed.add(trace.name)
            trace.update(xaxis=f"x{own}", yaxis=f"y{own}", showlegend=shown)
            whole.add_trace(trace.update(legendgroup=trace.name))
    _share(whole.select_xaxes(), len(figures), 0.1)
    return whole


def axes(trace: dict[str, Any]) -> tuple[str, str]:
    """The names of a trace's x and y axis in ``layout``."""
    x, y = trace.get("xaxis") or "x", trace.get("yaxis") or "y"
    return f"xaxis{x[1:]}", f"yaxis{y[1:]}"


def pairs(figure: dict[str, Any]) -> list[tuple[str, str]]:
    """Each pair of axes that has traces, in order."""
    return sorted({axes(trace) for trace in figure["data"]}) or [("xaxis", "yaxis")]


def lay_out_subplots(figure: go.Figure, type_: float, plot: tuple[float, float]) -> None:
    """Place subplots side by side in a wide file, in a column in a narrow one, which grows.

    ``plot`` is the width and height of all subplots together, in pixels. A figure with one x axis
    is not changed.
    """
    across = list(figure.select_xaxes())
    down = list(figure.select_yaxes())
    if len(across) < 2 or figure.layout.coloraxis.colorscale:
        return
    if figure.layout.width >= ROOMY:
        _share(across, len(across), GAPS["x"] * type_ / plot[0])
        return
    gap = GAPS["y"] * type_
    height = len(down) * LOWER * plot[1] + (len(down) - 1) * gap
    figure.layout.height = round(figure.layout.height - plot[1] + height, 2)
    figure.update_xaxes(domain=(0, 1))
    _share(reversed(down), len(down), gap / height)


def _share(axes: Any, count: int, gap: float) -> None:
    """Divide the whole length into equal parts with gaps between."""
    part = (1 - (count - 1) * gap) / count
    for number, axis in enumerate(axes):
        axis.domain = (number * (part + gap), number * (part + gap) + part)
