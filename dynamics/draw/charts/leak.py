"""Share of each network's weights outside the subspace that theory says it never leaves."""

from collections.abc import Sequence

import plotly.graph_objects as go

from dynamics.draw.chart import blank, line
from dynamics.draw.shown import Shown

NEEDS = ("leak",)
NOTE = (
    "Gradient descent on a full target should stay in a small subspace: 2r dimensions for the "
    "original (exact from orthogonal factors), r̂ for the compressed network, r̂ + r for a narrow "
    "one with random start. This is the share of the weights outside it. Unseen entries, noise and "
    "other optimizers make it leak."
)
LACKS = (
    "This run records no leak. The subspace is known for a known target only, from square "
    "orthogonal factors if r ≤ d/2, and from narrow random factors if r̂ + r < d."
)


def draw(shown: Sequence[Shown], versus: str = "steps") -> go.Figure:
    """A line for each network."""
    figure = blank(
        "Leak out of the invariant subspace",
        versus,
        "share of ‖W<sub>l</sub>‖",
        log=True,
        note=NOTE,
    )
    for item in shown:
        line(figure, item, versus, "leak", legend=True)
    return figure
