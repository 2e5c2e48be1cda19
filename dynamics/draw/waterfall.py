"""Waterfall: an attribution as a chart; the lead is the product of its causes, on a log axis."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import plotly.graph_objects as go

from dynamics.core.records import Array
from dynamics.core.seeds import FEW, spread
from dynamics.core.traits import short_name
from dynamics.core.words import count
from dynamics.draw.look import COLORS, GREY
from dynamics.findings.attribution import (
    COUNTERS,
    Attribution,
    agreed,
    counted_orders,
    over_orders,
)
from dynamics.findings.causes import ALPHA, PLAIN, WHOLE, Pair, Split

TOTAL = "#8a8f98"
RANGE = "#b4b9c2"
HOLLOW = "rgba(0,0,0,0)"
TICKS = [digit * 10.0**power for power in range(-4, 5) for digit in (1, 2, 5)]
HEIGHT = 24  # pixels of a row
TOP = 110  # pixels above and below all rows together


def reading(result: Attribution | Split) -> str:
    """How to read the chart, in sentences."""
    return _reading_classes(result) if isinstance(result, Split) else _reading_matrix(result)


def _reading_classes(found: Split) -> str:
    counts = [int(found.counted(pair).sum()) for pair in found.pairs]
    return (
        "Each bar begins where the one above ends, and its length is the logarithm of a cause's "
        "factor: the cost of the network without it, divided by the cost of the one with it, "
        "medians over seeds. Together they are the whole lead over the wide head layer by layer. "
        f"{_of_seeds(counts)} Hollow is what is not clear: fewer than nine in ten seeds agree on "
        "whether it saves or costs, or training was too short for its seconds. Diamonds compare "
        "the compressed head with a plain layer and, if α is not α₀, the wide head with α with the "
        "one without; left of 1 costs more. Operations include the look at all images that a "
        "spectral start needs. Seconds are those of the steps alone, on this machine."
    )


def _reading_matrix(attribution: Attribution) -> str:
    scatter = _scatter(attribution)
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


def _scatter(attribution: Attribution) -> str:
    """What shows the scatter over seeds; a diamond's seeds may be more than those of the bars."""
    alone = [corner for corner in attribution.corners if len(corner.causes) == 1]
    counts = [int(attribution.whole.sum())]
    counts += [len(attribution.against_original(corner)) for corner in alone]
    return _of_seeds(counts)


def _of_seeds(counts: list[int]) -> str:
    if max(counts) < FEW:
        return "Each circle is a seed."
    if min(filter(None, counts)) >= FEW:
        return "Error bars are quartiles over seeds."
    return "Error bars are quartiles over seeds; of fewer than five seeds, each is a circle."


@dataclass(frozen=True)
class Row:
    """A factor of one counter.

    Attributes:
        name: the cause, or the network that is compared with the original one.
        color: of its bar or diamond.
        factor: of the medians over seeds; None if it is not known.
        seeds: the factor in each seed that counts.
        clear: whether it is more than noise.
        orders: the least and the greatest factor over the orders of the causes, and their words;
            None if all are alike.
    """

    name: str
    color: str
    factor: float | None
    seeds: Array
    clear: bool
    orders: tuple[float, float, str] | None = None


