"""How far the balance a² − αb² between neighbouring factors has drifted: 0 under gradient flow."""

from collections.abc import Sequence

import plotly.graph_objects as go

from dynamics.draw.chart import blank, line
from dynamics.draw.shown import Shown

NEEDS = ("balance",)
NOTE = (
    "a and b are a mode's values in an outer and an inner factor. Gradient flow keeps a² − αb² for "
    "every loss; gradient descent lets it drift in proportion to η. Momentum, Adam and RMSprop do "
    "not keep it. If α is changed, drift is measured from that step."
)


def draw(shown: Sequence[Shown], versus: str = "steps") -> go.Figure:
    """A line for each network."""
    figure = blank("Drift of the balance a² − αb²", versus, "drift / size", log=True, note=NOTE)
    for item in shown:
        line(figure, item, versus, "balance", legend=True)
    return figure
