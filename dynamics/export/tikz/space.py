"""Charts in space, with the view and the lens of all other files: see ``perspective``.

Surfaces are tiles, painted from the farthest to the nearest. pgfplots has no such lens, so plain
TikZ draws everything, in pixels of the page.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import plotly.colors
import plotly.graph_objects as go

from dynamics.core.records import Array
from dynamics.export.layout import space
from dynamics.export.layout.layout import GRID, POINT
from dynamics.export.layout.perspective import View
from dynamics.export.layout.sizes import Print
from dynamics.export.layout.traces import listed, numbers
from dynamics.export.tikz.pens import ink, pen, text, type_of

MOST_TILES = 2500  # of all surfaces of a chart together
NEAR = 1.0  # least distance of two points of a line, in pixels
THIN = 0.5  # Plotly draws lines in space at half their width
FRAME = 12.0  # pixels of a square in the legend

Drawn = tuple[float, str]  # distance from the eye, and the command


def code(figure: dict[str, Any], how: Print) -> list[str]:
    """TikZ of title, legend, each chart in its part of the page, and the words around it."""
    lettered = go.Figure(space.lettered(figure))
    layout = lettered.layout
    return [
        *_head(lettered, how),
        *(line for scene in space.scenes_of(lettered) for line in _scene(lettered, scene)),
        *(_path(lettered, shape) for shape in layout.shapes),
        *(_word(lettered, word) for word in layout.annotations if word.text),
    ]


def _head(figure: go.Figure, how: Print) -> Iterator[str]:
    """The title, and the names in rows below it."""
    layout = figure.layout
    title = layout.legend.title.text if layout.showlegend else layout.title.text
    node = "\\node[anchor=north west, inner xsep=0pt"
    yield f"{node}, font=\\bfseries] at (0,{layout.height:g}) {{{text(title or '')}}};"
    row = 1.5 * how.font * POINT
    for number, trace in enumerate(filter(listed, figure.data)):
        y = layout.height - 2.2 * how.font * POINT - number * row
        fill = ink(trace.colorscale[-1][1] if trace.type == "surface" else trace.line.color)
        yield f"\\fill[color={fill}] (0,{y - FRAME / 2:.5g}) rectangle ++({FRAME:g},{FRAME:g});"
        yield f"{node}] at ({2 * FRAME:g},{y + row / 2:.5g}) {{{text(trace.name)}}};"


def _scene(figure: go.Figure, scene: Any) -> Iterator[str]:
    view = space.view_of(figure, scene)
    corner = _corner(figure, scene)
    shown = space.shown_in(figure, scene)
    surfaces = [trace for trace in shown if trace.type == "surface"]
    most = MOST_TILES // max(1, len(surfaces))
    pieces: list[Drawn] = []
    for trace in shown:
        if trace.type == "surface":
            pieces += _tiles(trace, scene, view, corner, most)
        else:
            pieces += _lines(trace, scene, view, corner)
    yield from _walls(scene, view, corner)
    yield from (command for _, command in sorted(pieces, key=lambda piece: -piece[0]))


def _corner(figure: go.Figure, scene: Any) -> Array:
    """The upper left corner of a scene's part of the page."""
    return _at(figure, scene.domain.x[0], scene.domain.y[1])


def _at(figure: go.Figure, x: float, y: float) -> Array:
    """A point of Plotly's paper, in pixels from the lower left corner of the page."""
    layout = figure.layout
    margin = layout.margin
    wide = layout.width - margin.l - margin.r
    tall = layout.height - margin.t - margin.b
    return np.array([margin.l + x * wide, margin.b + y * tall])


def _boxed(scene: Any, letter: str, values: Any) -> Array:
    """Values along an axis as coordinates in the box, whose middle is 0."""
    axis = scene[f"{letter}axis"]
    given = numbers(values)
    if axis.type == "log":
        given = np.log10(np.maximum(given, 10.0 ** axis.range[0]))
    share = (given - axis.range[0]) / (axis.range[1] - axis.range[0])
    placed: Array = (share - 0.5) * scene.aspectratio[letter]
    return placed


def _onto(view: View, corner: Array, points: Array) -> Array:
    """Points of the box as pixels of the page, whose y goes up."""
    return corner + view.onto(points.reshape(-1, 3)) * [1, -1]


def _far(view: View, points: Array) -> float:
    return float(np.linalg.norm(points - view.eye, axis=-1).mean())


def _plane(view: View, points: Array) -> float:
    """Distance of the vertical plane that holds all points of a mode."""
    return _far(view, np.array([0.0, float(np.mean(points[..., 1])), 0.0]))


def _joined(points: Array) -> str:
    return " -- ".join(f"({x:.5g},{y:.5g})" for x, y in points)


