"""Number of singular values of each factor that are still within 1 % of their start."""

from collections.abc import Sequence

import plotly.graph_objects as go

from dynamics.core.traits import short_name
from dynamics.draw.chart import blank, line
from dynamics.draw.shown import Shown

NEEDS = ("unmoved",)
NOTE = (
    "Number of singular values of each factor that never left ε. On a full target that is all but "
    "2r of the original network's; the compressed network has r̂ singular values and moves r."
)


def draw(shown: Sequence[Shown], versus: str = "steps") -> go.Figure:
    """A line for each factor of each network, darkest for W_1."""
    figure = blank("Singular values that have not moved", versus, "count", note=NOTE)
    for item in shown:
        depth = item.trajectory.series["unmoved"].shape[1]
        for factor in range(depth):
            line(
                figure,
                item,
                versus,
                "unmoved",
                (factor,),
                label=f"W<sub>{factor + 1}</sub>, {short_name(item.network)}",
                legend=factor == 0,
                shade=factor / max(depth - 1, 1),
                mode=False,
            )
    return figure.update_yaxes(rangemode="tozero")
