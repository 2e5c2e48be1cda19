"""Recovery error ‖W − M*‖_F / ‖M*‖_F, on a logarithmic axis."""

from collections.abc import Sequence

import plotly.graph_objects as go

from dynamics.core.records import Trajectory
from dynamics.draw.chart import blank, line
from dynamics.draw.time_axis import UNITS

NEEDS = ("recovery_error",)


def draw(trajectories: Sequence[Trajectory], versus: str = "steps") -> go.Figure:
    """A line for each network."""
    figure = blank("Recovery error", versus, UNITS["recovery_error"], log=True)
    for trajectory in trajectories:
        line(figure, trajectory, versus, "recovery_error", legend=True)
    return figure
