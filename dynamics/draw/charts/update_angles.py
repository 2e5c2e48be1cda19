"""How far the directions of each weight's update have turned from the first gradient's."""

import math
from collections.abc import Sequence

import plotly.graph_objects as go

from dynamics.draw import weights
from dynamics.draw.chart import blank, titled
from dynamics.draw.shown import Shown

NEEDS = ("gradient_angles",)
LACKS = "This run does not record how the updates of its weights turn: it tells no classes apart."
NOTE = (
    "The mean angle between the first K − 1 input directions of an update W(t) − W(0) and those of "
    "the first gradient: 0° is the same subspace, 90° a perpendicular one. Measured at every fifth "
    "record."
)
GIVEN = (
    "The mean angle between the first input directions of an update W(t) − W(0) and those of the "
    "first gradient, one less than singular values are recorded: 0° is the same subspace, 90° a "
    "perpendicular one."
)


def draw(shown: Sequence[Shown], versus: str = "steps") -> go.Figure:
    """A line for each weight matrix of each network, in degrees."""
    title = titled("Angles of updates to the first gradient", shown)
    classes = "classes" in shown[0].trajectory.facts  # else another program trains the network
    note = NOTE if classes else GIVEN
    figure = blank(title, versus, "mean angle (degrees)", note=note)
    alone = len(shown) == 1
    dash = "solid" if alone else None
    for item in shown:
        weights.add(
            figure, item, versus, "gradient_angles", alone=alone, dash=dash, scale=180 / math.pi
        )
    return figure.update_yaxes(range=[0, 92], tickvals=[0, 30, 60, 90])
