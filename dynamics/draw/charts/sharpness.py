"""The largest curvature of the training loss λ_max, times η."""

from collections.abc import Sequence

import plotly.graph_objects as go

from dynamics.core.traits import short_name
from dynamics.draw.chart import blank, line
from dynamics.draw.look import LAST
from dynamics.draw.shown import Shown

NEEDS = ("sharpness",)
LACKS = "This run does not record the sharpness: the setting of that name says at how many moments."
SEEN = "λ_max is the largest eigenvalue of the loss's Hessian on at most 500 training images"
LIMIT = (
    f"{SEEN}. At η λ_max = 2, dotted, gradient descent on all images ceases to be stable; on "
    "mini-batches it may do so earlier."
)
NO_LIMIT = (
    f"{SEEN}. No line marks 2: it is the limit of stability only of gradient descent with α = 1, "
    "ρ = 1, one η and no momentum."
)
EDGE = {"dash": "dot", "width": 1.5, "color": "gray"}
EDGE_NAME = "limit of stability"


def draw(shown: Sequence[Shown], versus: str = "steps") -> go.Figure:
    """A line for each network; dotted, 2 if it is the limit for all of them."""
    rate = float(shown[0].trajectory.facts["learning_rate"][0])
    plain = all(item.plain for item in shown)
    title = f"Sharpness times η, for η = {rate:g}"
    figure = blank(title, versus, "η λ<sub>max</sub>", note=LIMIT if plain else NO_LIMIT)
    for item in shown:
        label = f"η λ<sub>max</sub>, {short_name(item.network)}"
        line(figure, item, versus, "sharpness", label=label, legend=True, scale=rate)
    if plain:
        named = {"name": EDGE_NAME, "showlegend": True, "legendrank": LAST}
        figure.add_hline(2, line=EDGE, layer="below", **named)
    return figure.update_yaxes(rangemode="tozero")
