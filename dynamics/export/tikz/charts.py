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
from dynamics.export.tikz.pens import BREAK, ink, pen, text

SAMPLE = 4  # sizes of type that a line takes in the legend
ROOM = 7  # sizes of type for the words around several subplots
WORD = 7  # sizes of type for what stands right of bars
NARROW = 0.6  # of the width: less than this is one of several panels
LONG = 1e4  # numbers from it on need twice the room
PLAIN = 1e6  # numbers below it are written without a power
MARKS = {
    "circle-open": "o",
    "triangle-up": "triangle*",
    "x": "x",
    "circle": "*",
    "square": "square*",
    "diamond-open": "diamond",
}
RANK = 1000  # Plotly's own, in the legend
EDGE = 0.04  # of the length of an axis, beyond the ends of bars
BAR = 0.375  # half the height of a bar in its row


def drawn(figure: dict[str, Any], how: Print) -> list[str]:
    """A dressed figure's axes, one below another."""
    figure = _numbered(figure)
    parts = pairs(figure)
    return [_subplot(figure, number, parts, how) for number in range(len(parts))]


def _numbered(figure: dict[str, Any]) -> dict[str, Any]:
    """Named rows, if it has such, counted from 0 downwards."""
    axis = figure["layout"]["yaxis"]
    names = list(axis.get("tickvals") if axis.get("tickvals") is not None else ())
    if not names or not isinstance(names[0], str):
        return figure
    place = {name: float(number) for number, name in enumerate(names)}
    rows = axis | {"tickvals": list(place.values()), "range": (len(names) - 0.4, -0.6)}
    data = [each | {"y": [place[name] for name in each["y"]]} for each in figure["data"]]
    return figure | {"data": data, "layout": figure["layout"] | {"yaxis": rows}}


