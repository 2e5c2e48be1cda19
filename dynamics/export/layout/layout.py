"""Layout: a figure in the size, type and line width of its print.

Inches and points are set before the file is drawn, so that nothing is scaled afterwards: a column
of 3.25 inches has type of 8 points in it. Lines differ by dash as well as by colour.
"""

import re
from typing import Any

import numpy as np
import plotly.graph_objects as go

from dynamics.draw.look import INK
from dynamics.export.layout import maps, space
from dynamics.export.layout import traces as packed_traces
from dynamics.export.layout.perspective import bare
from dynamics.export.layout.sizes import Print
from dynamics.export.layout.subplots import lay_out_subplots
from dynamics.export.layout.traces import LETTER, numbers

POINT = 96 / 72  # Plotly counts in 1/96 inch
GRID = "#e3e5ea"
PAPER = "#ffffff"
FAMILY = "Arial, Liberation Sans, Helvetica, sans-serif"
FEW = 12  # lines; a chart of more lets Plotly simplify them
LINE = 1.3  # height of a line, in sizes of type
BIG = 20  # pixels of type
WORD = 5.5  # width of a number beside a bar, in sizes of type
TICKS = 6  # of an axis, at most
COMMA = 8  # letters by which a line break after a comma may be further from the middle
NORMAL = 2.0  # pixels of a usual line on the page, which takes the chosen width in print
# Stroke and gap lengths in line widths. Order matters: the first entries belong to the networks.
DASHES = {
    "solid": (),
    "dash": (5, 2.5),
    "dashdot": (6, 2, 1.2, 2),
    "longdash": (10, 3),
    "dot": (1, 1.8),
    "longdashdot": (11, 2.5, 1.5, 2.5),
    "twodots": (6, 2, 1.2, 2, 1.2, 2),
    "short": (2.5, 4),
}


def dressed(figure: dict[str, Any], how: Print) -> dict[str, Any]:
    """A copy of the figure, a Plotly dictionary, ready to be drawn at ``how``'s size."""
    printed = go.Figure(figure)
    _distinguish(printed)
    _scale_lines(printed, how.line * POINT / NORMAL)
    rows = _lay_out(printed, how)
    maps.lay_out_maps(printed, how.font * POINT, how.grey, how.framed)
    space.lay_out_space(printed, how.font * POINT, rows, INK, GRID)
    plain: dict[str, Any] = printed.to_plotly_json()
    return _greyed(plain) if how.grey else plain


def _distinguish(figure: go.Figure) -> None:
    """Give every group of lines a place in the legend and a dash of its own.

    In the legend's order, each group keeps its dash, or takes the next free one.
    """
    groups: dict[str, list[Any]] = {}
    listed: set[str] = set()
    for trace in figure.data:
        if not trace.name:  # a band around a line; the line has the name
            continue
        if trace.name in listed:  # the legend has each name once
            trace.showlegend = False
        elif trace.showlegend is not False:
            listed.add(trace.name)
        if trace.type in ("scatter", "scattergl") and "lines" in (trace.mode or ""):
            groups.setdefault(trace.name, []).append(trace)
    for traces in groups.values():
        if not any(trace.showlegend is not False for trace in traces):
            traces[0].showlegend = True
    taken: set[str] = set()
    for traces in sorted(groups.values(), key=lambda traces: traces[0].legendrank or 1000):
        own = traces[0].line.dash or "solid"
        dash = next((style for style in (own, *DASHES) if style not in taken), own)
        taken.add(dash)
        for trace in traces:
            trace.update(meta={"dash": dash})


def _pattern(dash: str, width: float) -> str:
    """A dash, by its name or in pixels of the page's lines, in pixels of a line this wide."""
    if dash in DASHES:
        lengths: tuple[float, ...] = DASHES[dash]
    else:
        lengths = tuple(float(part.removesuffix("px")) / NORMAL for part in dash.split(","))
    return ",".join(f"{length * width:.3g}px" for length in lengths) or "solid"


