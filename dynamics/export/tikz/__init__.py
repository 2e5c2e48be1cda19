"""TikZ: a chart as pgfplots code in the document's own type; lines, bars, maps and space."""

from typing import Any

from dynamics.export.layout.sizes import Print
from dynamics.export.tikz import charts, maps, space

MOST_POINTS = 400  # of a line: TeX's memory is small
PARTS = {"heatmap": maps.drawn, "surface": space.drawn, "scatter3d": space.drawn}


def tikz(figure: dict[str, Any], how: Print) -> str:
    """The dressed figure as a ``tikzpicture``, which needs only pgfplots."""
    size = f"\\fontsize{{{how.font:g}}}{{{how.font * 1.2:g}}}\\selectfont"
    kinds = [trace.get("type", "scatter") for trace in figure["data"]]
    drawn = next((PARTS[kind] for kind in kinds if kind in PARTS), charts.drawn)
    return "\n".join(
        [
            "% Needs \\usepackage{pgfplots} and \\pgfplotsset{compat=1.18} in the preamble.",
            f"\\begin{{tikzpicture}}[x=0.75bp, y=0.75bp, font={size}]",
            *drawn(figure, how),
            "\\end{tikzpicture}",
            "",
        ]
    )
