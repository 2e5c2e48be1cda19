"""Burer–Monteiro: two random factors of the right width need fewest steps, too wide ones most"""

from typing import Any

import plotly.graph_objects as go

from dynamics.paper.figure import Curve, Found
from dynamics.paper.overlay import curves

SOURCE = "figs/comp_dln_mf_r5_bm.png"
CAPTION = "½ mean square over all entries; each at 0.3 of its own stability limit."
BORROWED = "The published picture has no settings; all settings but problem and rank are ours."
COMMON: dict[str, Any] = {
    "problem": "factorization",
    "spectrum": "top",
    "rows": 100,
    "cols": 100,
    "rank": 5,
    "rank_bound": 10,
    "rate_unit": "limit",  # each network learns at the same share of its own stability limit
    "learning_rate": 0.3,
    "alpha": 1.0,
    "steps": 4000,
    "record_every": 10,
    "tolerance": 1e-14,
}
# Burer and Monteiro's descent is a network of two factors, narrow, with a small random start.
FACTORS = {"networks": "original", "depth": 2, "initialization": "normal"}
CONFIGS = {
    "Burer–Monteiro, width r": COMMON | FACTORS | {"width": 5},
    "Burer–Monteiro, width 2r": COMMON | FACTORS | {"width": 10},
    "compressed": COMMON | {"networks": "compressed"},
}
CURVES = (
    Curve("Burer–Monteiro, width r (rank known)", "Burer–Monteiro, width r", "original"),
    Curve("Burer–Monteiro, width 2r", "Burer–Monteiro, width 2r", "original", shade=0.6),
    Curve("compressed, L = 3, r̂ = 2r", "compressed", "compressed"),
)


def draw(found: Found) -> list[go.Figure]:
    """One panel: the three losses over the steps."""
    return [curves(found, CURVES, "Burer–Monteiro comparison", "½ mean square, all entries")]
