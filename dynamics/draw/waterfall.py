"""Waterfall: an attribution as a chart; the lead is the product of its causes, on a log axis."""

from itertools import pairwise

import plotly.graph_objects as go

from dynamics.core.traits import short_name
from dynamics.draw.look import COLORS, GREY
from dynamics.findings.attribution import COUNTERS, Attribution, Rung, band

TOTAL = "#8a8f98"
TICKS = [digit * 10.0**power for power in range(-4, 5) for digit in (1, 2, 5)]
READING = (
    "Each bar begins where the one above ends, and its length is the logarithm of its factor: "
    "together they make the whole lead. Error bars are quartiles over seeds; diamonds are other "
    "networks against the original. Seconds are training time on this machine."
)
HEIGHT = 24  # pixels of a row
TOP = 110  # pixels above and below all rows together


def draw(attribution: Attribution) -> go.Figure:
    """Bars that begin where the bar above ends; a bar's length is the logarithm of its factor.

    Error bars are quartiles over seeds. Diamonds are other networks against the original; a network
    that never reached the level has the words "not reached".
    """
    figure = go.Figure()
    for place, counter in enumerate(COUNTERS):
        if attribution.whole.any():
            _path(figure, attribution, place, counter.capitalize())
        for rung in attribution.beside:
            _beside(figure, attribution, rung, place, counter.capitalize())
    rows = sum(len(trace.x) for trace in figure.data)
    seeds = int(attribution.whole.sum())
    figure.update_layout(
        title={
            "text": f"What makes it cheaper, {seeds} {'seed' if seeds == 1 else 'seeds'}",
            "x": 0,
            "xref": "container",
            "font": {"size": 15},
        },
        height=rows * HEIGHT + TOP,
        margin={"l": 8, "r": 60, "t": 44, "b": 48},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        showlegend=False,
        bargap=0.25,
    )
    return _axes(figure, list(dict.fromkeys(trace.y[0] for trace in figure.data)))


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
    factors = attribution.factors[:, :, place]
    start = 1.0
    for number, rung in enumerate(attribution.path[1:]):
        end = start * attribution.middle[number, place]
        low, _, high = map(float, band(factors[:, number]))
        words = f"{rung.cause}: {attribution.middle[number, place]:.2f} ×"
        _bar(
            figure, (group, rung.cause), (start, end), (start * low, start * high),
            COLORS[rung.network], words,
        )  # fmt: skip
        start = end
    low, _, high = map(float, band(factors.prod(axis=1)))
    _bar(figure, (group, "in all"), (1.0, start), (low, high), TOTAL, f"in all: {start:.2f} ×")


def _bar(
    figure: go.Figure,
    row: tuple[str, str],
    ends: tuple[float, float],
    quartiles: tuple[float, float],
    color: str,
    words: str,
) -> None:
    start, end = ends
    figure.add_bar(
        y=[f"{row[0]}, {row[1]}"],
        x=[end - start],
        base=[start],
        orientation="h",
        marker_color=color,
        error_x=_spread(end, *quartiles),
        hovertemplate=f"{row[0]}, {words}, quartiles "
        f"{quartiles[0] / start:.2f} to {quartiles[1] / start:.2f}<extra></extra>",
    )
    _label(figure, row, max(start, end, quartiles[1]), f"{end / start:.2f} ×")


def _beside(
    figure: go.Figure, attribution: Attribution, rung: Rung, place: int, group: str
) -> None:
    """A diamond at a network's own lead over the original."""
    ratios = attribution.against_original(rung)[:, place]
    row = (group, short_name(rung.network))
    if not len(ratios):
        _label(figure, row, 1.0, "not reached")
        return
    low, middle, high = band(ratios)
    figure.add_scatter(
        y=[f"{row[0]}, {row[1]}"],
        x=[middle],
        mode="markers",
        marker={"symbol": "diamond-open", "size": 10, "color": COLORS[rung.network]},
        error_x=_spread(float(middle), float(low), float(high)),
        hovertemplate=f"{row[0]}, {row[1]}: {middle:.2f} ×, quartiles {low:.2f} to {high:.2f}"
        "<extra></extra>",
    )
    _label(figure, row, float(high), f"{middle:.2f} ×")


def _spread(at: float, low: float, high: float) -> dict[str, object]:
    return {
        "array": [max(0.0, high - at)],
        "arrayminus": [max(0.0, at - low)],
        "symmetric": False,
        "color": TOTAL,
        "thickness": 1.2,
        "width": 4,
    }


def _label(figure: go.Figure, row: tuple[str, str], at: float, words: str) -> None:
    """Write a number right of a row's bar or diamond."""
    figure.add_scatter(
        y=[f"{row[0]}, {row[1]}"],
        x=[at],
        mode="text",
        text=[f"\u2003{words}"],
        textposition="middle right",
        hoverinfo="skip",
        cliponaxis=False,
    )
