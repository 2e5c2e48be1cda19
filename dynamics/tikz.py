"""TikZ: a chart of lines and markers as pgfplots code, set in the document's own type."""

import re
from collections.abc import Sequence
from itertools import groupby
from typing import Any

import numpy as np

from dynamics.digits import RAISED, lowered
from dynamics.dress import CLEAR, DASHES, INK, POINT, Print
from dynamics.perspective import bare
from dynamics.scenes import LETTER, numbers
from dynamics.subplots import axes, pairs

MOST_POINTS = 400  # of a line: TeX's memory is small; for ``dressed``
SIGNS = {
    "σ": r"\sigma ", "ε": r"\varepsilon ", "η": r"\eta ", "α": r"\alpha ", "θ": r"\theta ",
    "λ": r"\lambda ", "ρ": r"\rho ", "δ": r"\delta ", "∇": r"\nabla ", "Σ": r"\Sigma ",
    "‖": r"\|", "−": "-", "⋯": r"\cdots ", "…": r"\ldots ", "·": r"\cdot ", "×": r"\times ",
    "≤": r"\le ", "≥": r"\ge ", "≈": r"\approx ", "∞": r"\infty ", "⟨": r"\langle ",
    "⟩": r"\rangle ", "½": r"{\textstyle\frac12}", "√": r"\surd ", "°": r"^\circ ", "→": r"\to ",
    "\ue000": r"\hat r ", "ᵀ": r"^{\mathsf{T}}", "\u00a0": "~", "*": "^*", "|": r"\vert ",
}  # fmt: skip
BREAK = r"\\"
SAMPLE = 4  # sizes of type that a line takes in the legend
ROOM = 7  # sizes of type for the words around several subplots
PLAIN = 1e6  # numbers below it are written without a power
MARKS = {
    "circle-open": "o",
    "triangle-up": "triangle*",
    "x": "x",
    "circle": "*",
    "square": "square*",
}


def tikz(figure: dict[str, Any], how: Print) -> str:
    """The dressed figure, of lines and markers, as a ``tikzpicture``; it needs pgfplots alone."""
    size = f"\\fontsize{{{how.font:g}}}{{{how.font * 1.2:g}}}\\selectfont"
    parts = pairs(figure)
    return "\n".join(
        ["% Needs \\usepackage{pgfplots} and \\pgfplotsset{compat=1.18} in the preamble.",
         f"\\begin{{tikzpicture}}[font={size}]",
         *(_subplot(figure, number, parts, how) for number in range(len(parts))),
         "\\end{tikzpicture}", ""]
    )  # fmt: skip


def _subplot(
    figure: dict[str, Any], number: int, parts: Sequence[tuple[str, str]], how: Print
) -> str:
    """One pair of axes; the first has title and legend, of what the others draw, too."""
    layout, (x, y) = figure["layout"], parts[number]
    here = [trace for trace in figure["data"] if axes(trace) == (x, y)]
    said = [
        _place(figure, parts, number, how),
        *(_axis(layout[name], name[0], _ends(figure, name)) for name in (x, y)),
        "enlarge x limits=false, grid=major, grid style={black!12}, axis lines*=left",
        "clip mode=individual",
    ]
    if sum(x == each for each, _ in parts) > 1:  # one below the other, over the same values
        low, high = _ends(figure, x)
        said.append(f"xmin={low:.6g}, xmax={high:.6g}")
        if layout[x].get("anchor", "y") != y.replace("axis", ""):
            said.append("xlabel=, xticklabels=")
    if number:
        drawn = [_plot(_style(trace), trace["x"], trace["y"], None) for trace in here]
    else:
        said += _head(figure, how)
        drawn = [_plot(_style(trace), trace["x"], trace["y"], _name(trace)) for trace in here]
        drawn += [*_levels(figure), *_changes(figure)]
        drawn += [_entry(trace) for trace in figure["data"] if trace not in here and _name(trace)]
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


def _listed(figure: dict[str, Any]) -> list[str]:
    """The names in the legend."""
    shapes = figure["layout"].get("shapes") or ()
    names = [_name(each) for each in figure["data"]]
    names += [each["name"] for each in shapes if each.get("showlegend")]
    return [bare(name) for name in names if name]


def _columns(listed: Sequence[str], how: Print) -> int:
    """Two, if the longest name fits into half the width beside its line."""
    longest = (LETTER * max(map(len, listed), default=0) + SAMPLE) * how.font
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
    values = np.concatenate([np.zeros(0), *(numbers(trace[name[0]]) for trace in drawn)])
    values = values[np.isfinite(values)]
    return (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)


def text(html: str) -> str:
    """Plotly's text, with its signs and its ``<sub>``, as LaTeX."""
    html = re.sub(RAISED, lambda found: f"<sup>{lowered(found[0])}</sup>", html)
    parts = re.split(r"(<sub>.*?</sub>|<sup>.*?</sup>)", html.replace("r̂", "\ue000"))
    pieces: list[tuple[bool, str]] = []  # whether mathematics, and what
    for part in parts:
        if found := re.fullmatch(r"<(sub|sup)>(.*?)</\1>", part):
            inner = "".join(SIGNS.get(sign, sign) for sign in found[2])
            pieces.append((True, ("_" if found[1] == "sub" else "^") + f"{{{inner}}}"))
            continue
        for sign in re.sub(r"<[^>]*>", "", part):
            pieces.append((sign in SIGNS, SIGNS.get(sign) or _escaped(sign)))
    joined = ""
    for math, group in groupby(pieces, key=lambda piece: piece[0]):
        piece = "".join(words for _, words in group)
        joined += f"${piece}$" if math else piece
    return joined


