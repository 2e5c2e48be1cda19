"""Charts in the plane: lines, marks, bands and bars, on one or several pairs of axes."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from dynamics.core.records import Array
from dynamics.export.layout.layout import CLEAR, POINT
from dynamics.export.layout.perspective import Axis, bare
from dynamics.export.layout.sizes import Print
from dynamics.export.layout.subplots import axes, pairs
from dynamics.export.layout.traces import LETTER, numbers
from dynamics.export.tikz.pens import BREAK, ink, pen, stroke, text

SAMPLE = 4  # width of a line in the legend, in sizes of type
ROOM = 7  # room for the words around several subplots, in sizes of type
WORD = 7  # width of the words right of bars, in sizes of type
NARROW = 0.6  # share of the width below which a panel is one of several
LONG = 1e4  # from here on, numbers need twice the room
PLAIN = 1e6  # below it, numbers have no power of ten
MARKS = {
    "circle-open": "o",
    "triangle-up": "triangle*",
    "x": "x",
    "circle": "*",
    "square": "square*",
    "diamond": "diamond*",
    "diamond-open": "diamond",
    "square-open": "square",
    "triangle-up-open": "triangle",
    "cross": "+",
}
RANK = 1000  # Plotly's default rank in the legend
EDGE = 0.04  # share of an axis's length beyond the ends of bars
BAR = 0.375  # half the height of a bar in its row


def code(figure: dict[str, Any], how: Print) -> list[str]:
    """TikZ of a dressed figure's axes, one block for each pair."""
    figure = _numbered(figure)
    parts = pairs(figure)
    return [_subplot(figure, number, parts, how) for number in range(len(parts))]


def _numbered(figure: dict[str, Any]) -> dict[str, Any]:
    """A figure whose named rows, if any, are numbers from 0 downwards."""
    axis = figure["layout"]["yaxis"]
    names = list(axis.get("tickvals") if axis.get("tickvals") is not None else ())
    if not names or not isinstance(names[0], str):
        return figure
    place = {name: float(number) for number, name in enumerate(names)}
    rows = axis | {"tickvals": list(place.values()), "range": (len(names) - 0.4, -0.6)}
    data = [trace | {"y": [place[name] for name in trace["y"]]} for trace in figure["data"]]
    return figure | {"data": data, "layout": figure["layout"] | {"yaxis": rows}}


def _subplot(
    figure: dict[str, Any], number: int, parts: Sequence[tuple[str, str]], how: Print
) -> str:
    """One pair of axes; the first has the title and the legend of all."""
    layout = figure["layout"]
    x, y = parts[number]
    traces = [trace for trace in figure["data"] if axes(trace) == (x, y)]
    options = [
        _place(figure, parts, number, how),
        *(_axis(layout[name], name[0], _ends(figure, name)) for name in (x, y)),
        f"enlarge x limits={EDGE if layout['yaxis'].get('ticktext') else 'false'}",
        "grid style={black!12}, axis lines*=left",
        "clip mode=individual",
    ]
    if [name for name, _ in parts].count(x) > 1:  # one below the other, over the same values
        low, high = _ends(figure, x)
        options.append(f"xmin={low:.6g}, xmax={high:.6g}")
        if layout[x].get("anchor", "y") != y.replace("axis", ""):
            options.append("xlabel=, xticklabels=")
    commands = [command for trace in traces for command in _trace(trace)]
    if not number:
        options += _head(figure, how)
        commands += [*_levels(figure), *_changes(figure)]
        commands += [
            f"\\addlegendimage{{{style}}}\n\\addlegendentry{{{text(name)}}}"
            for name, style in _listed(figure)
        ]
    return "\n".join(["\\begin{axis}[", ",\n".join(options), "]", *commands, "\\end{axis}"])


