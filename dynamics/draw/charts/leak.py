"""How much of the factors is outside the subspace that they never leave on a full target."""

from collections.abc import Sequence

import plotly.graph_objects as go

from dynamics.core.records import Trajectory
from dynamics.draw.chart import blank, line

NEEDS = ("leak",)
NOTE = (
    "On a full target the original network moves in 2r dimensions only, the compressed one in the "
    "r̂ of its start, a narrow one with random start in those r̂ and the target's r: exact for "
    "gradient descent, of the original from orthogonal factors. Unseen entries, noise and other "
    "optimizers make it leak."
)
LACKS = (
    "This run records no leak: for a known target theory knows the subspace of square orthogonal "
    "first factors if r ≤ d/2, and of narrow random ones if r̂ + r < d."
)


def draw(trajectories: Sequence[Trajectory], versus: str = "steps") -> go.Figure:
    """A line for each network."""
    figure = blank(
        "Leak out of the invariant subspace",
        versus,
        "share of ‖W<sub>l</sub>‖",
        log=True,
        note=NOTE,
    )
    for trajectory in trajectories:
        line(figure, trajectory, versus, "leak", legend=True)
    return figure
