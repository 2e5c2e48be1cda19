"""How many singular values of each factor are still within 1 % of their start."""

from collections.abc import Sequence

import plotly.graph_objects as go

from dynamics.core.records import Trajectory
from dynamics.core.traits import said
from dynamics.draw.chart import blank, line

NEEDS = ("unmoved",)
NOTE = (
    "What never moves need not be trained: on a full target all but 2r of the original network's "
    "stay near ε, exactly alike; the compressed network keeps r̂ of them and moves r."
)


def draw(trajectories: Sequence[Trajectory], versus: str = "steps") -> go.Figure:
    """A line for each factor of each network, darkest for W_1."""
    figure = blank("Singular values that have not moved", versus, "count", note=NOTE)
    for trajectory in trajectories:
        depth = trajectory.series["unmoved"].shape[1]
        for factor in range(depth):
            line(
                figure,
                trajectory,
                versus,
                "unmoved",
                (factor,),
                label=f"W<sub>{factor + 1}</sub>, {said(trajectory.network)}",
                legend=factor == 0,
                shade=factor / max(depth - 1, 1),
                mode=False,
            )
    return figure.update_yaxes(rangemode="tozero")