def draw(result: Attribution | Split) -> go.Figure:
    """Bars that begin where the bar above ends; a bar's length is the logarithm of its factor.

    ``reading`` says what else is drawn. A network that never reached the level has the words "not
    reached".
    """
    figure = go.Figure()
    for place, counter in enumerate(COUNTERS):
        path, whole, beside = (
            _of_classes(result, place) if isinstance(result, Split) else _of_matrix(result, place)
        )
        if path and whole:
            _path(figure, path, whole, counter.capitalize())
        for row in beside:
            _beside(figure, row, counter.capitalize())
    names = list(dict.fromkeys(trace.y[0] for trace in figure.data))
    figure.update_layout(
        title={
            "text": f"What makes it cheaper, {_counts(result)}",
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
    title = "Times less than the original (log)"
    if isinstance(result, Split):
        title = "Cost without it / cost with it (log)"
    return _axes(figure, names, title)


def _counts(result: Attribution | Split) -> str:
    """How many seeds the bars have and, if some orders are missing, how many orders."""
    seeds = count(int(result.whole.sum()), "seed")
    if isinstance(result, Split) or len(result.orders) == len(result.all_orders):
        return seeds
    return f"{seeds}, {len(result.orders)} of {len(result.all_orders)} orders"


Rows = tuple[list[Row], Row | None, list[Row]]


def _of_matrix(attribution: Attribution, place: int) -> Rows:
    """The bars of one counter, the bar of all together, and the diamonds."""
    alone = [corner for corner in attribution.corners if len(corner.causes) == 1]
    beside = []
    for corner in alone:
        ratios = attribution.against_original(corner)[:, place]
        noise = COUNTERS[place] == "seconds" and attribution.short
        sure = len(ratios) > 0 and not noise and bool(agreed(ratios))
        middle = float(np.median(ratios)) if len(ratios) else None
        name = short_name(corner.network)
        beside.append(Row(name, COLORS[corner.network], middle, ratios, sure))
    if not attribution.orders:
        return [], None, beside
    colors = {cause: COLORS[corner.network] for corner in alone for cause in corner.causes}
    clear = [bool(each) for each in attribution.clear[:, place]]
    seeds = attribution.factors[:, :, place]
    path = []
    for number, cause in enumerate(attribution.causes):
        middle = float(attribution.middle[number, place])
        orders = attribution.of_orders[:, number, place]
        told = over_orders(attribution, number, place)
        ranged = (float(orders.min()), float(orders.max()), told) if told else None
        path.append(Row(cause, colors[cause], middle, seeds[:, number], clear[number], ranged))
    total = float(attribution.total[place])
    return path, Row("in all", TOTAL, total, seeds.prod(axis=1), clear[-1]), beside


def _of_classes(found: Split, place: int) -> Rows:
    """The same where classes are told apart."""

    def row(pair: Pair, name: str, color: str) -> Row:
        factors = found.factors(pair)[:, place]
        middle = float(found.middle(pair)[place]) if len(factors) else None
        return Row(name, color, middle, factors, bool(found.clear(pair)[place]))

    path = [row(pair, pair[0], COLORS[pair[2]]) for pair in found.chain]
    whole = row(WHOLE, "in all", TOTAL)
    beside = [row(pair, pair[0], COLORS[pair[look]]) for pair, look in ((ALPHA, 2), (PLAIN, 1))
              if pair in found.pairs]  # fmt: skip
    return (path, whole, beside) if found.whole.any() else ([], None, beside)


def _axes(figure: go.Figure, names: list[str], title: str) -> go.Figure:
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
        title_text=title,
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


def _path(figure: go.Figure, rows: list[Row], whole: Row, group: str) -> None:
    """A bar for each cause, and one for all together."""
    start = 1.0
    for row in rows:
        factor = row.factor or 1.0
        name = f"{group}, {row.name}"
        low, high, told = row.orders or (1.0, 1.0, "")
        words = f"{factor:.2f} ×{f', {told} over the orders' if told else ''}"
        _bar(figure, name, (start, start * factor), row.color, row.clear, words)
        if told:
            _line(figure, name, start * factor, (start * low, start * high), RANGE, 5)
        end = _seeds(figure, name, start * factor, start * row.seeds)
        furthest = max(start, start * high if told else 0.0, end)
        _label(figure, name, furthest, f"{factor:.2f} ×")
        start *= factor
    name = f"{group}, {whole.name}"
    _bar(figure, name, (1.0, start), whole.color, whole.clear, f"{start:.2f} ×")
    end = _seeds(figure, name, start, whole.seeds)
    _label(figure, name, max(1.0, end), f"{start:.2f} ×")


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


def _beside(figure: go.Figure, row: Row, group: str) -> None:
    """A diamond at the factor of two networks; hollow if it is not clear."""
    name = f"{group}, {row.name}"
    if row.factor is None:
        _label(figure, name, 1.0, "not reached")
        return
    high = _seeds(figure, name, row.factor, row.seeds)
    words = f"{row.factor:.2f} ×{'' if row.clear else ', no clear effect'}"
    figure.add_scatter(
        y=[name],
        x=[row.factor],
        mode="markers",
        marker={
            "symbol": "diamond" if row.clear else "diamond-open",
            "size": 10,
            "color": row.color,
        },
        hovertemplate=f"{name}: {words}<extra></extra>",
    )
    _label(figure, name, max(row.factor, high), f"{row.factor:.2f} ×")


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
