"""Networks: a picture of each, every factor drawn to scale, a backbone as a block before them."""

import html
from collections.abc import Sequence
from itertools import pairwise

import streamlit as st

from dynamics.core import traits, words
from dynamics.core.config import Config, choices
from dynamics.core.sizes import widths
from dynamics.core.traits import short_name
from dynamics.draw.look import color, written

LONGEST = 76.0  # pixels of the longest side of a factor
THINNEST = 3.0  # pixels of the shortest side that is drawn
MOST = 6  # factors that are all drawn; of more factors, only the outer four are


def parameters(config: Config, network: str) -> int:
    """The number of entries of the network's factors."""
    sizes = widths(config, network)
    return sum(rows * cols for cols, rows in pairwise(sizes))


def overview(config: Config, networks: Sequence[str] = ()) -> None:
    """Draw networks side by side with their sizes in words; by default the config's networks."""
    pictures = "".join(_picture(config, network) for network in networks or config.networks)
    st.html(f'<div class="networks">{pictures}</div>')


def _picture(config: Config, network: str) -> str:
    sizes = widths(config, network)
    scale = LONGEST / max(*config.shape, *sizes)
    factors = [(rows, cols) for cols, rows in pairwise(sizes)][::-1]  # W_L first, as written
    shown = factors if len(factors) <= MOST else [*factors[:2], None, *factors[-2:]]
    boxes = "".join(_factor(size, scale, color(network)) for size in shown)
    count = parameters(config, network)
    wide = f"{words.count(len(factors), 'factor')}"
    if len(factors) > 1:
        wide += f", {sizes[1]} wide"
    behind = ""
    if traits.problem(config.problem).classifies:
        name = choices("backbone")[config.backbone].partition(":")[0]
        boxes = f"<em>{html.escape(name)}</em><span>→</span>{boxes}"
        behind = f" behind a backbone, {name}"
    described = f"{short_name(network)}, {wide}, {count:,} parameters{behind}"
    return (
        '<figure class="network">'
        f'<div class="factors" role="img" aria-label="{html.escape(described)}">{boxes}</div>'
        f'<figcaption><b style="color:{written(network)}">{_title(network)}</b><br>'
        f"{count:,} parameters<small><br>{wide}</small></figcaption></figure>"
    )


def _title(network: str) -> str:
    name = short_name(network)
    return name[0].upper() + name[1:]


def _factor(size: tuple[int, int] | None, scale: float, paint: str) -> str:
    if size is None:
        return "<span>⋯</span>"
    height, width = (max(side * scale, THINNEST) for side in size)
    box = f"height:{height:.1f}px;width:{width:.1f}px"
    return f'<i style="{box};border-color:{paint};background:{paint}33"></i>'
