"""TikZ: a chart as pgfplots code in the document's own type; lines, bars, maps and space."""

from typing import Any

from dynamics.export.layout.sizes import Print
from dynamics.export.tikz import charts, maps, space

MOST_POINTS = 400  # of a line: TeX's memory is small
PARTS = {"heatmap": maps.code, "surface": space.code, "scatter3d": space.code}


def tikz(figure: dict[str, Any], how: Print) -> str:
    """The dressed figure as a ``tikzpicture``, which needs only pgfplots."""
    size = f"\\fontsize{{{how.font:g}}}{{{how.font * 1.2:g}}}\\selectfont"
    kinds = [trace.get("type", "scatter") for trace in figure["data"]]
    code = next((PARTS[kind] for kind in kinds if kind in PARTS), charts.code)
    return "\n".join(
        [
            "% Needs \\usepackage{pgfplots} and \\pgfplotsset{compat=1.18} in the preamble.",
            f"\\begin{{tikzpicture}}[x=0.75bp, y=0.75bp, font={size}]",
            *code(figure, how),
            "\\end{tikzpicture}",
            "",
        ]
    )