def _walls(scene: Any, view: View, corner: Array) -> Iterator[str]:
    """The grid on the three far sides of the box."""
    half = np.array([scene.aspectratio[letter] / 2 for letter in "xyz"])
    for wall in range(3):
        behind = -half[wall] if view.eye[wall] > 0 else half[wall]
        for along in (number for number in range(3) if number != wall):
            across = 3 - wall - along
            letter = "xyz"[along]
            for place in _boxed(scene, letter, scene[f"{letter}axis"].tickvals):
                ends = np.zeros((2, 3))
                ends[:, wall] = behind
                ends[:, along] = place
                ends[:, across] = -half[across], half[across]
                line = pen({"color": GRID, "width": POINT / 2})
                yield f"\\draw[{line}] {_joined(_onto(view, corner, ends))};"


def _lines(trace: Any, scene: Any, view: View, corner: Array) -> Iterator[Drawn]:
    """A line in space, without points that coincide on the page."""
    points = np.stack([_boxed(scene, letter, trace[letter]) for letter in "xyz"], axis=1)
    points = points[np.isfinite(points).all(1)]
    if not len(points):
        return
    page = _onto(view, corner, points)
    if "markers" in (trace.mode or ""):
        size = f"{(trace.marker.size or 6) / 2 / POINT:.3g}pt"
        for point, place in zip(points, page, strict=True):
            at = f"({place[0]:.5g},{place[1]:.5g})"
            yield (
                _far(view, point),
                f"\\fill[color={ink(trace.marker.color)}] {at} circle[radius={size}];",
            )
    if "lines" in (trace.mode or "lines"):
        way = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(page, axis=0), axis=1))])
        kept = np.unique(np.floor(way / NEAR), return_index=True)[1]
        kept = np.unique([*kept, len(page) - 1])
        line = pen({"color": trace.line.color, "width": THIN * (trace.line.width or 2)})
        yield _plane(view, points), f"\\draw[{line}, line join=round] {_joined(page[kept])};"


def _tiles(trace: Any, scene: Any, view: View, corner: Array, most: int) -> Iterator[Drawn]:
    """A surface in at most ``most`` tiles, each in the colour of its mean height."""
    x, y, z = (_boxed(scene, letter, trace[letter]) for letter in "xyz")
    if x.ndim == 1:
        x, y = np.meshgrid(x, y)
    across = max(2, most // max(1, len(z) - 1))
    columns = np.unique(np.linspace(0, z.shape[1] - 1, min(across, z.shape[1])).round().astype(int))
    points = np.stack([x, y, z], axis=-1)[:, columns]
    z = z[:, columns]
    flat = _plane(view, points) if np.ptp(y) == 0 else 0.0
    finite = z[np.isfinite(z)]
    low, high = (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 0.0)
    for row in range(len(z) - 1):
        for column in range(z.shape[1] - 1):
            place = np.s_[row : row + 2, column : column + 2]
            corners = points[place].reshape(4, 3)[[0, 1, 3, 2]]
            if not np.isfinite(corners).all():
                continue
            fill = _shade(trace.colorscale, (float(z[place].mean()) - low) / ((high - low) or 1))
            around = _joined(_onto(view, corner, corners))
            # A thin rim of the same colour covers the paper between two tiles.
            yield (
                flat or _far(view, corners),
                f"\\filldraw[color={fill}, line width=.2pt] {around} -- cycle;",
            )


def _shade(scale: Any, share: float) -> str:
    """The colour of a scale at ``share`` of its length."""
    places, shades = zip(*scale, strict=True)
    parts = np.array([plotly.colors.hex_to_rgb(shade) for shade in shades]).T
    mixed = (round(float(np.interp(share, places, part))) for part in parts)
    return ink(f"#{''.join(f'{part:02x}' for part in mixed)}")


def _path(figure: go.Figure, shape: Any) -> str:
    """An SVG path of straight lines in Plotly's paper."""
    parts = [
        np.array([_at(figure, *map(float, point.split(","))) for point in part.split("L")])
        for part in shape.path.split("M")[1:]
    ]
    return f"\\draw[{pen(shape.line.to_plotly_json())}] {' '.join(map(_joined, parts))};"


def _word(figure: go.Figure, word: Any) -> str:
    """A word placed by its middle, or by a corner if it is a heading."""
    x, y = _at(figure, word.x, word.y)
    sides = {"left": "west", "right": "east", "top": "north", "bottom": "south"}
    anchor = " ".join(sides[side] for side in (word.yanchor, word.xanchor) if side in sides)
    turned = f", rotate={-word.textangle:.4g}" if word.textangle else ""
    return (
        f"\\node[anchor={anchor or 'center'}, inner sep=0pt{turned}, "
        f"{type_of(word.font.size / POINT)}] at ({x:.5g},{y:.5g}) {{{text(word.text)}}};"
    )
