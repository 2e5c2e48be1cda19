"""Item similarity: how many properties two items share by the network's answers, WᵀW."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from dynamics.core.records import Array
from dynamics.core.traits import short_name
from dynamics.draw.matrices import matrices
from dynamics.draw.shown import Shown

KIND = "matrix"
NEEDS = ("item_similarity",)
LACKS = "The columns of this run's matrix have no names; those of the problem semantic have."
NOTE = (
    "How many properties two items share by what the network answers: WᵀW. First all "
    "are alike, then blocks appear, large ones first."
)
BAR = {"title": {"text": "shared"}}  # short: the maps of a file have what is left
WORDS = {
    "ends": ["", ""],  # with the numbers of the scale
    "scale": "Properties in common; zero is blank",
    "cell": "{row} and {column}: {value} properties in common",
    "most": "most alike",
}


def draw(shown: Sequence[Shown], versus: str = "steps") -> go.Figure:
    """A matrix of items × items for each network at one moment, and the one to be learned.

    A trace's ``meta`` names the columns of its entries, row after row; the goal has none.
    """
    facts = shown[0].trajectory.facts
    items = list(facts["items"])
    goal = np.asarray(facts["shared_properties"], float)
    traces = [_network(item, items) for item in shown] + [_matrix("target", goal, items)]
    figure = matrices(traces, items, float(goal.max()), BAR)
    title = "Item similarity"
    if shown[0].moment is not None:
        title += f" at step {shown[0].trajectory.steps[shown[0].moment]:,.0f}"
    return figure.update_layout(
        title={"text": title, "x": 0, "xref": "paper", "xanchor": "left"},
        meta={"note": NOTE, "classes": items, "words": WORDS},
    )


def _network(item: Shown, items: Sequence[str]) -> go.Heatmap:
    """The similarities of a network; without numbers before the first record."""
    side = range(1, len(items) + 1)
    columns = [[f"{item.network}.item_similarity.{row}.{col}" for col in side] for row in side]
    shared = np.empty((0, 0))
    if item.moment is not None:
        shared = item.trajectory.series["item_similarity"][item.moment]
    meta = {"network": item.network, "x": "step", "y": columns}
    return _matrix(short_name(item.network), shared, items).update(meta=meta)


def _matrix(name: str, shared: Array, items: Sequence[str]) -> go.Heatmap:
    words = [
        [f"{one} and {other}: {value:.3g}" for other, value in zip(items, row, strict=True)]
        for one, row in zip(items, shared, strict=False)
    ]
    return go.Heatmap(
        z=[[float(f"{value:.4g}") for value in row] for row in shared],
        name=name,
        customdata=words,
        hovertemplate=f"{name}<br>%{{customdata}} properties in common<extra></extra>",
    )
