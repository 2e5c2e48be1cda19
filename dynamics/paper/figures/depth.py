"""Depth: two factors stall where three complete the matrix, the compressed network sooner"""

import plotly.graph_objects as go

from dynamics.paper.figure import Found, losses
from dynamics.paper.overlay import curves

SOURCE = "fig_mc_depth_effect.ipynb"
CAPTION = "½ mean square over the observed and over the other entries; depth 2 is drawn faint."
COMMON = {
    "problem": "completion",
    "matrices": "depth",
    "rows": 100,
    "cols": 100,
    "rank": 10,
    "observed": 0.3,
    "rank_bound": 20,
    "learning_rate": 50.0,
    "alpha": 2.0,
    "steps": 25_000,
    "record_every": 50,
    "tolerance": 1e-12,
}
CONFIGS = {
    "L = 2, original": COMMON | {"depth": 2, "networks": "original"},
    # The notebook starts this one network at the singular vectors themselves, without ε.
    "L = 2, compressed": COMMON | {"depth": 2, "networks": "compressed", "init_scale": 1.0},
    "L = 3": COMMON | {"depth": 3},
}
CURVES = (
    *losses("original, L = 2", "L = 2, original", "original", "original_L2", shade=0.6),
    *losses("compressed, L = 2, ε = 1", "L = 2, compressed", "compressed", "compressed_L2", 0.6),
    *losses("original, L = 3", "L = 3", "original", "original_L3"),
    *losses("compressed, L = 3", "L = 3", "compressed", "compressed_L3"),
)


def draw(found: Found) -> list[go.Figure]:
    """Two panels: observed and unobserved entries."""
    return [
        curves(found, CURVES[start::2], "Effect of depth", f"½ mean square, {entries} entries")
        for start, entries in ((1, "observed"), (0, "unobserved"))
    ]
