"""Plotly.js: its published parts, a third of the whole in size, for pages and files of pages.

They are of the version that Plotly for Python brings, which draws all other files. When that is
changed, ``make plotlyjs`` takes them anew.
"""

from pathlib import Path
from typing import Any

# The traces that are drawn here with each, the smallest part first.
PARTS = {
    "basic": {"scatter", "bar"},
    "cartesian": {"scatter", "bar", "heatmap"},
    "gl3d": {"scatter", "scatter3d", "surface"},
}
FILES = {part: Path(__file__).with_name(f"{part}.js.gz") for part in PARTS}


def part(figure: dict[str, Any]) -> str:
    """The smallest part that draws a Plotly figure.

    Raises:
        ValueError: if none draws all of its traces.
    """
    kinds = {trace.get("type", "scatter") for trace in figure["data"]}
    for name, drawn in PARTS.items():
        if kinds <= drawn:
            return name
    raise ValueError(f"No part of plotly.js draws {sorted(kinds)} in one chart; see PARTS.")
