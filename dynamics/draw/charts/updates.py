"""How much of each weight's update lies in few directions: its own, and the first gradient's."""

from collections.abc import Sequence

import plotly.graph_objects as go

from dynamics.draw import weights
from dynamics.draw.chart import blank, titled
from dynamics.draw.shown import Shown

NEEDS = ("own_energy", "gradient_energy")
LACKS = "This run does not record how the updates of its weights lie: it tells no classes apart."
NOTE = (
    "Full marks: the share of an update W(t) − W(0) in its own first 2K directions, for K classes. "
    "Open marks: the share in those of the first gradient. Few directions may suffice and still "
    "turn. "
    "Measured at every fifth record."
)
GIVEN = (
    "Full marks: the share of an update W(t) − W(0) in its own first directions, twice as many as "
    "singular values are recorded. Open marks: the share in as many of the first gradient. Few "
    "directions may suffice and still turn."
)
AXIS = "share of ‖W(t) − W(0)‖² (○ first gradient's)"
SHARES = {  # the dash on the page, and the mark: in print, dashes tell the matrices apart
    "own_energy": ("in its own directions", "solid", "circle"),
    "gradient_energy": ("in the first gradient's directions", "dot", "circle-open"),
}


def draw(shown: Sequence[Shown], versus: str = "steps") -> go.Figure:
    """Two lines for each weight matrix of each network, W_1 to W_L and then the backbone's."""
    title = titled("Updates in few directions", shown)
    classes = "classes" in shown[0].trajectory.facts  # else another program trains the network
    figure = blank(title, versus, AXIS, note=NOTE if classes else GIVEN)
    alone = len(shown) == 1
    for item in shown:
        for series, (words, dash, mark) in SHARES.items():
            before = len(figure.data)
            weights.add(
                figure, item, versus, series, alone=alone, label=words, dash=dash,
                legend=series == "own_energy",
            )  # fmt: skip
            for trace in figure.data[before:]:
                trace.marker.symbol = mark
    return figure.update_yaxes(range=[0, 1.02], tickvals=[0, 0.2, 0.4, 0.6, 0.8, 1])