def _subplot(
    figure: dict[str, Any], number: int, parts: Sequence[tuple[str, str]], how: Print
) -> str:
    """One pair of axes; the first has title and legend, of what the others draw, too."""
    layout, (x, y) = figure["layout"], parts[number]
    here = [trace for trace in figure["data"] if axes(trace) == (x, y)]
    said = [
        _place(figure, parts, number, how),
        *(_axis(layout[name], name[0], _ends(figure, name)) for name in (x, y)),
        f"enlarge x limits={EDGE if layout['yaxis'].get('ticktext') else 'false'}",
        "grid style={black!12}, axis lines*=left",
        "clip mode=individual",
    ]
    if sum(x == each for each, _ in parts) > 1:  # one below the other, over the same values
        low, high = _ends(figure, x)
        said.append(f"xmin={low:.6g}, xmax={high:.6g}")
        if layout[x].get("anchor", "y") != y.replace("axis", ""):
            said.append("xlabel=, xticklabels=")
    drawn = [command for trace in here for command in _trace(trace)]
    if not number:
        said += _head(figure, how)
        drawn += [*_levels(figure), *_changes(figure)]
        drawn += [
            f"\\addlegendimage{{{style}}}\n\\addlegendentry{{{text(name)}}}"
            for name, style in _listed(figure)
        ]
    return "\n".join(["\\begin{axis}[", ",\n".join(said), "]", *drawn, "\\end{axis}"])


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
    """How high the legend reaches, in points."""
    listed = _listed(figure)
    rows = -(-len(listed) // _columns(listed, how))
    return 1.4 * how.font * rows + _row(figure["layout"], how)


def _listed(figure: dict[str, Any]) -> list[tuple[str, str]]:
    """The names in the legend and how what they mean is drawn, in the page's order."""
    named = [
        (str(trace["name"]).strip(), _style(trace))
        for trace in sorted(figure["data"], key=lambda trace: trace.get("legendrank") or RANK)
        if trace.get("name") and trace.get("showlegend") is not False
    ]
    shapes = [each for each in figure["layout"].get("shapes") or () if each.get("showlegend")]
    return named + [(each["name"].strip(), f"{pen(each['line'])}, mark=none") for each in shapes]


def _columns(listed: Sequence[tuple[str, str]], how: Print) -> int:
    """Two, if the longest name fits into half the width beside its line."""
    letters = max((len(bare(name)) for name, _ in listed), default=0)
    longest = (LETTER * letters + SAMPLE) * how.font
    return 2 if 2 * longest <= (how.inches.width * 72 - ROOM * how.font) else 1


def _row(layout: dict[str, Any], how: Print) -> float:
    """How high the words over marks stand, in points."""
    return 1.4 * how.font if _words(layout) else 0.0


def _place(
    figure: dict[str, Any], parts: Sequence[tuple[str, str]], number: int, how: Print
) -> str:
    """Size of all with its words, or place and size of one of several without them, in inches."""
    layout = figure["layout"]
    wide, tall = how.inches.width, layout["height"] / 96
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
    """The least and the largest number that is drawn over an axis."""
    drawn = [trace for trace in figure["data"] if name in axes(trace)]
    values = np.concatenate([np.zeros(0), *(_reach(trace, name[0]) for trace in drawn)])
    values = values[np.isfinite(values)]
    return (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)


def _reach(trace: dict[str, Any], letter: str) -> Array:
    """Everywhere a trace comes to along an axis, bars and their errors included."""
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
    said = [f"{letter}label={{{BREAK.join(map(text, words))}}}"]
    if len(words) > 1:
        said.append(f"{letter}label style={{align=center}}")
    said.append(f"{letter}majorgrids={'false' if axis.get('showgrid') is False else 'true'}")
    log = axis.get("type") == "log"
    said += [f"{letter}mode=log"] if log else _numbers(axis, letter, ends)
    if axis.get("range"):
        low, high = (10.0**end if log else end for end in axis["range"])
        if low > high:
            said.append(f"{letter} dir=reverse")
        said.append(f"{letter}min={min(low, high):.6g}, {letter}max={max(low, high):.6g}")
    if axis.get("tickvals") is not None:
        said.append(_ticks(axis, letter, ends, log))
    return ", ".join(said)


def _numbers(axis: dict[str, Any], letter: str, ends: tuple[float, float]) -> Iterator[str]:
    """How those of an axis without powers are written, and where: a narrow one has few of them."""
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
    """Where they are and, if that is no plain number, what they say; no more than are in sight."""
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
    said = ",".join(f"{{{text(word)}}}" for _, word in shown)
    return f"{letter}tick={{{places}}}, {letter}ticklabels={{{said}}}"


def _style(trace: dict[str, Any]) -> str:
    """Line or marks or both, or an area without a rim."""
    if found := CLEAR.fullmatch(trace.get("fillcolor") or ""):
        red, green, blue, opacity = found.groups()
        color = f"{{rgb,255:red,{red};green,{green};blue,{blue}}}"
        return f"draw=none, fill={color}, fill opacity={opacity}, mark=none"
    mode, marker = trace.get("mode") or "lines", trace.get("marker") or {}
    line = pen(trace.get("line") or {})
    if "markers" not in mode:
        return f"{line}, mark=none"
    mark, size = MARKS.get(str(marker.get("symbol")), "*"), (marker.get("size") or 6) / 2 / POINT
    said = f"mark={mark}, mark size={size:.3g}pt"
    if "lines" in mode:
        return f"{line}, {said}, mark options=solid"
    return f"only marks, color={ink(str(marker.get('color')))}, {said}"


def _trace(trace: dict[str, Any]) -> Iterator[str]:
    """What it draws, and over that how far its numbers scatter."""
    if trace.get("type") == "bar":
        yield from _bars(trace)
    elif trace.get("mode") == "text":
        yield from _labels(trace)
    else:
        yield _plot(_style(trace), trace["x"], trace["y"])
    yield from _errors(trace)


def _bars(trace: dict[str, Any]) -> Iterator[str]:
    """Level ones, in rows; the axes reach to what is plotted, and these are not."""
    fill = f"fill={ink(trace['marker']['color'])}"
    starts, rows = numbers(trace["base"]), numbers(trace["y"])
    for start, length, row in zip(starts, numbers(trace["x"]), rows, strict=True):
        yield _plot("draw=none", [start, start + length], [row, row])
        yield (
            f"\\path[{fill}] (axis cs:{start:.6g},{row - BAR:g}) rectangle "
            f"(axis cs:{start + length:.6g},{row + BAR:g});"
        )


def _labels(trace: dict[str, Any]) -> Iterator[str]:
    """Words right of their places."""
    for x, y, word in zip(numbers(trace["x"]), numbers(trace["y"]), trace["text"], strict=True):
        said = text(word.strip())
        yield f"\\node[anchor=west] at (axis cs:{x:.6g},{y:g}) {{{said}}};"


def _errors(trace: dict[str, Any]) -> Iterator[str]:
    """Lines from the lower to the upper end of what scatters about each point."""
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
    """Lines right across the chart."""
    ends = _ends(figure, "xaxis")
    return [
        _plot(f"{pen(shape['line'])}, mark=none", ends, [shape["y0"]] * 2)
        for shape in figure["layout"].get("shapes") or ()
        if shape.get("type") == "line" and shape.get("y0") == shape.get("y1")
    ]


def _changes(figure: dict[str, Any]) -> list[str]:
    """Lines right up the chart where something changed, and what in words over them."""
    upright = [
        each for each in figure["layout"].get("shapes") or () if each.get("x0") == each.get("x1")
    ]
    drawn, (_, high) = [], _ends(figure, "yaxis")
    for shape, word in zip(upright, _words(figure["layout"]), strict=True):
        foot, head = (
            f"({{axis cs:{shape['x0']:.6g},{high:.6g}}}|-{{rel axis cs:0,{end}}})" for end in (0, 1)
        )
        node = f"node[anchor=south west, inner xsep=0pt] {{{text(word)}}}" if word else ""
        drawn.append(f"\\draw[{pen(shape['line'])}] {foot} -- {head} {node};")
    return drawn


def _words(layout: dict[str, Any]) -> list[str]:
    """What stands over the marks of changes."""
    return [each["text"] for each in layout.get("annotations") or () if each.get("xref") != "paper"]
