"""Pens: Plotly's texts, colours and lines as LaTeX and TikZ."""

import re
from itertools import groupby
from typing import Any

from dynamics.core.words import RAISED, lowered
from dynamics.draw.look import INK
from dynamics.export.layout.layout import CLEAR, DASHES, POINT

SIGNS = {
    "σ": r"\sigma ", "ε": r"\varepsilon ", "η": r"\eta ", "α": r"\alpha ", "θ": r"\theta ",
    "λ": r"\lambda ", "ρ": r"\rho ", "δ": r"\delta ", "∇": r"\nabla ", "Σ": r"\Sigma ",
    "‖": r"\|", "−": "-", "⋯": r"\cdots ", "…": r"\ldots ", "·": r"\cdot ", "×": r"\times ",
    "≤": r"\le ", "≥": r"\ge ", "≈": r"\approx ", "∞": r"\infty ", "⟨": r"\langle ",
    "⟩": r"\rangle ", "½": r"{\textstyle\frac12}", "√": r"\surd ", "°": r"^\circ ", "→": r"\to ",
    "\ue000": r"\hat r ", "ᵀ": r"^{\mathsf{T}}", "\u00a0": "~", "*": "^*", "|": r"\vert ",
}  # fmt: skip
BREAK = r"\\"


def text(html: str) -> str:
    """Plotly's text as LaTeX, with its signs, ``<sub>``, ``<sup>``, and a ``<b>`` around all."""
    if match := re.fullmatch("<b>(.*)</b>", html):
        return f"\\textbf{{{text(match[1])}}}"
    html = re.sub(RAISED, lambda match: f"<sup>{lowered(match[0])}</sup>", html)
    parts = re.split(r"(<sub>.*?</sub>|<sup>.*?</sup>)", html.replace("r̂", "\ue000"))
    pieces: list[tuple[bool, str]] = []  # whether the piece is mathematics, and its LaTeX
    for part in parts:
        if match := re.fullmatch(r"<(sub|sup)>(.*?)</\1>", part):
            inner = "".join(SIGNS.get(sign, sign) for sign in match[2])
            pieces.append((True, ("_" if match[1] == "sub" else "^") + f"{{{inner}}}"))
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


def folded(html: str) -> str:
    """Plotly's text in several lines, for a node with ``align``."""
    return BREAK.join(text(line.strip()) for line in html.split("<br>") if line.strip())


def ink(color: str) -> str:
    """A colour as ``{rgb,255:red,R;green,G;blue,B}``, which needs no definition."""
    match = re.fullmatch(r"#([0-9a-fA-F]{2})([0-9a-fA-F]{2})([0-9a-fA-F]{2})", color)
    red, green, blue = (int(part, 16) for part in match.groups()) if match else (128, 128, 128)
    return f"{{rgb,255:red,{red};green,{green};blue,{blue}}}"


def stroke(color: str) -> str:
    """A colour as TikZ's options, clear if it is."""
    if match := CLEAR.fullmatch(color):
        red, green, blue, opacity = match.groups()
        return f"color={{rgb,255:red,{red};green,{green};blue,{blue}}}, opacity={opacity}"
    return f"color={ink(color)}"


def pen(line: dict[str, Any]) -> str:
    """Colour, width and dashes of a line."""
    width = (line.get("width") or 2) / POINT
    pattern = [float(length.removesuffix("px")) for length in _lengths(line.get("dash"))]
    options = [stroke(line.get("color") or INK), f"line width={width:.3g}pt"]
    if pattern:
        parts = zip(pattern[::2], pattern[1::2], strict=True)
        dashes = " ".join(f"on {on / POINT:.3g}pt off {off / POINT:.3g}pt" for on, off in parts)
        options.append(f"dash pattern={dashes}")
    return ", ".join(options)


def _lengths(dash: str | None) -> list[str]:
    return dash.split(",") if dash and dash not in DASHES else []


def type_of(points: float) -> str:
    """A node's option for type of this size, in points."""
    return f"font=\\fontsize{{{points:.3g}}}{{{1.2 * points:.3g}}}\\selectfont"
