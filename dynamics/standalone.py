"""Standalone: charts for pages that need no network, with the library inside, compressed.

The browser unpacks it (DecompressionStream: Chrome 80, Safari 16.4, Firefox 113), so that a page
takes 2 MB in place of 5. Of plotly.js only the whole is shipped with Plotly for Python.
"""

import base64
import functools
import gzip
import json
from pathlib import Path
from typing import Any

import plotly.graph_objects as go

START = """
const text = document.getElementById("library").textContent;
const packed = Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));
const unpacked = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
const library = document.createElement("script");
library.textContent = await new Response(unpacked).text();
document.head.append(library);
for (const place of document.querySelectorAll(".plotly-graph-div"))
  Plotly.newPlot(place, JSON.parse(place.nextElementSibling.textContent));
"""


def chart(figure: dict[str, Any] | go.Figure, style: str = "", **config: Any) -> str:
    """The place of a chart in a page that ends with ``library``; ``config`` is Plotly's."""
    made = json.loads(go.Figure(figure).to_json()) | {"config": config | {"responsive": True}}
    text = json.dumps(made, separators=(",", ":"), ensure_ascii=False).replace("</", "<\\/")
    return (
        f'<div class="plotly-graph-div" style="{style}"></div>'
        f'<script type="application/json">{text}</script>'
    )


@functools.cache
def library() -> str:
    """plotly.js and what draws the page's charts with it; stands after all of them."""
    import plotly

    file = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
    packed = base64.b64encode(gzip.compress(file.read_bytes(), 9, mtime=0)).decode()
    return (
        f'<script type="text/plain" id="library">{packed}</script>'
        f'<script type="module">{START}</script>'
    )
