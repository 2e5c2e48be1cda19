"""Space: charts in three dimensions, laid out for print.

Plotly keeps words in space at a distance from the axes in pixels, whatever their size, and cuts
them off at the chart's edge. So a file has them on the page, at places from ``perspective``.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from dynamics.export.layout.perspective import SMALLER, Axis, View, lines, words
from dynamics.export.layout.traces import numbers, show_values

ABREAST = 18  # sizes of type: least width of one of several charts in a row
ROW = 19  # pixels: Plotly's least height of a row of the legend
ROOM = 0.015  # share of an axis's length beyond both its ends
TALL = 0.72  # height of one of several charts in a column, to its width
NARROW = (310, 400)  # pixels of a chart on a page; a page may show it wider, but not higher
LARGE = 15  # pixels of letters on a page, where Plotly keeps words further from the axes
MIDDLE = "#a3a8b2"  # grey that is visible on white and on black
OWN = 110  # pixels that Plotly's own words need in addition to the room of ours
SPATIAL = ("scatter3d", "surface")


def lay_out_space(figure: go.Figure, type_: float, rows: int, ink: str, grid: str) -> None:
    """Lay out charts in three dimensions, seen in the page's direction, as large as they fit.

    They stand in a row, or in a column where a row would leave too little room for the words at
    their axes. ``rows`` is the number of rows of the legend.
    """
    scenes = scenes_of(figure)
    layout = figure.layout
    if not scenes:
        return
    head = 2.8 * type_ + rows * max(1.5 * type_, ROW)
    layout.margin = {"l": type_, "r": type_, "t": head, "b": type_ / 2, "autoexpand": False}
    layout.title.update(automargin=False, y=1, yanchor="top")
    across = len(scenes) if layout.width >= ABREAST * type_ * len(scenes) else 1
    down = len(scenes) // across
    wide = layout.width - 2 * type_
    heading = 2 * type_ if len(layout.annotations) == len(scenes) else 0
    if down > 1:
        layout.height = round(head + type_ / 2 + down * (heading + TALL * wide), 2)
    tall = layout.height - head - type_ / 2
    for number, scene in enumerate(scenes):
        left = number % across / across
        top = 1 - number // across / down
        gap = type_ / wide if across > 1 else 0
        scene.domain = {
            "x": (left, left + 1 / across - gap),
            "y": (max(0, top - 1 / down), top - heading / tall),
        }
        if heading:
            place = {"x": left, "xanchor": "left", "y": top, "yanchor": "top", "borderpad": 0}
            figure.layout.annotations[number].update(place, font={"size": type_})
        _lay_out_scene(figure, scene, type_, ink, grid)


def apart(figure: go.Figure) -> list[tuple[str, go.Figure]]:
    """Each chart in space as a heading and a figure of its own; a single chart stays as it is."""
    scenes = scenes_of(figure)
    if len(scenes) < 2:
        return [("", figure)]
    parts = []
    for scene, heading in zip(scenes, figure.layout.annotations, strict=True):
        traces = [go.Figure([trace]).data[0] for trace in shown_in(figure, scene)]
        part = go.Figure([trace.update(scene="scene") for trace in traces])
        looks = scene.to_plotly_json() | {"domain": {"x": (0, 1), "y": (0, 1)}}
        part.update_layout(scene=looks, margin={"l": 0, "r": 0, "t": 0, "b": 0})
        part.update_layout(width=NARROW[0], height=NARROW[1], paper_bgcolor="rgba(0,0,0,0)")
        _lay_out_scene(part, part.layout.scene, LARGE, MIDDLE, MIDDLE)
        part.update_layout(width=None, height=None)
        parts.append((heading.text, part))
    return parts


def shown_in(figure: go.Figure, scene: Any) -> list[Any]:
    """The traces of a scene."""
    return [trace for trace in _in_space(figure) if (trace.scene or "scene") == scene.plotly_name]


def _in_space(figure: go.Figure) -> list[Any]:
    return [trace for trace in figure.data if trace.type in SPATIAL]


def scenes_of(figure: go.Figure) -> list[Any]:
    """The scenes that have traces, in order."""
    return list(figure.select_scenes()) if _in_space(figure) else []


def _lay_out_scene(figure: go.Figure, scene: Any, type_: float, ink: str, grid: str) -> None:
    """Set a scene's axes, from end to end of its traces, and its eye."""
    shown = shown_in(figure, scene)
    for trace in shown:
        show_values(trace)
    for letter in "xyz":
        axis = scene[f"{letter}axis"]
        ends = _ends([trace[letter] for trace in shown], letter, axis.type == "log")
        ticks = Axis("", ends[0], ends[1], axis.type == "log")
        axis.update(
            range=ends,
            tickmode="array",
            tickvals=[10**tick if ticks.log else tick for tick in ticks.ticks],
            ticktext=[ticks.said(tick) for tick in ticks.ticks],
            tickfont={"size": (12 * SMALLER * type_) ** 0.5},  # Plotly draws size s as s²/12
            title={"font": {"size": type_}},
            gridcolor=grid,
            linecolor=ink,
            zeroline=False,
            showbackground=False,
        )
    sides = scene.aspectratio if scene.aspectmode != "cube" else None
    scene.aspectmode = "manual"
    scene.aspectratio = {side: (sides and sides[side]) or 1 for side in "xyz"}
    view = view_of(figure, scene).fitted(_axes(scene), type_)
    scene.camera.update(eye=_point(view.eye), center=_point(view.center))


