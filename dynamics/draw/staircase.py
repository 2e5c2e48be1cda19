"""Staircase: the course that is forecast for each network's singular values before a run.

A page asks for it at every move of a slider, so it is a plain dictionary, made without Plotly.
"""

from typing import Any

import numpy as np

from dynamics.core.config import Config
from dynamics.core.records import Array
from dynamics.core.traits import short_name
from dynamics.draw.look import color
from dynamics.draw.time_axis import VERSUS
from dynamics.theory.forecast import NetworkForecast, forecast
from dynamics.theory.prediction import EXACT, Facts, Known

MOST_MODES = 12
TENTHS = 2 * np.log(9)  # a logistic curve of unit pace rises from 10 to 90 % in this time
RISE = np.linspace(-2, 2, 33)  # the points of a curve, in rises from its escape
LEGEND = {"orientation": "h", "x": 1, "xanchor": "right", "y": 1, "yanchor": "bottom"}


def staircase(config: Config) -> dict[str, Any] | None:
    """σ_i of each network over steps, as far as it is forecast, for Plotly; None if nothing is.

    Each mode is half grown at its forecast escape and rises within its forecast time, along a
    logistic curve, to the target's s_i. The last step of the run is the end of the axis.
    """
    predicted = forecast(config)
    goals = Known.of(config, Facts()).goals
    traces: list[dict[str, Any]] = []
    for name, network in predicted.networks.items():
        if predicted.zone(name) == "diverges":
            continue
        sure = "" if network.escapes.standing == EXACT else " (estimate)"
        for number, (steps, curve) in enumerate(_curves(network, goals, config.steps)):
            traces.append({
                "type": "scatter",
                "mode": "lines",
                "x": steps.round(1).tolist(),
                "y": curve.round(5).tolist(),
                "name": short_name(name) + sure,
                "legendgroup": name,
                "showlegend": not number,
                "line": {"color": color(name, number / MOST_MODES), "dash": "dash", "width": 1.6},
                "hovertemplate":
                    f"σ<sub>{number + 1}</sub>: %{{y:.3g}} at %{{x:,.0f}}<extra></extra>",
            })  # fmt: skip
    if not traces:
        return None
    across = {"title": {"text": VERSUS["steps"]}, "range": [0, config.steps]}
    up = {"title": {"text": "σ<sub>i</sub> of W<sub>L</sub>⋯W<sub>1</sub>"}}
    return {"data": traces, "layout": {"xaxis": across, "yaxis": up, "legend": LEGEND}}


def _curves(network: NetworkForecast, goals: Array, end: int) -> list[tuple[Array, Array]]:
    """Steps and values of each mode whose escape, rise and goal are known."""
    escapes, rises = network.escapes.value or (), network.rises.value or ()
    curves = []
    for escape, rise, goal in list(zip(escapes, rises, goals, strict=False))[:MOST_MODES]:
        if np.isfinite(escape) and np.isfinite(rise) and rise > 0:
            steps = np.unique(np.clip([0.0, *(escape + rise * RISE), end], 0, end))
            curves.append((steps, goal / (1 + np.exp(-TENTHS * np.clip(
                (steps - escape) / rise, -20, 20)))))  # fmt: skip
    return curves
