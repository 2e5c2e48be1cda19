"""Score: how good completed pictures are over a run, beside simple fills."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from dynamics.core.pictures import FILLS
from dynamics.core.records import Array
from dynamics.core.traits import short_name
from dynamics.draw.chart import blank, line
from dynamics.draw.look import LAST, RING
from dynamics.draw.shown import Shown

LINE = {"dash": "dot", "width": 1, "color": "gray"}


def draw_score(
    shown: Sequence[Shown],
    versus: str,
    series: str,
    titles: tuple[str, str],
    note: str,
    fallen: float,
) -> go.Figure:
    """A line for each network, its best moment if it got worse, and a line for each simple fill.

    Args:
        shown: the networks.
        versus: the time axis.
        series: ``psnr`` or ``ssim``.
        titles: of the chart, and of its value axis.
        note: a sentence or two on what it means.
        fallen: how far below its best value a network is past it.
    """
    figure = blank(titles[0], versus, titles[1], note=note)
    for item in shown:
        line(figure, item, versus, series, legend=True)
        figure.data[-1].meta["fallen"] = fallen
        _mark_best(figure, item, versus, series, fallen)
    facts = shown[0].trajectory.facts
    values = facts[f"{series}_of_fills"]
    highest = max(range(len(values)), key=values.__getitem__)
    for number, value in enumerate(values):
        figure.add_hline(
            value,
            line=LINE,
            layer="below",
            annotation={
                "text": FILLS[facts["fills"][number]],
                "font": {"size": 11, "color": "gray"},
                "yanchor": "bottom" if number == highest else "top",
            },
            annotation_position="right",
        )
        figure.layout.annotations[-1].update(x=1, xanchor="right")
    return figure.update_yaxes(rangemode="tozero")


def best(values: Array, fallen: float) -> int | None:
    """The first record with the highest value; None if the last value is about as high.

    The live page finds the same: ``pages/shared/live/browser/panel/best.js``.
    """
    if not np.isfinite(values).any():
        return None
    record = int(np.nanargmax(values))
    last = values[np.isfinite(values)][-1]
    return record if values[record] - last > fallen else None


def _mark_best(figure: go.Figure, item: Shown, versus: str, series: str, fallen: float) -> None:
    """A ring at a network's best moment; the live page draws its own."""
    values = item.trajectory.series[series]
    record = best(values, fallen)
    if record is None:
        return
    steps = item.trajectory.steps[[record]]
    text = f"{short_name(item.network)}: best at step {steps[0]:,.0f}"
    figure.add_scatter(
        x=item.along(versus, steps),
        y=values[[record]],
        name="best moment",
        legendrank=LAST,
        showlegend=not any(trace.name == "best moment" for trace in figure.data),
        mode="markers",
        marker=RING,
        text=[text],
        hovertemplate="%{text}<extra></extra>",
        meta=item.axis(versus),
    )
