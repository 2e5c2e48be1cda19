"""Heat maps of the end-to-end matrices and, if it is known, of M* and the differences."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from dynamics.core.cells import Cells
from dynamics.core.records import Array
from dynamics.core.traits import short_name
from dynamics.draw.look import DIVERGING
from dynamics.draw.shown import Shown

KIND = "map"
LACKS = "This run was recorded without heat maps; a new one has them."


def draw(shown: Sequence[Shown], versus: str = "steps") -> go.Figure:
    """W of each network and M* above, W − M* below, on one fixed colour scale.

    A table, whose rows and columns have names, shows by itself what is missing: no W − M* there.

    Every item of ``shown`` has ``cells``. A trace's ``meta`` names the network of its map and says
    whether M* is subtracted from it.
    """
    maps = [(item.network, item.cells) for item in shown if item.cells]
    first = maps[0][1]
    names = [short_name(network) for network, _ in maps]
    aimed = _aimed(first)
    columns = len(names) + aimed
    properties, items = _names(shown[0])
    rows = 2 if first.known and not items else 1
    pairs = [(name, "W") for name in names]
    if aimed:
        pairs += [("target", "M*") if first.known else ("observed", "entries")]
    pairs += [(name, "W − M*") for name in names if rows == 2]
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
    scale = {"colorscale": DIVERGING, "cmin": -largest, "cmax": largest, "colorbar": bar}
    if items:
        _call(figure, properties, items)
    heading = {"text": _title(first), "x": 0, "xref": "paper", "xanchor": "left"}
    return figure.update_layout(
        title=heading,
        coloraxis=scale,
        meta={"note": _note(first), "size": first.goal.shape, "called": [properties, items]},
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


def _names(item: Shown) -> tuple[list[str], list[str]]:
    """The names of rows and of columns; both empty if they have none."""
    facts = item.trajectory.facts
    return list(facts.get("properties", ())), list(facts.get("items", ()))


def _call(figure: go.Figure, properties: list[str], items: list[str]) -> None:
    """Write names of rows left of the first map, and of columns below all."""
    figure.update_xaxes(tickvals=list(range(len(items))), ticktext=items, tickangle=-90)
    figure.update_yaxes(tickvals=list(range(len(properties))), ticktext=properties)
    figure.update_xaxes(showticklabels=True)
    figure.update_yaxes(showticklabels=True, col=1)
    for trace in figure.data:
        trace.customdata = [[f"{one} of {item}" for item in items] for one in properties]
        trace.hovertemplate = f"{trace.name}<br>%{{customdata}}: %{{z:.3g}}<extra></extra>"


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
