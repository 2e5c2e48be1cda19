"""Spark lines: a run's singular values, or a figure's curves, as a small picture without axes."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from dynamics.core.records import Array, Trajectory, followed
from dynamics.draw.look import color

if TYPE_CHECKING:
    import plotly.graph_objects as go

WIDTH, HEIGHT = 120, 54  # the picture's own units
MARGIN = 2.5
POINTS = 48  # of one line
MOST_LINES = 6  # of one network
FLOOR = 1e-12  # share of the largest value at which a logarithm is cut off


def spark(trajectories: Sequence[Trajectory]) -> str:
    """An SVG with the largest singular values of each network over steps, in its colour.

    Args:
        trajectories: the records of a run's networks; those without singular values are left out.
    """
    measured = [each for each in trajectories if len(each.steps) > 1]
    measured = [each for each in measured if "singular_values" in each.series]
    end = max((each.steps[-1] for each in measured), default=1.0)
    values = {each.network: each.series[followed(each.series)] for each in measured}
    top = (
        max(
            (float(np.nanmax(each[np.isfinite(each)], initial=0)) for each in values.values()),
            default=0.0,
        )
        or 1.0
    )
    lines = [
        _line(each.steps / end, values[each.network][:, i] / top, color(each.network, i / 8))
        for each in measured
        for i in range(min(values[each.network].shape[1], MOST_LINES))
    ]
    return _picture(lines)


def miniature(figure: "go.Figure") -> str:
    """An SVG with the lines of a chart in their colours, on its own kind of axes.

    Bands, points and heat maps are left out; lines in space are seen from the side, height over x.
    """
    drawn = [trace for trace in figure.data if _is_line(trace)]
    across = [_scaled(trace.x, figure.layout.xaxis.type) for trace in drawn]
    heights = [trace.z if trace.type == "scatter3d" else trace.y for trace in drawn]
    up = [_scaled(values, figure.layout.yaxis.type) for values in heights]
    left, right = _ends(across)
    low, high = _ends(up)
    lines = [
        _line((x - left) / (right - left), (y - low) / (high - low), _hex(trace.line.color))
        for trace, x, y in zip(drawn, across, up, strict=True)
    ]
    return _picture(lines)


def mosaic(values: Array, scale: str, *, log: bool) -> str:
    """An SVG with a square for each cell of a map, in the colours of one of Plotly's scales.

    Args:
        values: up × along, the lowest row first; NaN for a cell without a number.
        scale: the name of the scale.
        log: whether the colours are logarithmic.
    """
    from plotly.colors import sample_colorscale  # not at the top: a chart of lines needs none

    shown = _scaled(values, "log" if log else None)
    low, high = _ends([shown.ravel()])
    rows, cols = shown.shape
    wide, tall = (WIDTH - 2 * MARGIN) / cols, (HEIGHT - 2 * MARGIN) / rows
    cells = []
    for row, col in np.argwhere(np.isfinite(shown)):
        (paint,) = sample_colorscale(scale, [(float(shown[row, col]) - low) / (high - low)])
        x, y = MARGIN + col * wide, HEIGHT - MARGIN - (row + 1) * tall
        size = f'width="{wide - 0.4:.2f}" height="{tall - 0.4:.2f}"'
        cells.append(f'<rect fill="{paint}" x="{x:.2f}" y="{y:.2f}" {size}/>')
    return _picture(cells)


def _is_line(trace: Any) -> bool:
    """Whether a trace is a line of several points; a band has an outline without width."""
    if trace.type not in ("scatter", "scattergl", "scatter3d"):
        return False
    filled = trace.type != "scatter3d" and trace.fill
    drawn = "lines" in (trace.mode or "lines") and not filled and trace.line.width != 0
    return drawn and trace.x is not None and len(trace.x) > 1


def _scaled(values: Any, kind: str | None) -> Array:
    """Numbers as an axis of this kind places them; what it cannot place is NaN."""
    numbers = np.asarray(values, dtype=float)
    if kind != "log":
        return numbers
    least = FLOOR * float(np.nanmax(np.abs(numbers), initial=0.0))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(numbers > 0, np.log10(np.maximum(numbers, least)), np.nan)


def _ends(lines: Sequence[Array]) -> tuple[float, float]:
    known = np.concatenate([line[np.isfinite(line)] for line in lines] or [np.zeros(1)])
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
    return low, high if high > low else low + 1


def _hex(stroke: str | None) -> str:
    """A colour that an SVG file may have: Plotly's are ``#rrggbb`` or ``rgb(r, g, b)``."""
    return (
        stroke
        if stroke and re.fullmatch(r"#[0-9a-fA-F]{3,8}|rgba?\([\d., ]+\)", stroke)
        else "#888"
    )


def _picture(lines: Sequence[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'aria-hidden="true" fill="none" stroke-width="1.4" stroke-linejoin="round">'
        f"{''.join(lines)}</svg>"
    )


def _line(across: Array, up: Array, stroke: str) -> str:
    rows = np.unique(np.linspace(0, len(across) - 1, POINTS).astype(int))
    rows = rows[np.isfinite(up[rows]) & np.isfinite(across[rows])]
    x = MARGIN + (WIDTH - 2 * MARGIN) * across[rows]
    y = HEIGHT - MARGIN - (HEIGHT - 2 * MARGIN) * np.clip(up[rows], 0, 1)
    points = " ".join(f"{left:.1f},{down:.1f}" for left, down in zip(x, y, strict=True))
    return f'<polyline stroke="{stroke}" points="{points}"/>'
