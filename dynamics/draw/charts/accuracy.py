"""Share of held-out images that are put into their class, and of training images."""

from collections.abc import Sequence

import plotly.graph_objects as go

from dynamics.core.records import HELD_OUT, TAIL, tail_mean
from dynamics.core.traits import short_name
from dynamics.draw.chart import blank, line
from dynamics.draw.shown import Shown

NEEDS = ("accuracy",)
LACKS = "This run does not tell classes apart, so it has no accuracy."
NOTE = (
    f"The number beside a name is the mean over the last {TAIL} records on held-out images: a "
    f"single one fluctuates. A record reads up to {HELD_OUT:,} of them, the last one all. The "
    "dotted line is guessing."
)
GUESSING = {"dash": "dot", "width": 1, "color": "gray"}
# Faint is what the network learns from, and what it is stopped by.
FAINT = {"train_accuracy": ("train", 0.8), "validation_accuracy": ("validation", 0.5)}


def draw(shown: Sequence[Shown], versus: str = "steps") -> go.Figure:
    """Lines for each network: held-out accuracy strong, training and validation accuracy faint."""
    validated = any("validation_accuracy" in item.trajectory.series for item in shown)
    faint = "; train and validation (faint)" if validated else ", and train accuracy (faint)"
    figure = blank(f"Held-out accuracy{faint}", versus, "share put into their class", note=NOTE)
    for item in shown:
        network = short_name(item.network)
        mean = tail_mean(item.trajectory.series["accuracy"])
        before = len(figure.data)
        for series, (word, shade) in FAINT.items():
            if series in item.trajectory.series:
                line(figure, item, versus, series, label=f"{word}, {network}", shade=shade)
        line(figure, item, versus, "accuracy", label=f"held out, {network}", legend=True)
        figure.data[-1].meta["tail"] = TAIL
        for trace in figure.data[before:]:  # one name: the legend has a network once
            trace.name = network if mean is None else f"{network} {mean:.3f}"
    classes = len(shown[0].trajectory.facts.get("classes", ()))
    if classes:
        named = {"name": "guessing", "showlegend": True}
        figure.add_hline(1 / classes, line=GUESSING, layer="below", **named)
    return figure.update_yaxes(range=[0, 1.02], tickvals=[0, 0.2, 0.4, 0.6, 0.8, 1])
