"""Waterfall: an attribution as a chart; the lead is the product of its causes, on a log axis."""

from itertools import pairwise

import numpy as np
import plotly.graph_objects as go

from dynamics.core.records import Array
from dynamics.core.traits import short_name
from dynamics.core.words import count
from dynamics.draw.look import COLORS, GREY
from dynamics.findings.attribution import (
    COUNTERS,
    FEW,
    Attribution,
    Corner,
    agreed,
    counted_orders,
    over_orders,
    spread,
)

TOTAL = "#8a8f98"
RANGE = "#b4b9c2"
HOLLOW = "rgba(0,0,0,0)"
TICKS = [digit * 10.0**power for power in range(-4, 5) for digit in (1, 2, 5)]
HEIGHT = 24  # pixels of a row
TOP = 110  # pixels above and below all rows together


def reading(attribution: Attribution) -> str:
    """How to read the chart, in sentences."""
    seeds = attribution.whole.sum()
    scatter = "Error bars are quartiles over seeds." if seeds >= FEW else "Each circle is a seed."
    return (
        "Each bar begins where the one above ends, and its length is the logarithm of a cause's "
        f"factor, the geometric mean over {counted_orders(attribution)} in which the causes can be "
        "taken (Shapley): together they make the whole lead. A light line through it reaches from "
        f"the least to the greatest factor over the orders. {scatter} Hollow is what is not clear: "
        "fewer than nine in ten seeds agree on whether it saves or costs, or training was too "
        "short for its seconds. Diamonds are networks with one cause alone, against the original. "
        "Operations include the SVD that a spectral start needs. Seconds are those of the steps "
        "alone, on this machine."
    )


def draw(attribution: Attribution) -> go.Figure:
    """Bars that begin where the bar above ends; a bar's length is the logarithm of its factor.

    ``reading`` says what else is drawn. A network that never reached the level has the words "not
    reached".
    """
    figure = go.Figure()
    alone = [corner for corner in attribution.corners if len(corner.causes) == 1]
    for place, counter in enumerate(COUNTERS):
        if attribution.orders:
            _path(figure, attribution, place, counter.capitalize())
        for corner in alone:
            _beside(figure, attribution, corner, place, counter.capitalize())
    names = list(dict.fromkeys(trace.y[0] for trace in figure.data))
    seeds = count(int(attribution.whole.sum()), "seed")
    orders = len(attribution.orders)
    partly = f", {orders} of {len(attribution.all_orders)} orders"
    figure.update_layout(
        title={
            "text": f"What makes it cheaper, {seeds}"
            f"{partly * (orders < len(attribution.all_orders))}",
            "x": 0,
            "xref": "container",
            "font": {"size": 15},
        },
        height=len(names) * HEIGHT + TOP,
        margin={"l": 8, "r": 60, "t": 44, "b": 48},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        showlegend=False,
        bargap=0.25,
    )
    return _axes(figure, names)


def _axes(figure: go.Figure, names: list[str]) -> go.Figure:
    """Name the rows, separate the counters by lines, and label factors with plain numbers."""
    groups = [name.partition(",")[0] for name in names]
    for row, (before, after) in enumerate(pairwise(groups), 1):
        if before != after:
            figure.add_hline(row - 0.5, line={"color": GREY, "width": 1})
    figure.update_yaxes(
        autorange="reversed",
        automargin=True,
        showgrid=False,
        tickvals=names,
        ticktext=[_tick(name) for name in names],
    )
    return figure.update_xaxes(
        type="log",
        title_text="Times less than the original (log)",
        gridcolor=GREY,
        showgrid=True,
        tickvals=TICKS,
        ticktext=[f"{tick:,g}" for tick in TICKS],
        automargin=True,
    )


def _tick(name: str) -> str:
    """A row's label; the last row of a path is the whole of its counter."""
    counter, _, cause = name.partition(", ")
    if cause == "in all":
        return f"<b>{counter} in all</b>"
    return cause.replace("narrow with random start", "narrow, random").replace(" and α", ", α")


