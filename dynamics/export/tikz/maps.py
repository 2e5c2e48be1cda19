"""Heat maps: a pair of axes without ticks for each, and one colour bar for all."""

from collections.abc import Iterator
from itertools import count
from typing import Any

import numpy as np

from dynamics.core.records import Array
from dynamics.export.layout.layout import POINT
from dynamics.export.layout.maps import beside
from dynamics.export.layout.sizes import Print
from dynamics.export.layout.subplots import axes
from dynamics.export.layout.traces import numbers
from dynamics.export.tikz.pens import folded, text, type_of

BAR = 8  # width of the colour bar with its numbers, in sizes of type
MOST_CELLS = 12_500  # of all maps: TeX's memory is small
SHADES = 1000  # units of a colour scale's length


def code(figure: dict[str, Any], how: Print) -> list[str]:
    """TikZ of the title and of each map in its place under its words."""
    layout = figure["layout"]
    type_ = layout["font"]["size"]
    left = type_ + beside(layout["yaxis"].get("ticktext") or (), type_)
    top = layout["margin"]["t"]
    has_bar = layout["coloraxis"].get("showscale") is not False
    right = BAR * type_ if has_bar else type_
    page = layout["width"] - left - right, layout["height"] - top - type_
    maps = [trace for trace in figure["data"] if trace["type"] == "heatmap"]
    lines = [
        f"\\node[anchor=north west, font=\\bfseries] at (0,{layout['height']:g}) "
        f"{{{text(layout['title']['text'])}}};"
    ]
    given = [numbers(trace["z"]) for trace in maps]
    side = next(k for k in count(1) if sum(-(-map_.size // k**2) for map_ in given) <= MOST_CELLS)
    for number, (trace, cells) in enumerate(zip(maps, given, strict=True)):
        x, y, wide, tall = _place(axes(trace), cells.shape, layout, page)
        place = f"at={{({(left + x) / POINT:.5g}bp,{(type_ + y) / POINT:.5g}bp)}}"
        size = f"width={wide / POINT:.5g}bp, height={tall / POINT:.5g}bp"
        bar = _bar(layout, page, (x, y, wide, tall)) if has_bar and not number else []
        looks = [place, size, *bar, *_scale(layout), *_ticks(layout, axes(trace), side)]
        lines += _map(_coarse(cells, side), looks)
    words = [word for word in layout.get("annotations") or () if word.get("text")]
    for word in words:
        x = left + word["x"] * page[0]
        y = type_ + word["y"] * page[1] + word.get("yshift", 0)
        font = type_of(word["font"]["size"] / POINT)
        lines.append(
            f"\\node[anchor=south, align=center, inner sep=1pt, {font}] at ({x:.5g},{y:.5g}) "
            f"{{{folded(word['text'])}}};"
        )
    return lines


def _coarse(cells: Array, side: int) -> Array:
    """Means over blocks of cells; NaN cells do not count."""
    if side == 1:
        return cells
    rows, cols = (-(-length // side) for length in cells.shape)
    around = ((0, rows * side - cells.shape[0]), (0, cols * side - cells.shape[1]))
    blocks = np.pad(cells, around, constant_values=np.nan).reshape(rows, side, cols, side)
    known = np.isfinite(blocks)
    sums = np.where(known, blocks, 0.0).sum((1, 3))
    number = known.sum((1, 3))
    means: Array = np.where(number > 0, sums / np.maximum(number, 1), np.nan)
    return means


def _place(
    names: tuple[str, str],
    shape: tuple[int, ...],
    layout: dict[str, Any],
    page: tuple[float, float],
) -> tuple[float, ...]:
    """Left, bottom, width and height of a map in its part of the page, its cells square."""
    (left, right), (bottom, top) = (layout[name]["domain"] for name in names)
    wide, tall = (right - left) * page[0], (top - bottom) * page[1]
    rows, cols = shape
    cell = min(wide / cols, tall / rows)
    return (
        left * page[0] + (wide - cell * cols) / 2,
        top * page[1] - cell * rows,
        cell * cols,
        cell * rows,
    )


def _map(cells: Array, looks: list[str]) -> Iterator[str]:
    """One number a line, row by row; NaN cells are left out."""
    rows, cols = cells.shape
    yield "\\begin{axis}["
    yield ",\n".join(["scale only axis, y dir=reverse, axis on top", *looks])
    yield f", xmin=-0.5, xmax={cols - 0.5}, ymin=-0.5, ymax={rows - 0.5}]"
    yield (
        f"\\addplot[matrix plot*, mesh/cols={cols}, point meta=explicit, unbounded coords=jump] "
        f"table[x expr={{mod(\\coordindex,{cols})}}, y expr={{floor(\\coordindex/{cols})}}, "
        "meta index=0] {"
    )
    yield "\n".join(f"{cell:.3g}" if np.isfinite(cell) else "nan" for cell in cells.flat)
    yield "};\n\\end{axis}"


def _ticks(layout: dict[str, Any], names: tuple[str, str], side: int) -> Iterator[str]:
    """Options for the names of rows and columns; cells of several rows or columns have none."""
    for name in names:
        axis = layout[name]
        words = axis.get("ticktext") or ()
        if not words or axis.get("showticklabels") is False or side > 1:
            yield f"{name[0]}tick=\\empty"
            continue
        places = ",".join(map(str, range(len(words))))
        options = ",".join(f"{{{text(word)}}}" for word in words)
        looks = type_of(axis["tickfont"]["size"] / POINT)
        if axis.get("tickangle"):
            looks += ", rotate=90, anchor=east"
        yield (
            f"{name[0]}tick={{{places}}}, {name[0]}ticklabels={{{options}}}, "
            f"{name[0]}ticklabel style={{{looks}}}, {name[0]}tick style={{draw=none}}"
        )


def _scale(layout: dict[str, Any]) -> list[str]:
    """Options for the colour scale and its ends."""
    scale = layout["coloraxis"]
    steps = " ".join(
        f"rgb255({round(SHADES * place)})=({int(shade[1:3], 16)},{int(shade[3:5], 16)},"
        f"{int(shade[5:7], 16)})"
        for place, shade in scale["colorscale"]
    )
    return [
        f"colormap={{cells}}{{{steps}}}",
        f"point meta min={scale['cmin']:.5g}, point meta max={scale['cmax']:.5g}",
    ]


def _bar_ticks(bar: dict[str, Any]) -> str:
    """Options for the words beside a colour bar that has words of its own, else empty."""
    if not bar.get("ticktext"):
        return ""
    places = ",".join(f"{tick:g}" for tick in bar["tickvals"])
    words = ",".join(f"{{{text(word)}}}" for word in bar["ticktext"])
    return f"ytick={{{places}}}, yticklabels={{{words}}}, "


def _bar(layout: dict[str, Any], page: tuple[float, float], first: tuple[float, ...]) -> list[str]:
    """Options for the colour bar, right of all maps and as high; ``first`` is the map with it."""
    x, y, wide, tall = first
    bar = layout["coloraxis"]["colorbar"]
    type_ = layout["font"]["size"]
    place = f"{(page[0] + 1.5 * type_ - x) / wide:.5g},{-y / tall:.5g}"
    return [
        "colorbar",
        f"colorbar style={{at={{({place})}}, anchor=south west, width={type_ / POINT:.5g}bp, "
        f"height={(y + tall) / POINT:.5g}bp, ytick style={{draw=none}}, {_bar_ticks(bar)}"
        f"max space between ticks=40, title={{{text(bar['title']['text'])}}}, "
        "title style={at={(0,1)}, anchor=south west}}",
    ]
