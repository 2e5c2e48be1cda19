"""Overlay: our curves with the authors' numbers over them, for one draw or over seeds."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from dynamics.figure import DASHES, blank, color
from dynamics.paper import Curve, Found, band
from dynamics.trajectory import Array

POINTS = 40  # of the authors' on a curve: it stays visible between them


def curves(
    found: Found, drawn: Sequence[Curve], title: str, y: str, *, log: bool = True
) -> go.Figure:
    """Every curve over the gradient steps; the authors' numbers as points on it.

    Over several seeds: the median, the interquartile band, and N in the legend.
    """
    figure = blank(title, "steps", y, log=log)
    for curve in drawn:
        trajectories = found.of(curve.run, curve.network)
        steps, (low, middle, high) = band(trajectories, curve)
        strong = color(curve.network, curve.shade)
        name = curve.label
        if found.seeds > 1:
            _fill(figure, steps, low, high, strong)
            name += f" (median and quartiles, N = {found.seeds})"
        figure.add_scatter(
            x=steps,
            y=middle,
            name=name,
            mode="lines",
            line={"color": strong, "dash": DASHES.get(curve.network, "solid"), "width": 2},
            hovertemplate=f"{curve.label}: %{{y:.4g}} at %{{x:.6~g}}<extra></extra>",
        )
        wanted = found.published.get(curve.published)
        if wanted is not None:
            _points(figure, steps, wanted, strong)
    legend = {"orientation": "h", "x": 0, "xanchor": "left", "y": -0.2, "yanchor": "top"}
    return figure.update_layout(legend=legend)


def _fill(figure: go.Figure, steps: Array, low: Array, high: Array, strong: str) -> None:
    """The interquartile band: out along the upper quartile, back along the lower."""
    red, green, blue = (int(strong[i : i + 2], 16) for i in (1, 3, 5))
    figure.add_scatter(
        x=np.concatenate([steps, steps[::-1]]),
        y=np.concatenate([high, low[::-1]]),
        fill="toself",
        fillcolor=f"rgba({red},{green},{blue},0.18)",
        line={"width": 0},
        mode="lines",
        hoverinfo="skip",
        showlegend=False,
    )


def _points(figure: go.Figure, steps: Array, wanted: Array, strong: str) -> None:
    """The authors' numbers at some records, and at their last one."""
    every = max(1, len(wanted) // POINTS)
    picks = np.unique([*range(0, len(wanted), every), len(wanted) - 1])
    pace = steps[1] - steps[0] if len(steps) > 1 else 1
    figure.add_scatter(
        x=picks * pace,
        y=wanted[picks],
        name="the authors' numbers",
        legendgroup="published",
        showlegend="the authors' numbers" not in {trace.name for trace in figure.data},
        mode="markers",
        marker={
            "symbol": "circle-open",
            "size": 6,
            "color": strong,
            "line": {"width": 1.2, "color": strong},
        },
        hovertemplate="the authors: %{y:.4g} at %{x:.6~g}<extra></extra>",
    )
