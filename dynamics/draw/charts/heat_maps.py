"""Heat maps of the end-to-end matrices and, if it is known, of M* and the differences."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from dynamics.core.cells import Cells
from dynamics.core.records import Array
from dynamics.core.traits import short_name
from dynamics.draw.shown import Shown

KIND = "map"
LACKS = "This run was recorded without heat maps; a new one has them."
# Colours that no network has: violet below zero, green above.
COLORS = ((0.0, "#7b3294"), (0.5, "#ffffff"), (1.0, "#00783c"))


def draw(shown: Sequence[Shown], versus: str = "steps") -> go.Figure:
    """W of each network and M* above, W − M* below, on one fixed colour scale.

    Every item of ``shown`` has ``cells``. A trace's ``meta`` names the network of its map and says
    whether M* is subtracted from it.
    """
    maps = [(item.network, item.cells) for item in shown if item.cells]
    first = maps[0][1]
    names = [short_name(network) for network, _ in maps]
    aimed = _aimed(first)
    columns = len(names) + aimed
    pairs = [(name, "W") for name in names]
    rows = 1
    if first.known:
        rows = 2
        pairs += [("target", "M*"), *((name, "W − M*") for name in names)]
    elif aimed:
        pairs += [("observed", "entries")]
    titles = [" ".join(pair) for pair in pairs]
    headings = ["<br>".join(pair) for pair in pairs]  # a narrow column has no room for one line
    figure = make_subplots(rows, columns, subplot_titles=headings, vertical_spacing=0.16)
    for place, (network, cells) in enumerate(maps):
        for row in range(rows):
            meta = {"network": network, "map": place, "minus": row == 1}
            values = cells.values
            if row and values.size:
                values = values - first.goal
            _add(figure, values, titles[place + row * columns], row + 1, place + 1, meta)
    scaled = [cells.values for _, cells in maps]
    if aimed:
        _add(figure, first.goal, titles[len(names)], 1, columns, None)
        scaled = [first.goal]
    largest = max((_largest(values) for values in scaled), default=0.0) or 1.0
    bar = {"title": {"text": "entry"}, "thickness": 12, "len": 0.8}
    scale = {"colorscale": COLORS, "cmin": -largest, "cmax": largest, "colorbar": bar}
    heading = {"text": _title(first), "x": 0, "xref": "paper", "xanchor": "left"}
    return figure.update_layout(
        title=heading,
        coloraxis=scale,
        meta={"note": _note(first)},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
    )


def _aimed(cells: Cells) -> bool:
    """Whether there is a matrix to find; where classes are told apart there is none."""
    return cells.known or bool(np.isfinite(cells.goal).any())


def _largest(values: Array) -> float:
    """The largest size of an entry; 0 if none is finite."""
    return float(np.nanmax(np.abs(values))) if np.isfinite(values).any() else 0.0


def _add(
    figure: go.Figure, values: Array, name: str, row: int, col: int, meta: dict[str, object] | None
) -> None:
    hover = f"{name}<br>row %{{y}}, column %{{x}}: %{{z:.3g}}<extra></extra>"
    z = [[float(f"{value:.4g}") for value in line] for line in values]
    trace = go.Heatmap(z=z, name=name, coloraxis="coloraxis", meta=meta, hovertemplate=hover)
    figure.add_trace(trace, row, col)
    bare = {"showticklabels": False, "showgrid": False, "zeroline": False, "row": row, "col": col}
    figure.update_xaxes(constrain="domain", **bare)
    across = next(figure.select_xaxes(row=row, col=col)).plotly_name.replace("axis", "")
    figure.update_yaxes(autorange="reversed", scaleanchor=across, constrain="domain", **bare)


def _title(cells: Cells) -> str:
    if cells.step is None:
        return "Heat maps of W"
    return f"Heat maps of W at step {cells.step:,.0f}"


def _note(cells: Cells) -> str:
    rows, cols = cells.block
    parts = []
    if rows * cols > 1:
        parts.append(f"A cell is the mean of {rows} × {cols} entries.")
    if not _aimed(cells):
        return " ".join([*parts, "Colour scale: ± largest cell."])
    if not cells.known:
        parts.append("Most entries of M* are unknown; each cell averages the known ones.")
    return " ".join([*parts, "Colour scale: ± largest cell of the target."])
