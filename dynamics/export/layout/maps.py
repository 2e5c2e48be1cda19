"""Heat maps for print: grid, greys and rows."""

import textwrap
from collections.abc import Sequence

import plotly.graph_objects as go

from dynamics.export.layout.traces import LETTER, show_values

# From the lowest value to the highest; zero is in the middle.
GREYS = ((0.0, "#000000"), (1.0, "#ffffff"))
TILES = 0.85  # size of the words over a map, in sizes of type


def lay_out_maps(figure: go.Figure, type_: float, grey: bool, framed: bool) -> None:
    """Make heat maps as large as the width allows, each framed and under its own words.

    Args:
        figure: the chart, which is changed.
        type_: size of letters in pixels.
        grey: whether the colours become greys.
        framed: whether the height is fixed.
    """
    maps = [trace for trace in figure.data if trace.type == "heatmap"]
    if not maps or not figure.layout.coloraxis.colorscale:
        return
    for trace in maps:
        show_values(trace)
    bar = {"thickness": type_, "outlinewidth": 0, "len": 1, "title": {"side": "top"}}
    figure.update_layout(coloraxis={"colorbar": bar | {"tickfont": {"size": 0.9 * type_}}})
    if grey:
        figure.layout.coloraxis.colorscale = GREYS
    frame = {"ticks": "", "mirror": True, "constraintoward": "top"}
    figure.update_xaxes(frame | {"constraintoward": "center"}).update_yaxes(frame)
    across = {axis.domain for axis in figure.select_xaxes()}
    down = {axis.domain for axis in figure.select_yaxes()}
    names = next(figure.select_yaxes()).ticktext or ()
    wide = (figure.layout.width - 9 * type_ - beside(names, type_)) / len(across)
    tall = len(maps[0].z) / len(maps[0].z[0])
    head = _fold(figure, wide, type_)
    top = 2 * type_ + head
    side = wide
    if framed:
        side = min(wide, (figure.layout.height - top) / len(down) - head)
    foot = type_ + _name_rows(figure, side, type_)
    figure.layout.margin.t = top
    plot = len(down) * wide * min(tall, 2) + (len(down) - 1) * head
    if framed:
        plot = figure.layout.height - top - foot
    figure.layout.height = round(top + plot + foot, 2)
    _place_rows(figure, head / plot)


def beside(names: Sequence[str], type_: float) -> float:
    """Room for the names of the rows, in pixels; none for maps of a matrix without names."""
    return LETTER * TILES * type_ * max(map(len, names), default=0)


def _name_rows(figure: go.Figure, side: float, type_: float) -> float:
    """Write names of rows and columns as large as fits; returns their height below the maps.

    ``side`` is that of a map in pixels.
    """
    names = next(figure.select_xaxes()).ticktext or ()
    if not names:
        return 0.0
    size = min(TILES * type_, 0.8 * side / len(names))
    looks = {"tickfont": {"size": size}, "ticklen": 0}
    figure.update_xaxes(looks).update_yaxes(looks)
    upright = any(axis.tickangle for axis in figure.select_xaxes())
    return size * (LETTER * max(map(len, names)) + 0.5 if upright else 1.5)


def _fold(figure: go.Figure, wide: float, type_: float) -> float:
    """Fold the names over the maps to the width of a map; returns their height in pixels."""
    most = max(1, int(wide / (LETTER * TILES * type_)))
    lines = 1
    for words in figure.layout.annotations:
        parts = words.text.split("<br>")
        folded = [
            line for part in parts for line in textwrap.wrap(part, most, break_long_words=False)
        ]
        lines = max(lines, len(folded))
        words.update(text="<br>".join(folded), font={"size": TILES * type_}, yshift=0.2 * type_)
    return (1.3 * TILES * lines + 0.7) * type_


def _place_rows(figure: go.Figure, gap: float) -> None:
    """Place the rows of maps with this gap between them, each with its words."""
    tops = sorted({axis.domain[1] for axis in figure.select_yaxes()}, reverse=True)
    part = (1 - (len(tops) - 1) * gap) / len(tops)
    places = {top: 1 - number * (part + gap) for number, top in enumerate(tops)}
    for axis in figure.select_yaxes():
        top = places[axis.domain[1]]
        axis.domain = (max(0, top - part), top)
    for words in figure.layout.annotations:
        words.y = places[min(tops, key=lambda top: abs(top - words.y))]