def _head(figure: dict[str, Any], how: Print) -> list[str]:
    """Title and legend."""
    layout = figure["layout"]
    title = layout["legend"]["title"]["text"] if layout["showlegend"] else layout["title"]["text"]
    return [
        f"title={{{text(title)}}}, title style={{font=\\bfseries}}",
        "legend style={draw=none, fill=none, at={(0,1)}, anchor=south west,"
        f" legend columns={_columns(_listed(figure), how)},"
        f" cells={{anchor=west}}, yshift={_row(layout, how):.3g}pt}}",
        f"title style={{at={{(0,1)}}, anchor=south west, yshift={_above(figure, how):.3g}pt}}",
    ]


def _above(figure: dict[str, Any], how: Print) -> float:
    """Height of the legend, in points."""
    listed = _listed(figure)
    rows = -(-len(listed) // _columns(listed, how))
    return 1.4 * how.font * rows + _row(figure["layout"], how)


def _listed(figure: dict[str, Any]) -> list[tuple[str, str]]:
    """The names in the legend, in the page's order, each with its style."""
    named = [
        (str(trace["name"]).strip(), _style(trace))
        for trace in sorted(figure["data"], key=lambda trace: trace.get("legendrank") or RANK)
        if trace.get("name") and trace.get("showlegend") is not False
    ]
    shapes = [shape for shape in figure["layout"].get("shapes") or () if shape.get("showlegend")]
    return named + [(shape["name"].strip(), f"{pen(shape['line'])}, mark=none") for shape in shapes]


def _columns(listed: Sequence[tuple[str, str]], how: Print) -> int:
    """Columns of the legend: two if the longest name fits into half the width."""
    letters = max((len(bare(name)) for name, _ in listed), default=0)
    longest = (LETTER * letters + SAMPLE) * how.font
    return 2 if 2 * longest <= (how.inches.width * 72 - ROOM * how.font) else 1


def _row(layout: dict[str, Any], how: Print) -> float:
    """Height of the words over marks, in points."""
    return 1.4 * how.font if _words(layout) else 0.0


def _place(
    figure: dict[str, Any], parts: Sequence[tuple[str, str]], number: int, how: Print
) -> str:
    """Options for the size of a single pair of axes, or for place and size of one of several."""
    layout = figure["layout"]
    wide = how.inches.width  # inches
    tall = layout["height"] / 96
    if words := layout["yaxis"].get("ticktext"):
        beside = (LETTER * max(map(len, map(bare, words))) + WORD) * how.font / 72
        tall -= (ROOM * how.font + _above(figure, how)) / 72
        return f"scale only axis, width={wide - beside:.4g}in, height={tall:.4g}in"
    if len(parts) == 1:
        return f"width={wide:.4g}in, height={tall:.4g}in"
    x, y = parts[number]
    (left, right), (bottom, top) = (layout[name].get("domain") or (0, 1) for name in (x, y))
    wide -= ROOM * how.font / 72
    tall -= (ROOM * how.font + _above(figure, how)) / 72
    return (
        f"scale only axis, at={{({left * wide:.4g}in,{bottom * tall:.4g}in)}}, "
        f"width={(right - left) * wide:.4g}in, height={(top - bottom) * tall:.4g}in"
    )


def _ends(figure: dict[str, Any], name: str) -> tuple[float, float]:
    """The least and the largest number along an axis."""
    traces = [trace for trace in figure["data"] if name in axes(trace)]
    values = np.concatenate([np.zeros(0), *(_reach(trace, name[0]) for trace in traces)])
    values = values[np.isfinite(values)]
    return (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)


def _reach(trace: dict[str, Any], letter: str) -> Array:
    """All places of a trace along an axis, with its bars and error bars."""
    values = numbers(trace[letter])
    if trace.get("base") is not None and letter == "x":
        values = values + numbers(trace["base"])
        values = np.concatenate([values, numbers(trace["base"])])
    spread = trace.get(f"error_{letter}") or {}
    if not _seen(spread):
        return values
    ends = len(numbers(spread["array"]))
    return np.concatenate(
        [
            values,
            values[:ends] + numbers(spread["array"]),
            values[:ends] - numbers(spread["arrayminus"]),
        ]
    )


def _seen(spread: dict[str, Any]) -> bool:
    return spread.get("array") is not None and spread.get("visible") is not False


def _axis(axis: dict[str, Any], letter: str, ends: tuple[float, float]) -> str:
    words = axis["title"]["text"].removeprefix("<br>").split("<br>")
    options = [f"{letter}label={{{BREAK.join(map(text, words))}}}"]
    if len(words) > 1:
        options.append(f"{letter}label style={{align=center}}")
    options.append(f"{letter}majorgrids={'false' if axis.get('showgrid') is False else 'true'}")
    log = axis.get("type") == "log"
    options += [f"{letter}mode=log"] if log else _numbers(axis, letter, ends)
    if axis.get("range"):
        low, high = (10.0**end if log else end for end in axis["range"])
        if low > high:
            options.append(f"{letter} dir=reverse")
        options.append(f"{letter}min={min(low, high):.6g}, {letter}max={max(low, high):.6g}")
    if axis.get("tickvals") is not None:
        options.append(_ticks(axis, letter, ends, log))
    return ", ".join(options)


def _numbers(axis: dict[str, Any], letter: str, ends: tuple[float, float]) -> Iterator[str]:
    """Options for the numbers of a linear axis; a narrow axis has few of them."""
    low, high = ends
    if max(map(abs, ends)) < PLAIN:
        yield f"scaled {letter} ticks=false"
        if max(map(abs, ends)) >= 1000:
            yield f"{letter}ticklabel style={{/pgf/number format/fixed}}"
    if axis.get("rangemode") == "tozero" and low >= 0:
        yield f"{letter}min=0"
    left, right = axis.get("domain") or (0, 1)
    if letter == "x" and right - left < NARROW and low < high >= LONG:
        yield f"xtick={{{','.join(f'{tick:g}' for tick in Axis('', low, high).ticks[::2])}}}"


def _ticks(axis: dict[str, Any], letter: str, ends: tuple[float, float], log: bool) -> str:
    """Options for the visible ticks of an axis and their words."""
    low, high = sorted(axis.get("range") or ends)
    if axis.get("range") and log:
        low, high = 10.0**low, 10.0**high
    words = axis.get("ticktext") or [f"{tick:,g}" for tick in axis["tickvals"]]
    shown = [
        (tick, word)
        for tick, word in zip(axis["tickvals"], words, strict=True)
        if low <= tick <= high
    ]
    places = ",".join(f"{tick:g}" for tick, _ in shown)
    options = ",".join(f"{{{text(word)}}}" for _, word in shown)
    return f"{letter}tick={{{places}}}, {letter}ticklabels={{{options}}}"


def _style(trace: dict[str, Any]) -> str:
    """The style of a line, of marks, of both, or of an area without a rim."""
    if match := CLEAR.fullmatch(trace.get("fillcolor") or ""):
        red, green, blue, opacity = match.groups()
        color = f"{{rgb,255:red,{red};green,{green};blue,{blue}}}"
        return f"draw=none, fill={color}, fill opacity={opacity}, mark=none"
    mode = trace.get("mode") or "lines"
    marker = trace.get("marker") or {}
    line = pen(trace.get("line") or {})
    if trace.get("opacity") is not None:
        line += f", opacity={trace['opacity']:.3g}"
    if "markers" not in mode:
        return f"{line}, mark=none"
    mark = MARKS.get(str(marker.get("symbol")), "*")
    size = (marker.get("size") or 6) / 2 / POINT
    options = f"mark={mark}, mark size={size:.3g}pt"
    if "lines" in mode:
        return f"{line}, {options}, mark options=solid"
    return f"only marks, {stroke(str(marker.get('color')))}, {options}"


def _trace(trace: dict[str, Any]) -> Iterator[str]:
    """A trace and, over it, its error bars."""
    if trace.get("type") == "bar":
        yield from _bars(trace)
    elif trace.get("mode") == "text":
        yield from _labels(trace)
    else:
        yield _plot(_style(trace), trace["x"], trace["y"])
    yield from _errors(trace)


def _bars(trace: dict[str, Any]) -> Iterator[str]:
    """Horizontal bars, hollow or full; an invisible plot of each makes the axes hold it."""
    marker = trace["marker"]
    rim = marker.get("line") or {}
    fill = f"draw, {pen(rim)}" if rim.get("width") else f"fill={ink(marker['color'])}"
    starts = numbers(trace["base"])
    rows = numbers(trace["y"])
    for start, length, row in zip(starts, numbers(trace["x"]), rows, strict=True):
        yield _plot("draw=none", [start, start + length], [row, row])
        yield (
            f"\\path[{fill}] (axis cs:{start:.6g},{row - BAR:g}) rectangle "
            f"(axis cs:{start + length:.6g},{row + BAR:g});"
        )


def _labels(trace: dict[str, Any]) -> Iterator[str]:
    """Words to the right of their places."""
    for x, y, word in zip(numbers(trace["x"]), numbers(trace["y"]), trace["text"], strict=True):
        options = text(word.strip())
        yield f"\\node[anchor=west] at (axis cs:{x:.6g},{y:g}) {{{options}}};"


def _errors(trace: dict[str, Any]) -> Iterator[str]:
    """Error bars, from the lower to the upper end of each."""
    starts = [numbers(trace[letter]) for letter in "xy"]
    if trace.get("base") is not None:
        starts[0] = starts[0] + numbers(trace["base"])
    for place, letter in enumerate("xy"):
        spread = trace.get(f"error_{letter}") or {}
        if not _seen(spread):
            continue
        shade = spread.get("color") or (trace.get("line") or {}).get("color") or "#808080"
        line = pen({"color": shade, "width": spread.get("thickness") or 1.2})
        both = (-numbers(spread["arrayminus"]), numbers(spread["array"]))
        for point, *off in zip(np.stack(starts, 1), *both, strict=True):
            ends = np.stack([point, point])
            ends[:, place] += off
            low, high = (f"(axis cs:{x:.6g},{y:.6g})" for x, y in ends)
            yield f"\\draw[{line}] {low} -- {high};"


def _plot(style: str, x: Any, y: Any) -> str:
    points = " ".join(
        f"({a:.6g},{b:.5g})" if np.isfinite(b) else f"({a:.6g},nan)"
        for a, b in zip(numbers(x), numbers(y), strict=True)
    )
    return f"\\addplot[{style}, forget plot] coordinates {{{points}}};"


def _levels(figure: dict[str, Any]) -> list[str]:
    """Horizontal lines across the whole chart."""
    ends = _ends(figure, "xaxis")
    return [
        _plot(f"{pen(shape['line'])}, mark=none", ends, [shape["y0"]] * 2)
        for shape in figure["layout"].get("shapes") or ()
        if shape.get("type") == "line" and shape.get("y0") == shape.get("y1")
    ]


def _changes(figure: dict[str, Any]) -> list[str]:
    """Vertical lines where a setting changed, with its words over them."""
    upright = [
        shape
        for shape in figure["layout"].get("shapes") or ()
        if shape.get("x0") == shape.get("x1")
    ]
    _, high = _ends(figure, "yaxis")
    marks = []
    for shape, word in zip(upright, _words(figure["layout"]), strict=True):
        foot, head = (
            f"({{axis cs:{shape['x0']:.6g},{high:.6g}}}|-{{rel axis cs:0,{end}}})" for end in (0, 1)
        )
        node = f"node[anchor=south west, inner xsep=0pt] {{{text(word)}}}" if word else ""
        marks.append(f"\\draw[{pen(shape['line'])}] {foot} -- {head} {node};")
    return marks


def _words(layout: dict[str, Any]) -> list[str]:
    """The words over the marks of changes."""
    words = layout.get("annotations") or ()
    return [word["text"] for word in words if word.get("xref") != "paper"]