def _ends(given: Sequence[Any], letter: str, log: bool) -> tuple[float, float]:
    """The least and the largest value, with some room; a height begins at zero."""
    values = np.concatenate([numbers(heights).ravel() for heights in given])
    values = values[np.isfinite(values) & ((values > 0) | (not log))]
    low, high = (float(values.min()), float(values.max())) if len(values) else (1.0, 1.0)
    if log:
        low, high = float(np.log10(low)), float(np.log10(high))
    elif letter == "z":
        low = min(0.0, low)
    room = ROOM * (high - low) or 0.5  # lines at the ends would be cut in half
    return low - room, high + room


def _point(vector: Any) -> dict[str, float]:
    return dict(zip("xyz", map(float, vector), strict=True))


def view_of(figure: go.Figure, scene: Any) -> View:
    """The camera of a dressed figure's scene, and the size of its part of the page."""
    margin = figure.layout.margin
    domain = scene.domain
    camera = scene.camera
    wide = figure.layout.width - margin.l - margin.r
    tall = figure.layout.height - margin.t - margin.b
    eye, center, sides = (
        np.array([vector[side] if vector[side] is not None else usual for side in "xyz"])
        for vector, usual in ((camera.eye, 1.25), (camera.center, 0.0), (scene.aspectratio, 1.0))
    )
    width = wide * (domain.x[1] - domain.x[0])
    height = tall * (domain.y[1] - domain.y[0])
    return View(eye, center, sides, width, height)


def _axes(scene: Any) -> list[Axis]:
    return [
        Axis(axis.title.text or "", float(axis.range[0]), float(axis.range[1]), axis.type == "log")
        for axis in (scene.xaxis, scene.yaxis, scene.zaxis)
    ]


def turnable(dressed: dict[str, Any]) -> dict[str, Any]:
    """A dressed figure with room for Plotly's own words, which move when the chart is turned."""
    figure = go.Figure(dressed)
    for scene in scenes_of(figure):
        view = view_of(figure, scene)
        away = (view.eye - view.center) * (1 + OWN / min(view.width, view.height))
        scene.camera.update(eye=_point(view.center + away))
    plain: dict[str, Any] = figure.to_plotly_json()
    return plain


def lettered(dressed: dict[str, Any]) -> dict[str, Any]:
    """A dressed figure whose charts in space have their axes and words drawn on the page.

    So a PDF or SVG has them as lines and letters, in the size of all others, and cuts none off. A
    chart that can be turned needs them in space: see ``turnable``.
    """
    figure = go.Figure(dressed)
    for scene in scenes_of(figure):
        _letter(figure, scene, figure.layout.font.size)
        for axis in (scene.xaxis, scene.yaxis, scene.zaxis):
            axis.update(showticklabels=False, showline=False, title={"text": ""})
    plain: dict[str, Any] = figure.to_plotly_json()
    return plain


def _letter(figure: go.Figure, scene: Any, type_: float) -> None:
    view = view_of(figure, scene)
    axes = _axes(scene)
    (left, right), (bottom, top) = scene.domain.x, scene.domain.y
    wide, tall = (right - left) / view.width, (top - bottom) / view.height
    path = "".join(
        "M" + "L".join(f"{left + x * wide:.5f},{top - y * tall:.5f}" for x, y in line)
        for line in lines(view, axes, type_)
    )
    paper = {"xref": "paper", "yref": "paper"}
    pen = {"color": scene.xaxis.linecolor, "width": type_ / 16}
    figure.add_shape(type="path", path=path, line=pen, **paper)
    for word in words(view, axes, type_):
        figure.add_annotation(
            x=left + word.at[0] * wide,
            y=top - word.at[1] * tall,
            text=word.text,
            textangle=word.angle,
            font={"size": word.size},
            showarrow=False,
            xanchor="center",  # else it would hang on the nearest side of the page
            yanchor="middle",
            borderpad=0,
            **paper,
        )
