"""Plotly.js: its published parts, each a third of the whole, for live charts and exported pages.

Their version is the same as in the installed Plotly for Python, which draws all other files. After
a change of that version, ``make plotlyjs`` fetches them again.
"""

from pathlib import Path
from typing import Any

# The traces that the program draws with each part, the smallest part first. Every live page fetches
# and parses ``basic`` before its first chart appears, so a larger part would delay it.
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
    for name, types in PARTS.items():
        if kinds <= types:
            return name
    raise ValueError(f"No part of plotly.js draws {sorted(kinds)} in one chart; see PARTS.")