def _scale_lines(figure: go.Figure, factor: float) -> None:
    many = len(figure.data) > FEW
    for trace in figure.data:
        if trace.type == "scatter3d" and trace.line.width:
            trace.line.width *= factor
        elif trace.type == "scatter" and "line" in trace:
            width = (NORMAL if trace.line.width is None else trace.line.width) * factor
            dash = (trace.meta or {}).get("dash") or trace.line.dash or "solid"
            trace.line.width = width
            trace.line.simplify = many  # print would show the corners of few lines
            trace.line.dash = _pattern(dash, width)
        has_marks = trace.type.startswith("scatter") and "marker" in trace
        if has_marks and isinstance(trace.marker.size, int | float):
            trace.marker.size *= factor
            trace.marker.line.width = (trace.marker.line.width or 0) * factor
    for shape in figure.layout.shapes:
        shape.line.width = (shape.line.width or NORMAL) * factor
        shape.line.dash = _pattern(shape.line.dash or "solid", shape.line.width)


def _lay_out(figure: go.Figure, how: Print) -> int:
    """Set size, type and axes; returns the number of rows of the legend."""
    size = how.inches
    type_ = how.font * POINT
    listed = [trace for trace in figure.data if packed_traces.listed(trace)]
    title = {"text": figure.layout.title.text or "", "font": {"size": 1.05 * type_, "weight": 600}}
    figure.update_layout(
        template={},
        width=round(size.width * 96, 2),
        height=round(size.height * 96, 2),
        autosize=False,
        font={"family": FAMILY, "size": type_, "color": INK},
        margin={"l": type_, "r": 2 * type_, "t": type_, "b": type_, "pad": 0, "autoexpand": True},
        paper_bgcolor=PAPER,
        plot_bgcolor=PAPER,
        showlegend=bool(listed),
    )
    rows = _rows_of(figure, listed, type_)
    row = max(LINE * type_, 16) + 3  # pixels: Plotly's height of a row
    if not how.framed:
        figure.layout.height += max(0, rows - 1) * row
    room = rows * row + 7 * type_  # above and below the plot
    usual = figure.layout.height - room
    lay_out_subplots(figure, type_, (figure.layout.width - 7 * type_, usual))
    if listed:  # the title is in the legend's box; outside, many names would cover it
        figure.update_layout(
            title=None,
            legend=LEGEND | {"title": title | {"side": "top"}, "itemwidth": max(30, 3 * type_)},
        )
    else:
        figure.update_layout(title=title | TITLE | {"pad": {"t": 0.9 * type_}})
    _lay_out_axes(figure, type_, figure.layout.height - room, usual)
    _lay_out_rows(figure, how, type_, room)
    _lay_out_marks(figure, type_, figure.layout.height - room)
    if type_ > BIG:
        _loosen(figure, listed)
    return rows


def _lay_out_rows(figure: go.Figure, how: Print, type_: float, room: float) -> None:
    """Fit a chart of named rows: its height to their number; on a slide, its type."""
    names = figure.layout.yaxis.tickvals
    if not names or not isinstance(names[0], str):
        return
    high = LINE * type_ * len(names)
    if not how.framed:
        figure.layout.height = round(max(figure.layout.height, room + high), 2)
    small = min(1, (figure.layout.height - room) / high) * type_
    figure.layout.margin.r = WORD * type_
    figure.layout.yaxis.tickfont.size = 0.9 * small
    figure.update_traces(textfont={"size": small}, selector={"mode": "text"})


def _lay_out_marks(figure: go.Figure, type_: float, plot: float) -> None:
    """Put the words of a change over its mark; between the lines they would hide some lines."""
    marks = [word for word in figure.layout.annotations if word.xref != "paper"]
    for mark in marks:
        mark.update(font={"size": 0.85 * type_}, yanchor="bottom", borderpad=0)
    if marks:
        figure.layout.legend.y += 1.4 * type_ / plot


def _lay_out_axes(figure: go.Figure, type_: float, plot: float, usual: float) -> None:
    """Set ticks and grid in proportion to the type; fold titles of y axes that are too long.

    ``plot`` is the height of all subplots together, in pixels; ``usual`` is a single one's height.
    """
    looks = {
        "showline": True,
        "linecolor": INK,
        "linewidth": 0.75 * type_ / 8,
        "ticks": "outside",
        "ticklen": type_ / 3,
        "tickwidth": 0.5 * type_ / 8,
        "tickcolor": INK,
        "gridcolor": GRID,
        "gridwidth": 0.5 * type_ / 8,
        "zeroline": False,
        "automargin": True,
    }
    for axis in (*figure.select_xaxes(), *figure.select_yaxes()):
        length = _share(axis) * (1 if axis.plotly_name.startswith("x") else plot / usual)
        most = min(TICKS, max(2, round(1.5 * TICKS * length)))
        # Plotly enlarges powers of ten by a quarter.
        axis.update(looks, tickfont={"size": type_ * (0.8 if axis.type == "log" else 0.9)})
        if axis.type == "log":
            axis.update(dtick=_decades(figure, axis, most), nticks=None)
        else:
            axis.nticks = most
        axis.update(title={"font": {"size": type_}, "standoff": type_ / 2})
    for axis in figure.select_yaxes():
        letters = (_share(axis) * plot + 4 * type_) / (LETTER * type_)
        axis.title.text = _folded(axis.title.text or "", letters)