def _path(figure: go.Figure, attribution: Attribution, place: int, group: str) -> None:
    """A bar for each cause, and one for all together."""
    colors = {
        cause: COLORS[corner.network]
        for corner in attribution.corners
        for cause in corner.causes
        if len(corner.causes) == 1
    }
    clear = attribution.clear[:, place]
    seeds = attribution.factors[:, :, place]
    start = 1.0
    for number, cause in enumerate(attribution.causes):
        factor = float(attribution.middle[number, place])
        row = f"{group}, {cause}"
        ranged = over_orders(attribution, number, place)
        words = f"{factor:.2f} ×{f', {ranged} over the orders' if ranged else ''}"
        _bar(figure, row, (start, start * factor), colors[cause], bool(clear[number]), words)
        orders = start * attribution.of_orders[:, number, place]
        greatest = float(orders.max())
        if ranged:
            _line(figure, row, start * factor, (float(orders.min()), greatest), RANGE, 5)
        high = _seeds(figure, row, start * factor, start * seeds[:, number])
        _label(figure, row, max(start, greatest, high), f"{factor:.2f} ×")
        start *= factor
    row = f"{group}, in all"
    _bar(figure, row, (1.0, start), TOTAL, bool(clear[-1]), f"{start:.2f} ×")
    high = _seeds(figure, row, start, seeds.prod(axis=1))
    _label(figure, row, max(1.0, high), f"{start:.2f} ×")


def _bar(
    figure: go.Figure, row: str, ends: tuple[float, float], color: str, clear: bool, words: str
) -> None:
    """A bar in its colour; hollow if the effect is not clear."""
    start, end = ends
    figure.add_bar(
        y=[row],
        x=[end - start],
        base=[start],
        orientation="h",
        marker={
            "color": color if clear else HOLLOW,
            "line": {"color": color, "width": 0 if clear else 1.5},
        },
        hovertemplate=f"{row}: {words}{'' if clear else ', no clear effect'}<extra></extra>",
    )


def _line(
    figure: go.Figure,
    row: str,
    middle: float,
    ends: tuple[float, float],
    color: str,
    thickness: float,
) -> None:
    """A horizontal line through a row."""
    low, high = ends
    figure.add_scatter(
        y=[row],
        x=[middle],
        mode="markers",
        marker={"symbol": "circle", "size": 1, "color": color},
        error_x={
            "array": [max(0.0, high - middle)],
            "arrayminus": [max(0.0, middle - low)],
            "symmetric": False,
            "color": color,
            "thickness": thickness,
            "width": 0,
        },
        hoverinfo="skip",
    )


def _seeds(figure: go.Figure, row: str, middle: float, values: Array) -> float:
    """Quartiles over seeds, or a circle a seed; returns the greatest place."""
    if band := spread(values):
        _line(figure, row, middle, band, TOTAL, 1.5)
        return max(middle, band[1])
    figure.add_scatter(
        y=[row] * len(values),
        x=values.tolist(),
        mode="markers",
        marker={"symbol": "circle-open", "size": 6, "color": TOTAL},
        hoverinfo="skip",
    )
    return float(values.max())


def _beside(
    figure: go.Figure, attribution: Attribution, corner: Corner, place: int, group: str
) -> None:
    """A diamond at a network's own lead over the original; hollow if it is not clear."""
    ratios = attribution.against_original(corner)[:, place]
    row = f"{group}, {short_name(corner.network)}"
    if not len(ratios):
        _label(figure, row, 1.0, "not reached")
        return
    middle = float(np.median(ratios))
    clear = agreed(ratios) and not (COUNTERS[place] == "seconds" and attribution.short)
    high = _seeds(figure, row, middle, ratios)
    figure.add_scatter(
        y=[row],
        x=[middle],
        mode="markers",
        marker={
            "symbol": "diamond" if clear else "diamond-open",
            "size": 10,
            "color": COLORS[corner.network],
        },
        hovertemplate=f"{row}: {middle:.2f} ×{'' if clear else ', no clear effect'}<extra></extra>",
    )
    _label(figure, row, max(middle, high), f"{middle:.2f} ×")


def _label(figure: go.Figure, row: str, at: float, words: str) -> None:
    """Write a number right of a row's bar or diamond."""
    figure.add_scatter(
        y=[row],
        x=[at],
        mode="text",
        text=[f"\u2003{words}"],
        textposition="middle right",
        hoverinfo="skip",
        cliponaxis=False,
    )
