"""Recovery error ‖W − M*‖_F / ‖M*‖_F, on a logarithmic axis."""

from collections.abc import Sequence

import plotly.graph_objects as go

from dynamics.draw.chart import blank, line
from dynamics.draw.shown import Shown
from dynamics.draw.time_axis import UNITS

NEEDS = ("recovery_error",)


def draw(shown: Sequence[Shown], versus: str = "steps") -> go.Figure:
    """A line for each network."""
    figure = blank("Recovery error", versus, UNITS["recovery_error"], log=True)
    for item in shown:
        line(figure, item, versus, "recovery_error", legend=True)
    return figure
