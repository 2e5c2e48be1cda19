"""HTML pages with charts that need no network: they hold library and charts, compressed.

A page holds only those parts of plotly.js that its charts need. The browser unpacks library and
charts (DecompressionStream: Chrome 80, Safari 16.4, Firefox 113); a page of lines takes 0.5 MB.
"""

import base64
import functools
import gzip
import html
import json
import re
from typing import Any

import plotly.graph_objects as go

from dynamics.export.render import plotlyjs

START = """
const SIGNS =
  "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~";
const DIGITS = Object.fromEntries([...SIGNS].map((sign, digit) => [sign, digit]));
function unpacked({ textContent }) {
  const missing = (5 - (textContent.length % 5)) % 5;
  const signs = textContent + "~".repeat(missing);
  const words = new DataView(new ArrayBuffer((signs.length / 5) * 4));
  for (let at = 0; at < signs.length; at += 5) {
    let word = 0;
    for (const sign of signs.slice(at, at + 5)) word = word * 85 + DIGITS[sign];
    words.setUint32((at / 5) * 4, word);
  }
  const packed = new Uint8Array(words.buffer, 0, words.byteLength - missing);
  return new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip")));
}
for (const packed of document.querySelectorAll("script[data-part]")) {
  const library = document.createElement("script");
  library.textContent = await unpacked(packed).text();
  document.head.append(library);
  const { part } = packed.dataset;
  for (const place of document.querySelectorAll(`.plotly-graph-div[data-part=${part}]`))
    Plotly.newPlot(place, await unpacked(place.nextElementSibling).json());
}
"""


def chart(figure: dict[str, Any] | go.Figure, style: str = "", **config: Any) -> str:
    """A chart as HTML for the body of a ``page``; ``config`` is Plotly's."""
    plain = json.loads(go.Figure(figure).to_json()) | {"config": config | {"responsive": True}}
    text = json.dumps(plain, separators=(",", ":"), ensure_ascii=False)
    return (
        f'<div class="plotly-graph-div" data-part="{plotlyjs.part(plain)}" style="{style}"></div>'
        f'<script type="text/plain">{_packed(gzip.compress(text.encode(), 9, mtime=0))}</script>'
    )


def page(title: str, body: str, style: str = "") -> str:
    """A whole page; ``body`` is HTML with any number of charts."""
    needed = dict.fromkeys(re.findall(r'<div class="plotly-graph-div" data-part="(\w+)"', body))
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{html.escape(title)}</title>"
        f"<style>body{{font-family:sans-serif;max-width:60rem;margin:2rem auto}}{style}</style>"
        f"{body}{''.join(map(_library, needed))}"
        f'<script type="module">{START}</script></html>'
    )


@functools.cache
def _library(part: str) -> str:
    packed = _packed(plotlyjs.FILES[part].read_bytes())
    return f'<script type="text/plain" data-part="{part}">{packed}</script>'


def _packed(content: bytes) -> str:
    """Base 85: it has no slash, so the text cannot end the element around it."""
    return base64.b85encode(content).decode()
