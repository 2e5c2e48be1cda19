"""Train and test loss, on a logarithmic axis."""

from collections.abc import Sequence

import plotly.graph_objects as go

from dynamics.core.records import Trajectory
from dynamics.core.traits import said
from dynamics.draw.chart import blank, line

NEEDS = ("train_loss", "test_loss")


def draw(trajectories: Sequence[Trajectory], versus: str = "steps") -> go.Figure:
    """Two lines for each network: the held-out loss strong, the loss that descends faint."""
    meaning = next((t.facts["test_loss"][0] for t in trajectories if "test_loss" in t.facts), "")
    figure = blank("Test loss, and train loss (faint)", versus, meaning or "loss", log=True)
    for trajectory in trajectories:
        network = said(trajectory.network)
        line(figure, trajectory, versus, "train_loss", label=f"train, {network}", shade=0.8)
        line(figure, trajectory, versus, "test_loss", label=f"test, {network}", legend=True)
    return figure
