"""Scenes: heat maps and charts in three dimensions, as ``dress`` prepares them for print."""

from collections.abc import Mapping
from typing import Any

import plotly.graph_objects as go

GREYS = ((0.0, "#000000"), (1.0, "#ffffff"))  # from the lowest to the highest, zero half-way
NEAR = 1.42  # times the page's distance for a square; letters in print are larger beside the chart
NEAREST, FURTHEST = 0.8, 2.2  # whatever the part's shape
MOST = 22  # pixels of letters in space: larger ones meet, as they keep their places
TILES = 0.85  # of the usual type, over each of several maps
FLAT = ("scatter", "scattergl", "bar")


def unfit(figure: Mapping[str, Any]) -> tuple[tuple[str, ...], str]:
    """The formats that a figure cannot have, and why in one sentence; none for lines."""
    if all(trace.get("type", "scatter") == "scatter" for trace in figure["data"]):
        return (), ""
    return ("tikz", "gif", "mp4"), (
        "TikZ, GIF and MP4 hold charts of lines; take PDF, SVG, PNG or HTML for this one."
    )


def listed(trace: Any) -> bool:
    """Whether a trace stands in the legend: lines and bars unless told not to, others if told."""
    shown = trace.showlegend is not False if trace.type in FLAT else trace.showlegend
    return bool(trace.name and shown)


def lay_out_maps(figure: go.Figure, type_: float, grey: bool) -> None:
    """Heat maps as large as the width allows, each framed and under its own words.

    ``type_`` is the size of letters in pixels.
    """
    maps = [trace for trace in figure.data if trace.type == "heatmap"]
    if not maps or not figure.layout.coloraxis.colorscale:
        return
    figure.update_annotations(font={"size": TILES * type_}, yshift=0.2 * type_)
    bar = {"thickness": type_, "outlinewidth": 0, "len": 1, "title": {"side": "top"}}
    figure.update_layout(coloraxis={"colorbar": bar | {"tickfont": {"size": 0.9 * type_}}})
    if grey:
        figure.layout.coloraxis.colorscale = GREYS
    frame = {"ticks": "", "mirror": True, "constraintoward": "top"}
    figure.update_xaxes(frame | {"constraintoward": "center"}).update_yaxes(frame)
    across = {axis.domain for axis in figure.select_xaxes()}
    down = {axis.domain for axis in figure.select_yaxes()}
    wide = (figure.layout.width - 9 * type_) / len(across)
    tall = len(maps[0].z) / len(maps[0].z[0])
    room = len(down) * (wide * min(tall, 2) + 3 * type_) + 2 * type_
    figure.layout.height = round(max(room, min(figure.layout.height, room)), 2)
    figure.layout.margin.t = 4.5 * type_


def lay_out_space(figure: go.Figure, type_: float, ink: str, grid: str) -> None:
    """Charts in three dimensions, seen as on the page but from where all fits into their part."""
    for scene in figure.select_scenes():
        left, right = scene.domain.x or (0, 1)
        width = figure.layout.width * (right - left)
        letters = min(type_, MOST, width / 18)
        for axis, powers in ((scene.xaxis, "SI"), (scene.yaxis, "SI"), (scene.zaxis, "power")):
            axis.update(
                tickfont={"size": (12 * 0.85 * letters) ** 0.5},  # Plotly draws size s as s²/12
                title={"font": {"size": letters}},
                gridcolor=grid,
                linecolor=ink,
                zerolinecolor=grid,
                showbackground=False,
                nticks=5,
                exponentformat=powers,
            )
        back = NEAR * figure.layout.height / width
        eye = scene.camera.eye
        scene.camera.eye = {
            side: min(max(back, NEAREST), FURTHEST) * (eye[side] or 1.25) for side in "xyz"
        }
