"""Train and test loss, on a logarithmic axis."""

from collections.abc import Sequence

import plotly.graph_objects as go

from dynamics.core.traits import short_name
from dynamics.draw.chart import blank, line
from dynamics.draw.shown import Shown

NEEDS = ("train_loss",)


def draw(shown: Sequence[Shown], versus: str = "steps") -> go.Figure:
    """Two lines for each network: test loss strong, training loss faint; or the latter alone."""
    meaning = shown[0].trajectory.facts.get("test_loss", ["loss"])[0]
    tested = any("test_loss" in item.trajectory.series for item in shown)
    title = "Test loss, and train loss (faint)" if tested else "Train loss"
    figure = blank(title, versus, meaning, log=True)
    for item in shown:
        network = short_name(item.network)
        own = "test_loss" in item.trajectory.series
        shade = 0.8 if own else 0.0
        line(
            figure,
            item,
            versus,
            "train_loss",
            label=f"train, {network}",
            legend=not own,
            shade=shade,
        )
        if own:
            line(figure, item, versus, "test_loss", label=f"test, {network}", legend=True)
    return figure