def _escaped(sign: str) -> str:
    return {"\\": r"\textbackslash "}.get(sign, "\\" + sign if sign in "&%$#_{}" else sign)


def _axis(axis: dict[str, Any], letter: str, ends: tuple[float, float]) -> str:
    words = axis["title"]["text"].removeprefix("<br>").split("<br>")
    said = [f"{letter}label={{{BREAK.join(map(text, words))}}}"]
    if len(words) > 1:
        said.append(f"{letter}label style={{align=center}}")
    log = axis.get("type") == "log"
    if log:
        said.append(f"{letter}mode=log")
    elif max(map(abs, ends)) < PLAIN:
        said.append(f"scaled {letter} ticks=false")
    if axis.get("range"):
        low, high = (10.0**end if log else end for end in axis["range"])
        said.append(f"{letter}min={low:.6g}, {letter}max={high:.6g}")
    if axis.get("tickvals") is not None:
        said.append(f"{letter}tick={{{','.join(f'{tick:g}' for tick in axis['tickvals'])}}}")
    return ", ".join(said)


def _color(color: str) -> str:
    """``{rgb,255:red,R;green,G;blue,B}``, which needs no definition."""
    found = re.fullmatch(r"#([0-9a-fA-F]{2})([0-9a-fA-F]{2})([0-9a-fA-F]{2})", color)
    red, green, blue = (int(part, 16) for part in found.groups()) if found else (128, 128, 128)
    return f"{{rgb,255:red,{red};green,{green};blue,{blue}}}"


def _pen(line: dict[str, Any]) -> str:
    width = (line.get("width") or 2) / POINT
    pattern = [float(length.removesuffix("px")) for length in _lengths(line.get("dash"))]
    said = [f"color={_color(line.get('color') or INK)}", f"line width={width:.3g}pt"]
    if pattern:
        parts = zip(pattern[::2], pattern[1::2], strict=True)
        dashes = " ".join(f"on {on / POINT:.3g}pt off {off / POINT:.3g}pt" for on, off in parts)
        said.append(f"dash pattern={dashes}")
    return ", ".join(said)


def _lengths(dash: str | None) -> list[str]:
    return dash.split(",") if dash and dash not in DASHES else []


def _name(trace: dict[str, Any]) -> str | None:
    """What the legend calls it, if it does."""
    return trace.get("name") if trace.get("showlegend") is not False else None


def _style(trace: dict[str, Any]) -> str:
    """Line or marks or both, or an area without a rim."""
    if found := CLEAR.fullmatch(trace.get("fillcolor") or ""):
        red, green, blue, opacity = found.groups()
        color = f"{{rgb,255:red,{red};green,{green};blue,{blue}}}"
        return f"draw=none, fill={color}, fill opacity={opacity}, mark=none"
    mode, marker = trace.get("mode") or "lines", trace.get("marker") or {}
    line = _pen(trace.get("line") or {})
    if "markers" not in mode:
        return f"{line}, mark=none"
    mark, size = MARKS.get(str(marker.get("symbol")), "*"), (marker.get("size") or 6) / 2 / POINT
    said = f"mark={mark}, mark size={size:.3g}pt"
    if "lines" in mode:
        return f"{line}, {said}, mark options=solid"
    return f"only marks, color={_color(str(marker.get('color')))}, {said}"


def _plot(style: str, x: Any, y: Any, name: str | None) -> str:
    points = " ".join(
        f"({a:.6g},{b:.5g})" if np.isfinite(b) else f"({a:.6g},nan)"
        for a, b in zip(numbers(x), numbers(y), strict=True)
    )
    if not name:
        return f"\\addplot[{style}, forget plot] coordinates {{{points}}};"
    return f"\\addplot[{style}] coordinates {{{points}}};\n\\addlegendentry{{{text(name.strip())}}}"


def _entry(trace: dict[str, Any]) -> str:
    """In the legend, for what is drawn elsewhere."""
    name = text(str(trace["name"]).strip())
    return f"\\addlegendimage{{{_style(trace)}}}\n\\addlegendentry{{{name}}}"


def _levels(figure: dict[str, Any]) -> list[str]:
    """Lines right across the chart."""
    ends = _ends(figure, "xaxis")
    return [
        _plot(
            f"{_pen(shape['line'])}, mark=none",
            ends,
            [shape["y0"]] * 2,
            shape.get("name") if shape.get("showlegend") else None,
        )
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
        drawn.append(f"\\draw[{_pen(shape['line'])}] {foot} -- {head} {node};")
    return drawn


def _words(layout: dict[str, Any]) -> list[str]:
    """What stands over the marks of changes."""
    return [each["text"] for each in layout.get("annotations") or () if each.get("xref") != "paper"]
