"""Sweep: the outcomes of a sweep as a chart, with theory's borders on top.

One axis gives a line with its quartiles, two a heat map or a line for each value of the second, and
a third axis one such chart for each of its values.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from dynamics.core.records import Array
from dynamics.core.seeds import FEW
from dynamics.core.sweep import ENDINGS, Axis
from dynamics.core.sweep import shown as text
from dynamics.core.words import brief, plain, raised
from dynamics.draw.look import GREY, INK, RUN_COLORS
from dynamics.findings.borders import Border, borders
from dynamics.findings.sweeps import Results

# From few to many, readable in grey and by colour-blind eyes: Plotly's Cividis.
SCALE = "Cividis"
ENDING_COLORS = ("#2a9d8f", "#e9c46a", "#8f8f9c", "#b23a6f")
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
MOST_TICKS = 10
MOST_ACROSS = 3  # small charts in a row
SIDE = 320  # pixels of a small chart's height


def draw(
    results: Results, *, lines: bool = False, theory: bool = True, across: int = MOST_ACROSS
) -> go.Figure:
    """The medians of all cells so far.

    ``meta`` of a trace tells the page which cells it has: the ``part``, by the third axis, and of a
    line its place on the second.

    Args:
        results: the outcomes.
        lines: whether the second axis gives lines instead of the height of a map.
        theory: whether to draw theory's borders, each named with its standing.
        across: most small charts in a row.
    """
    sweep = results.sweep
    flat = lines or len(sweep.axes) == 1
    third = sweep.axes[2].values if len(sweep.axes) > 2 else ("",)
    across = min(across, len(third))
    down = -(-len(third) // across)
    heads = [f"{_symbol(sweep.axes[2])} = {text(value)}" for value in third if value != ""]
    figure = make_subplots(down, across, subplot_titles=heads, vertical_spacing=0.3 / down)
    marks = borders(sweep) if theory else []
    for number in range(len(third)):
        place = {"row": number // across + 1, "col": number % across + 1}
        part: Any = (..., number) if len(sweep.axes) > 2 else ...
        if flat:
            _lines(figure, results, part, place, number == 0)
        else:
            _map(figure, results, part, place, number == 0)
        for border, dash in zip(marks, DASHES, strict=False):
            inside, known = border.inside[part], border.known[part]
            _border(figure, results, border, (inside, known), dash, place, flat, number == 0)
        _axes(figure, results, place, flat)
    return figure.update_layout(
        title={"text": raised(sweep.title), "x": 0, "xref": "paper"},
        height=SIDE * down + 140,
        margin={"l": 8, "r": 8, "t": 60, "b": 8},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        legend={"orientation": "h", "x": 0, "y": -0.2, "yanchor": "top"},
        meta={"note": sweep.caption},
    )


def _map(
    figure: go.Figure, results: Results, part: Any, place: dict[str, int], first: bool
) -> None:
    """A cell for each pair of values, by their places on the axes."""
    sweep = results.sweep
    values = results.middle[part].T
    ended = sweep.outcome == "ended"
    known = results.middle[np.isfinite(results.middle)]  # all small charts have one scale
    log = sweep.measure.log and len(known) > 0 and bool((known > 0).all())
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
    if ended:
        low, high = -0.5, len(ENDINGS) - 0.5
    elif log:
        low, high = math.log10(low), math.log10(high)
    with np.errstate(all="ignore"):
        drawn = np.log10(values) if log and not ended else values
    figure.add_heatmap(
        z=drawn,
        x=list(range(values.shape[1])),
        y=list(range(values.shape[0])),
        zmin=low,
        zmax=high if high > low else low + 1,
        colorscale=_steps() if ended else SCALE,
        showscale=first and len(known) > 0,
        colorbar=_bar(results, low, high, log),
        customdata=_told(results, part),
        hovertemplate="%{customdata}<extra></extra>",
        meta={"part": _number(part) or 0},
        xgap=1,
        ygap=1,
        **place,
    )
    whole = np.asarray(results.ended.any(-1))[part].T
    _marks(figure, whole & ~np.isfinite(values), "not reached", "x-thin", place, first)
    exists = np.ones(sweep.shape, bool)
    for cell in sweep.missing:
        exists[cell.point] = False
    _marks(figure, ~exists[part].T, "cannot exist", "line-ew", place, first)


def _marks(
    figure: go.Figure, cells: Any, name: str, symbol: str, place: dict[str, int], first: bool
) -> None:
    """Mark cells without a number."""
    rows, cols = np.nonzero(cells)
    if not len(rows):
        return
    figure.add_scatter(
        x=cols.tolist(),
        y=rows.tolist(),
        name=name,
        mode="markers",
        marker={"symbol": symbol, "size": 7, "color": "#808080", "line": {"width": 1.5,
                "color": "#808080"}},
        legendgroup=name,
        showlegend=not any(trace.name == name for trace in figure.data),
        hoverinfo="skip",
        **place,
    )  # fmt: skip


def _lines(
    figure: go.Figure, results: Results, part: Any, place: dict[str, int], first: bool
) -> None:
    """A line for each value of the second axis, with its quartiles or each seed."""
    axes = results.sweep.axes
    count = len(axes[1].values) if len(axes) > 1 else 1
    low, middle, high = (
        quartile[part].reshape(len(axes[0].values), count) for quartile in results.quartiles
    )
    seeds = results.runs
    seeds = seeds[..., number, :] if isinstance(number := _number(part), int) else seeds
    seeds = seeds.reshape(len(axes[0].values), count, -1)
    x = _values(axes[0])
    for line in range(count):
        color = RUN_COLORS[line % len(RUN_COLORS)]
        name = f"{_symbol(axes[1])} = {text(axes[1].values[line])}" if len(axes) > 1 else "median"
        look = {"legendgroup": name, **place}
        if seeds.shape[-1] >= FEW:
            _band(figure, x, low[:, line], high[:, line], color, look)
        elif seeds.shape[-1] > 1:
            for seed in range(seeds.shape[-1]):
                figure.add_scatter(
                    x=x,
                    y=seeds[:, line, seed].tolist(),
                    mode="markers",
                    marker={"size": 4, "color": color, "opacity": 0.5},
                    showlegend=False,
                    hoverinfo="skip",
                    **look,
                )
        figure.add_scatter(
            x=x,
            y=middle[:, line].tolist(),
            name=name,
            mode="lines+markers",
            line={"color": color, "width": 2},
            marker={"size": 5},
            showlegend=first and count > 1,
            hovertemplate=f"{name}: %{{y}} at %{{x}}<extra></extra>",
            meta={"part": _number(part) or 0, "line": line},
            **look,
        )


def _number(part: Any) -> int | None:
    return part[1] if isinstance(part, tuple) else None


def _band(
    figure: go.Figure, x: list[Any], low: Array, high: Array, color: str, look: dict[str, Any]
) -> None:
    """The quartiles as a band; where one is not reached, the band ends."""
    known = np.isfinite(low) & np.isfinite(high)
    shades = [int(color[i : i + 2], 16) for i in (1, 3, 5)]
    places = [place for place, there in zip(x, known, strict=True) if there]
    figure.add_scatter(
        x=[*places, *places[::-1]],
        y=[*low[known].tolist(), *high[known][::-1].tolist()],
        fill="toself",
        fillcolor=f"rgba({shades[0]},{shades[1]},{shades[2]},0.2)",
        mode="lines",
        line={"width": 0},
        showlegend=False,
        hoverinfo="skip",
        **look,
    )


def _border(
    figure: go.Figure,
    results: Results,
    border: Border,
    cells: tuple[Any, Any],
    dash: str,
    place: dict[str, int],
    flat: bool,
    first: bool,
) -> None:
    """A line between the cells on the two sides of a border, in the colour of theory."""
    inside, known = cells
    axes = results.sweep.axes
    xs: list[float | None] = []
    ys: list[float | None] = []
    if flat and inside.ndim == 1:
        values = _values(axes[0])
        for i in np.flatnonzero((inside[1:] != inside[:-1]) & known[1:] & known[:-1]):
            low, high = values[i], values[i + 1]
            middle = math.sqrt(low * high) if axes[0].log else (low + high) / 2
            known_values = results.middle[np.isfinite(results.middle)]
            if len(known_values):
                xs += [middle, middle, None]
                ys += [float(known_values.min()), float(known_values.max()), None]
    elif not flat:
        for axis in (0, 1):
            pairs = np.diff(inside.astype(int), axis=axis) != 0
            both = np.logical_and(*(np.take(known, range(s, known.shape[axis] - 1 + s), axis)
                                    for s in (0, 1)))  # fmt: skip
            for i, j in np.argwhere(pairs & both):
                ends = ((i + 0.5, i + 0.5), (j - 0.5, j + 0.5))
                across, up = ends if axis == 0 else ((i - 0.5, i + 0.5), (j + 0.5, j + 0.5))
                xs += [*map(float, across), None]
                ys += [*map(float, up), None]
    if not xs:
        return
    name = f"{border.name} ({border.standing})"
    if not flat:  # light, so that the line is seen on dark cells, too
        figure.add_scatter(
            x=xs,
            y=ys,
            mode="lines",
            line={"color": "#ffffff", "width": 5},
            opacity=0.7,
            legendgroup=name,
            showlegend=False,
            hoverinfo="skip",
            meta={"halo": True},
            **place,
        )
    figure.add_scatter(
        x=xs,
        y=ys,
        name=name,
        mode="lines",
        line={"color": INK, "width": 2.5, "dash": dash},
        legendgroup=name,
        showlegend=not any(trace.name == name for trace in figure.data),
        hoverinfo="skip",
        meta={"theory": True},
        **place,
    )


def _axes(figure: go.Figure, results: Results, place: dict[str, int], flat: bool) -> None:
    sweep = results.sweep
    if flat:
        first = sweep.axes[0]
        figure.update_xaxes(title_text=first.about.heading, gridcolor=GREY, **place)
        if first.log:
            figure.update_xaxes(type="log", **place)
        values = results.middle[np.isfinite(results.middle)]
        if sweep.outcome == "ended":
            ticks = list(range(len(ENDINGS)))
            figure.update_yaxes(tickvals=ticks, ticktext=list(ENDINGS), **place)
        elif sweep.measure.log and len(values) and values.min() > 0:
            figure.update_yaxes(type="log", **place)
        title = _short(results) if place["col"] == 1 else ""
        figure.update_yaxes(title_text=title, gridcolor=GREY, **place)
        return
    for axis, update in zip(sweep.axes, (figure.update_xaxes, figure.update_yaxes), strict=False):
        count = len(axis.values)
        chosen = list(range(0, count, -(-count // MOST_TICKS)))
        named = update == figure.update_xaxes or place["col"] == 1
        update(
            title_text=axis.about.heading if named else "",
            tickvals=chosen,
            ticktext=[raised(text(_rounded(axis.values[place_]))) for place_ in chosen],
            range=[-0.5, count - 0.5],
            showgrid=False,
            zeroline=False,
            **place,
        )


def _short(results: Results) -> str:
    return raised(results.sweep.title.partition(",")[0])


def _rounded(value: Any) -> Any:
    return float(f"{value:.3g}") if isinstance(value, float) else value


def _values(axis: Axis) -> list[Any]:
    return list(axis.values)


def _symbol(axis: Axis) -> str:
    return axis.about.symbol or axis.about.title


def _steps() -> list[list[Any]]:
    """A colour for each ending."""
    count = len(ENDINGS)
    return [[(number + end) / count, color] for number, color in enumerate(ENDING_COLORS)
            for end in (0, 1)]  # fmt: skip


def _bar(results: Results, low: float, high: float, log: bool) -> dict[str, Any]:
    bar: dict[str, Any] = {"thickness": 12, "title": {"text": ""}}
    if results.sweep.outcome == "ended":
        return bar | {"tickvals": list(range(len(ENDINGS))), "ticktext": list(ENDINGS)}
    if not log:
        return bar
    ticks = _ticks(low, high)
    return bar | {
        "tickvals": [math.log10(tick) for tick in ticks],
        "ticktext": [*map(brief, ticks)],
    }


def _ticks(low: float, high: float) -> Sequence[float]:
    """Round numbers between two powers of ten: decades, or 1, 2 and 5 where these are few."""
    powers = range(math.floor(low) - 1, math.ceil(high) + 1)
    for digits in ((1,), (1, 2, 5), (1, 1.5, 2, 3, 4, 5, 6, 7, 8, 9)):
        found = [digit * 10.0**power for power in powers for digit in digits]
        found = [tick for tick in found if low - 1e-9 <= math.log10(tick) <= high + 1e-9]
        if len(found) >= 3:
            return found[:: -(-len(found) // MOST_TICKS)]
    return [10**low, 10**high]


def _told(results: Results, part: Any) -> list[list[str]]:
    """What hovering says of each cell: its values, the median, the quartiles and N."""
    sweep = results.sweep
    number = _number(part)
    more = () if number is None else (number,)
    return [
        [told(results, (i, j, *more)) for i in range(len(sweep.axes[0].values))]
        for j in range(len(sweep.axes[1].values))
    ]


def told(results: Results, point: tuple[int, ...]) -> str:
    """A cell in words: ``α = 3, r̂ = 10: 1,003, N = 1 of 1``."""
    sweep = results.sweep
    where = ", ".join(
        f"{_symbol(axis)} = {text(axis.values[place])}"
        for axis, place in zip(sweep.axes, point, strict=True)
    )
    if not results.ended[point].any():
        lacking = "cannot exist" if point in results.impossible else "not trained yet"
        return raised(f"{where}: {lacking}")
    low, middle, high = (float(quartile[point]) for quartile in results.quartiles)
    value = plain(middle, "not reached")
    if sweep.outcome == "ended" and math.isfinite(middle):
        value = ENDINGS[int(middle)]
    elif sweep.seeds >= FEW and math.isfinite(middle):
        value += f" ({plain(low)} to {plain(high)})"
    return raised(f"{where}: {value}, N = {results.counts[point]:.0f} of {sweep.seeds}")
