"""Heat maps of both end-to-end matrices, of M*, and of what is still missing, at one step."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from dynamics.core.records import Array, Picture, Trajectory
from dynamics.core.traits import said

KIND = "map"
LACKS = "This run was recorded without heat maps; a new one has them."
# No network's colours: violet below zero, green above.
COLORS = ((0.0, "#7b3294"), (0.5, "#ffffff"), (1.0, "#00783c"))


def draw(trajectories: Sequence[Trajectory], versus: str = "steps") -> go.Figure:
    """W of each network and M* above, W − M* below, in one colour scale whose limits stay.

    ``meta`` says which network's map a trace has, and whether M* is to be taken from it; all need
    a ``picture``.
    """
    pictures = [each.picture for each in trajectories if each.picture]
    goal, known = pictures[0].goal, pictures[0].known
    names = [said(each.network) for each in trajectories]
    pairs = [(name, "W") for name in names]
    pairs += [("target", "M*") if known else ("observed", "entries")]
    pairs += [(name, "W − M*") for name in names] if known else []
    titles, rows = [" ".join(pair) for pair in pairs], 2 if known else 1
    headings = ["<br>".join(pair) for pair in pairs]  # a narrow column has no room for one line
    figure = make_subplots(rows, len(names) + 1, subplot_titles=headings, vertical_spacing=0.16)
    for place, (trajectory, picture) in enumerate(zip(trajectories, pictures, strict=True)):
        for row in range(rows):
            meta = {"network": trajectory.network, "map": place, "minus": row == 1}
            cells = picture.cells - goal if row and picture.cells.size else picture.cells
            _add(figure, cells, titles[place + row * (len(names) + 1)], row + 1, place + 1, meta)
    _add(figure, goal, titles[len(names)], 1, len(names) + 1, None)
    largest = float(np.nanmax(np.abs(goal))) if np.isfinite(goal).any() else 1.0
    bar = {"title": {"text": "entry"}, "thickness": 12, "len": 0.8}
    scale = {"colorscale": COLORS, "cmin": -largest, "cmax": largest, "colorbar": bar}
    heading = {"text": _title(pictures[0]), "x": 0, "xref": "paper", "xanchor": "left"}
    return figure.update_layout(
        title=heading,
        coloraxis=scale,
        meta={"note": _note(pictures[0])},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
    )


def _add(
    figure: go.Figure, cells: Array, name: str, row: int, col: int, meta: dict[str, object] | None
) -> None:
    hover = f"{name}<br>row %{{y}}, column %{{x}}: %{{z:.3g}}<extra></extra>"
    z = [[float(f"{cell:.4g}") for cell in each] for each in cells]
    trace = go.Heatmap(z=z, name=name, coloraxis="coloraxis", meta=meta, hovertemplate=hover)
    figure.add_trace(trace, row, col)
    bare = {"showticklabels": False, "showgrid": False, "zeroline": False, "row": row, "col": col}
    figure.update_xaxes(constrain="domain", **bare)
    across = next(figure.select_xaxes(row=row, col=col)).plotly_name.replace("axis", "")
    figure.update_yaxes(autorange="reversed", scaleanchor=across, constrain="domain", **bare)


def _title(picture: Picture) -> str:
    return "Heat maps of W" + ("" if picture.step is None else f" at step {picture.step:,.0f}")


def _note(picture: Picture) -> str:
    (rows, cols), parts = picture.block, []
    if rows * cols > 1:
        parts.append(f"A cell is the mean of {rows} × {cols} entries.")
    if not picture.known:
        parts.append("Nobody knows all of M*: shown are the means of the observed entries alone.")
    return " ".join([*parts, "The colours reach to the largest cell of the target."])
