"""Principal angles between the top-r singular subspaces of W_L⋯W_1 and of the target."""

from collections.abc import Sequence

import plotly.graph_objects as go

from dynamics.core.traits import short_name
from dynamics.draw.chart import blank, line
from dynamics.draw.shown import Shown

NEEDS = ("left_angles", "right_angles")
DEGREES = 57.29577951308232


def draw(shown: Sequence[Shown], versus: str = "steps") -> go.Figure:
    """All r angles of the left and the right subspaces, in degrees, darkest for the largest.

    An angle belongs to two subspaces. It is lit with the mode with which it falls: the smallest
    with the first mode.
    """
    figure = blank("Principal angles to the target", versus, "θ (degrees)")
    for item in shown:
        for side in ("left", "right"):
            count = item.trajectory.series[f"{side}_angles"].shape[1]
            for i in range(count):
                line(
                    figure,
                    item,
                    versus,
                    f"{side}_angles",
                    (i,),
                    label=f"{side} θ<sub>{i + 1}</sub>, {short_name(item.network)}",
                    legend=side == "left" and i == 0,
                    shade=i / max(count - 1, 1),
                    scale=DEGREES,
                    mode=False,
                )
                figure.data[-1].meta["mode"] = count - i
    return figure.update_yaxes(range=[0, 92], tickvals=[0, 30, 60, 90])
