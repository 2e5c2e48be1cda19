"""Singular values of every factor W_l, on a logarithmic axis."""

from collections.abc import Sequence

import plotly.graph_objects as go

from dynamics.draw.chart import blank, line, titled
from dynamics.draw.shown import Shown

NEEDS = ("factor_singular_values",)


def draw(shown: Sequence[Shown], versus: str = "steps") -> go.Figure:
    """A line for each singular value of each factor, darkest for the largest."""
    title = titled("Singular values of the factors", shown)
    figure = blank(title, versus, "σ<sub>i</sub>(W<sub>l</sub>)", log=True)
    dash = "solid" if len(shown) == 1 else None
    for item in shown:
        depth, count = item.trajectory.series["factor_singular_values"].shape[1:]
        for factor in range(depth):
            for i in range(count):
                line(
                    figure,
                    item,
                    versus,
                    "factor_singular_values",
                    (factor, i),
                    label=f"σ<sub>{i + 1}</sub>(W<sub>{factor + 1}</sub>)",
                    shade=i / max(count - 1, 1),
                    dash=dash,
                )
    return figure
