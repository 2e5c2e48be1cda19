"""Singular values of W_L⋯W_1 in three dimensions: index × time × σ."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from dynamics.core.traits import short_name
from dynamics.draw.chart import titled
from dynamics.draw.look import GREY, color
from dynamics.draw.shown import Shown
from dynamics.draw.time_axis import VERSUS, is_log

KIND = "surface"
NEEDS = ("singular_values",)
MOST = 100  # modes of a surface, and also records
CAMERA = {"eye": {"x": -1.8, "y": -2.0, "z": 1.2}, "center": {"x": 0, "y": 0, "z": -0.2}}


def draw(shown: Sequence[Shown], versus: str = "steps") -> go.Figure:
    """A surface for each network of at most 100 modes × 100 records, thinned evenly.

    The first and the last record are kept. ``meta["y"]`` names the columns of the modes in order.
    """
    title = titled("Spectrum over time", shown)
    plain = {"gridcolor": GREY, "zerolinecolor": GREY, "showbackground": False, "nticks": 5}
    kind = "log" if is_log(versus) else "linear"
    figure = go.Figure().update_layout(
        title={"text": title, "x": 0, "xref": "paper", "xanchor": "left"},
        paper_bgcolor="rgba(0,0,0,0)",
        scene={
            "xaxis": {"title": {"text": VERSUS[versus]}, "type": kind, **plain},
            "yaxis": {"title": {"text": "mode i"}, **plain},
            "zaxis": {
                "title": {"text": "σ<sub>i</sub>"},
                "rangemode": "tozero",
                "exponentformat": "power",  # not 80p for 8 · 10⁻¹¹
                **plain,
            },
            "camera": CAMERA,
            "aspectratio": {"x": 1.4, "y": 1, "z": 0.8},
        },
    )
    for item in shown:
        _add(figure, item, versus)
    figure.update_traces(showlegend=len(figure.data) > 1)
    return figure


def _add(figure: go.Figure, item: Shown, versus: str) -> None:
    network = item.network
    values = item.trajectory.series["singular_values"][:, :MOST]
    last = len(values) - 1
    rows = np.unique(np.linspace(0, last, min(MOST, last + 1)).round().astype(int))
    columns = [f"{network}.singular_values.{i + 1}" for i in range(values.shape[1])]
    figure.add_surface(
        x=item.along(versus, item.trajectory.steps)[rows],
        y=np.arange(1, values.shape[1] + 1),
        z=values[rows].T,
        name=short_name(network),
        colorscale=[[0, color(network, 1.0)], [1, color(network)]],
        showscale=False,
        hovertemplate="σ<sub>%{y}</sub>: %{z} at %{x}<extra></extra>",
        meta={"network": network, "y": columns, **item.axis(versus)},
    )
