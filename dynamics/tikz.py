"""TikZ: a chart of lines and markers as pgfplots code, set in the document's own type."""

import re
from itertools import groupby
from typing import Any

import numpy as np

from dynamics.dress import DASHES, INK, POINT, Print
from dynamics.scenes import numbers

MOST_POINTS = 400  # of a line: TeX's memory is small; for ``dressed``
SIGNS = {
    "σ": r"\sigma ", "ε": r"\varepsilon ", "η": r"\eta ", "α": r"\alpha ", "θ": r"\theta ",
    "λ": r"\lambda ", "ρ": r"\rho ", "δ": r"\delta ", "∇": r"\nabla ", "Σ": r"\Sigma ",
    "‖": r"\|", "−": "-", "⋯": r"\cdots ", "…": r"\ldots ", "·": r"\cdot ", "×": r"\times ",
    "≤": r"\le ", "≥": r"\ge ", "≈": r"\approx ", "∞": r"\infty ", "⟨": r"\langle ",
    "⟩": r"\rangle ", "½": r"{\textstyle\frac12}", "√": r"\surd ", "°": r"^\circ ", "→": r"\to ",
    "\ue000": r"\hat r ", "ᵀ": r"^{\mathsf{T}}", "²": "^2", "*": "^*", "|": r"\vert ",
}  # fmt: skip
BREAK = r"\\"
MARKS = {"triangle-up": "triangle*", "x": "x", "circle": "*", "square": "square*"}


def tikz(figure: dict[str, Any], how: Print) -> str:
    """The dressed figure, of lines and markers, as a ``tikzpicture``; it needs pgfplots alone."""
    layout = figure["layout"]
    title = layout["legend"]["title"]["text"] if layout["showlegend"] else layout["title"]["text"]
    listed = [trace for trace in figure["data"] if trace.get("showlegend") is not False]
    listed += [shape for shape in layout.get("shapes", ()) if shape.get("showlegend")]
    above = 1.4 * how.font * -(-len(listed) // 2)
    axis = [
        f"width={how.inches.width:.4g}in, height={layout['height'] / 96:.4g}in",
        f"title={{{text(title)}}}, title style={{font=\\bfseries}}",
        *(_axis(layout[f"{letter}axis"], letter) for letter in "xy"),
        "enlarge x limits=false, grid=major, grid style={black!12}, axis lines*=left",
        "legend style={draw=none, fill=none, at={(0,1)}, anchor=south west, legend columns=2,"
        " cells={anchor=west}}",
        f"title style={{at={{(0,1)}}, anchor=south west, yshift={above:.3g}pt}}",
    ]
    drawn = [_trace(trace) for trace in figure["data"]]
    size = f"\\fontsize{{{how.font:g}}}{{{how.font * 1.2:g}}}\\selectfont"
    return "\n".join(
        ["% Needs \\usepackage{pgfplots} and \\pgfplotsset{compat=1.18} in the preamble.",
         f"\\begin{{tikzpicture}}[font={size}]", "\\begin{axis}[", ",\n".join(axis), "]",
         *drawn, *_levels(figure), "\\end{axis}", "\\end{tikzpicture}", ""]
    )  # fmt: skip


def text(html: str) -> str:
    """Plotly's text, with its signs and its ``<sub>``, as LaTeX."""
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


def _axis(axis: dict[str, Any], letter: str) -> str:
    words = axis["title"]["text"].removeprefix("<br>").split("<br>")
    said = [f"{letter}label={{{BREAK.join(map(text, words))}}}"]
    if len(words) > 1:
        said.append(f"{letter}label style={{align=center}}")
    log = axis.get("type") == "log"
    if log:
        said.append(f"{letter}mode=log")
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


def _plot(style: str, x: Any, y: Any, name: str | None) -> str:
    points = " ".join(
        f"({a:.6g},{b:.5g})" if np.isfinite(b) else f"({a:.6g},nan)"
        for a, b in zip(x, y, strict=True)
    )
    if not name:
        return f"\\addplot[{style}, forget plot] coordinates {{{points}}};"
    return f"\\addplot[{style}] coordinates {{{points}}};\n\\addlegendentry{{{text(name.strip())}}}"


def _trace(trace: dict[str, Any]) -> str:
    name = trace.get("name") if trace.get("showlegend") is not False else None
    style = f"{_pen(trace.get('line') or {})}, mark=none"
    if "lines" not in (trace.get("mode") or "lines"):
        marker = trace.get("marker") or {}
        mark, size = (
            MARKS.get(str(marker.get("symbol")), "*"),
            (marker.get("size") or 6) / 2 / POINT,
        )
        color = _color(str(marker.get("color")))
        style = f"only marks, mark={mark}, color={color}, mark size={size:.3g}pt"
    return _plot(style, numbers(trace["x"]), numbers(trace["y"]), name)


def _levels(figure: dict[str, Any]) -> list[str]:
    """Lines right across the chart."""
    every = np.concatenate([numbers(trace["x"]) for trace in figure["data"]] or [np.zeros(1)])
    ends = [every.min(), every.max()] if len(every) else [0.0, 1.0]
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