def _share(axis: Any) -> float:
    """An axis's share of the whole length."""
    return float(axis.domain[1] - axis.domain[0]) if axis.domain else 1.0


def _loosen(figure: go.Figure, listed: list[Any]) -> None:
    """Add room in the legend and left of the y axis, where Plotly ignores the size of the type."""
    for item in (*listed, *(shape for shape in figure.layout.shapes if shape.showlegend)):
        item.name = f"\u2002{item.name}\u2002"
    for axis in figure.select_yaxes():
        axis.title.text = f"<br>{axis.title.text}"


def _folded(text: str, most: float) -> str:
    """A text in two lines if it is longer than ``most`` letters, preferably after a comma."""
    if len(bare(text)) <= most or " " not in text:
        return text
    gaps = [place for place, sign in enumerate(text) if sign == " "]
    gap = min(
        gaps,
        key=lambda place: abs(place - len(text) / 2) - (COMMA if text[place - 1] == "," else 0),
    )
    return f"{text[:gap]}<br>{text[gap + 1 :]}"


def _rows_of(figure: go.Figure, listed: list[Any], type_: float) -> int:
    """The number of rows of the legend, estimated from the usual width of letters."""
    longest = max((len(bare(trace.name)) for trace in listed), default=0)
    room = figure.layout.width - 7 * type_
    columns = max(1, room // (max(30, 3 * type_) + (0.55 * longest + 1) * type_))
    return int(-(-len(listed) // columns))


def _decades(figure: go.Figure, axis: Any, most: int) -> float | None:
    """Decades between two of at most ``most`` ticks; None for Plotly's own choice."""
    letter = axis.plotly_name[0]
    number = axis.plotly_name[5:]
    lines = [
        numbers(trace[letter])
        for trace in figure.data
        if trace[letter] is not None and (trace[f"{letter}axis"] or letter) == letter + number
    ]
    values = np.concatenate([[], *lines])
    values = values[np.isfinite(values) & (values > 0)]
    span = np.log10(values.max() / values.min()) if len(values) else 0
    return float(np.ceil(span / most)) if span >= 2 else None


LEGEND = {
    "orientation": "h", "x": 0, "xanchor": "left", "y": 1.01, "yanchor": "bottom",
    "maxheight": 9999, "tracegroupgap": 0, "bgcolor": "rgba(0,0,0,0)",
}  # fmt: skip
TITLE = {"x": 0, "xref": "paper", "xanchor": "left", "automargin": True, "yref": "container"}
COLOR = re.compile(r"#[0-9a-f]{6}", re.IGNORECASE)
CLEAR = re.compile(r"rgba\((\d+), ?(\d+), ?(\d+), ?([\d.]+)\)")


def _greyed(plain: Any) -> Any:
    """A figure whose every colour is the grey of its brightness (Rec. 709)."""
    if isinstance(plain, dict):
        return {name: _greyed(value) for name, value in plain.items()}
    if isinstance(plain, list | tuple):
        return [_greyed(value) for value in plain]
    if isinstance(plain, str) and COLOR.fullmatch(plain):
        level = _level(*(int(plain[i : i + 2], 16) for i in (1, 3, 5)))
        return f"#{level:02x}{level:02x}{level:02x}"
    if isinstance(plain, str) and (match := CLEAR.fullmatch(plain)):
        level = _level(*map(int, match.groups()[:3]))
        return f"rgba({level},{level},{level},{match[4]})"
    return plain


def _level(red: int, green: int, blue: int) -> int:
    return round(0.2126 * red + 0.7152 * green + 0.0722 * blue)
