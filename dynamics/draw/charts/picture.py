"""The picture with its holes, as each network fills them, as simple fills do, and as it is."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from dynamics.core.pictures import FILLS, Picture
from dynamics.core.records import Trajectory
from dynamics.core.traits import short_name
from dynamics.draw.shown import Shown

KIND = "picture"
LACKS = "This run has no picture: the problem is another one, or it is older than this chart."
ABREAST = 3  # pictures side by side
HOLE = "#d85a30"  # a colour that no grey value has; the page's own is in browser/panel/picture.js
GREYS = ((0.0, "#000000"), (1.0, "#ffffff"))


def draw(shown: Sequence[Shown], versus: str = "steps") -> go.Figure:
    """Grey values of rows × cols pixels, each picture under its name and its scores.

    Every item of ``shown`` has ``pictures``. A trace's ``meta`` names the network whose picture it
    is, its place among them and the columns of its scores; all others stay as they are.
    """
    pictures = [(item.trajectory, item.picture) for item in shown if item.picture]
    still = pictures[0][1].still
    holes = np.where(still.seen > 0, still.given.astype(float), np.nan)
    facts = shown[0].trajectory.facts
    tiles = [_tile("with holes", holes)]
    tiles += [_network(*pair, place) for place, pair in enumerate(pictures)]
    for name, fill, *scores in zip(
        FILLS, still.fills, facts["psnr_of_fills"], facts["ssim_of_fills"], strict=True
    ):
        tiles.append(_tile(FILLS[name], fill, scores))
    tiles.append(_tile("the picture itself", still.truth))
    titles = ["<br>".join(filter(None, (tile.name, tile.meta["scores"]))) for tile in tiles]
    down = -(-len(tiles) // ABREAST)
    figure = make_subplots(
        down, ABREAST, subplot_titles=titles, vertical_spacing=0.16, horizontal_spacing=0.04
    )
    for place, tile in enumerate(tiles):
        _add(figure, tile, place // ABREAST + 1, place % ABREAST + 1)
    step = pictures[0][1].step
    title = "The picture" if step is None else f"The picture at step {step:,.0f}"
    rows, cols = still.truth.shape
    return figure.update_layout(
        title={"text": title, "x": 0, "xref": "paper", "xanchor": "left"},
        coloraxis={"colorscale": GREYS, "cmin": 0, "cmax": 255, "showscale": False},
        meta={"size": [rows, cols], "modes": min(rows, cols)},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor=HOLE,
    )


def scores(psnr: float, ssim: float) -> str:
    """Both scores in words; the live page writes the same: ``browser/panel/picture.js``."""
    return f"{psnr:.1f} dB, SSIM {ssim:.3f}"


def _network(trajectory: Trajectory, picture: Picture, place: int) -> go.Heatmap:
    """A network's picture at its moment; empty before the first one."""
    reached = int((trajectory.steps <= (picture.step or 0)).sum()) if picture.values.size else 0
    values = [trajectory.series[name][reached - 1] for name in ("psnr", "ssim")] if reached else []
    tile = _tile(short_name(trajectory.network), picture.values, values)
    columns = [f"{trajectory.network}.{name}" for name in ("psnr", "ssim")]
    tile.meta |= {"network": trajectory.network, "place": place, "y": columns}
    return tile


def _tile(name: str, values: Any, found: Sequence[float] = ()) -> go.Heatmap:
    z = [[None if np.isnan(value) else int(value) for value in line] for line in values]
    meta = {"scores": scores(*found) if found else ""}
    hover = f"{name}<br>row %{{y}}, column %{{x}}: %{{z}} of 255<extra></extra>"
    return go.Heatmap(z=z, name=name, meta=meta, hovertemplate=hover)


def _add(figure: go.Figure, tile: go.Heatmap, row: int, col: int) -> None:
    figure.add_trace(tile.update(coloraxis="coloraxis"), row, col)
    bare = {"showticklabels": False, "showgrid": False, "zeroline": False, "row": row, "col": col}
    figure.update_xaxes(constrain="domain", **bare)
    across = next(figure.select_xaxes(row=row, col=col)).plotly_name.replace("axis", "")
    figure.update_yaxes(autorange="reversed", scaleanchor=across, constrain="domain", **bare)
