"""Error on held-out ratings in stars, beside other methods; a ring where validation would stop."""

from collections.abc import Sequence

import plotly.graph_objects as go

from dynamics.core.traits import short_name
from dynamics.draw.chart import blank, line, mark_stop
from dynamics.draw.shown import Shown

NEEDS = ("held_out_rmse",)
LACKS = "This run has no film ratings less their means."
NOTE = (
    "Of means and network together. A ring marks where ratings kept apart for validation stop the "
    "network. Dotted: other methods, from the same ratings."
)
ROOM = 0.025  # stars that the chart shows beyond the least and the largest error of a peer
PEER = {"dash": "dot", "width": 1, "color": "gray"}


def draw(shown: Sequence[Shown], versus: str = "steps") -> go.Figure:
    """Two lines for each network: held out strong, validation faint; a dotted one for each peer."""
    figure = blank("Held-out error, and validation (faint)", versus, "RMSE (stars)", note=NOTE)
    for item in shown:
        name = short_name(item.network)
        line(figure, item, versus, "validation_rmse", label=f"validation, {name}", shade=0.7)
        line(figure, item, versus, "held_out_rmse", label=f"held out, {name}", legend=True)
        figure.data[-1].meta["stop"] = f"{item.network}.validation_rmse"
        mark_stop(figure, item, versus, "held_out_rmse")
    facts = shown[0].trajectory.facts
    for name, error in zip(facts["peers"], facts["peers_rmse"], strict=True):
        figure.add_hline(
            error,
            line=PEER,
            layer="below",
            annotation={
                "text": f"{name} {error:.3f}",
                "font": {"size": 11, "color": "gray"},
                "yanchor": "top" if name == "soft-impute" else "bottom",
            },
            annotation_position="right",
        )
        figure.layout.annotations[-1].update(x=1, xanchor="right")
    errors = facts["peers_rmse"]
    return figure.update_yaxes(range=[min(errors) - ROOM, max(errors) + ROOM])
