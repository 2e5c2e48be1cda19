"""Charts to be drawn: falling lines, and marks in the corners of boxes in space."""

from itertools import product
from typing import Any

import numpy as np
from plotly.subplots import make_subplots

from dynamics.core import registry
from dynamics.core.records import Trajectory
from dynamics.draw import panel
from dynamics.draw.shown import Shown
from dynamics.export.layout.subplots import abreast
from dynamics.runs.run import Run


def trajectories(records: int) -> list[Trajectory]:
    """Two networks whose errors fall in wiggles, so that no point is like its neighbours."""
    steps = np.arange(records, dtype=float)
    wiggle = np.random.default_rng(0).normal(1, 0.1, (2, records))
    return [
        Trajectory(
            network,
            steps,
            steps,
            steps,
            steps,
            {"recovery_error": np.exp(-steps * (2 + i) / records) * wiggle[i]},
        )
        for i, network in enumerate(("original", "compressed"))
    ]


def unaided(trajectories: list[Trajectory]) -> list[Shown]:
    """As a chart shows them without theory."""
    return [Shown(each) for each in trajectories]


def chart(records: int = 1000) -> dict[str, Any]:
    drawn = registry.load("charts", "recovery_error").draw(unaided(trajectories(records)))
    return dict(drawn.to_plotly_json())


def pair_in_space() -> dict[str, Any]:
    """Two charts in space with headings, and marks in the corners of what they show."""
    figure = make_subplots(
        1, 2, specs=[[{"type": "scene"}] * 2], subplot_titles=["original", "compressed"]
    )
    corners = np.array(list(product((0.0, 2000.0), (1.0, 9.0), (0.0, 30.0)))).T
    for column in (1, 2):
        marks = {"size": 4, "color": "#ff0000" if column == 1 else "#0000ff"}
        x, y, z = corners
        figure.add_scatter3d(x=x, y=y, z=z, mode="markers", marker=marks, row=1, col=column)
    for letter, words in zip("xyz", ("gradient steps", "mode i", "σ of mode i"), strict=True):
        figure.update_scenes({f"{letter}axis": {"title": {"text": words}}})
    return dict(figure.update_scenes(aspectmode="cube").to_plotly_json())


def two_panels(run: Run) -> dict[str, Any]:
    """Two charts of a run in one figure."""
    figures = [panel.of_runs([run], name) for name in ("losses", "principal_angles")]
    return dict(abreast(figures).to_plotly_json())
