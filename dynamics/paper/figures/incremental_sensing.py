"""Incremental learning, sensing: singular values rise one after another, only sums seen"""

from collections.abc import Iterator

import plotly.graph_objects as go

from dynamics.paper.check import Check
from dynamics.paper.figure import Curve, Found, growth
from dynamics.paper.overlay import modes

SOURCE = "figs/incremental_ms_r10.png"
CAPTION = "σ_i of both end-to-end matrices over the steps, a line for each."
BORROWED = "The published picture has no settings; all settings but problem and rank are ours."
CONFIGS = {
    "both": {
        "problem": "sensing",
        "rows": 50,
        "cols": 50,
        "rank": 10,
        "measurements": 2500,
        "rank_bound": 20,
        "learning_rate": 0.3,
        "rate_unit": "limit",
        "alpha": 1.0,
        "steps": 4000,
        "record_every": 20,
        "tolerance": 1e-9,
    }
}
CURVES: tuple[Curve, ...] = ()


def draw(found: Found) -> list[go.Figure]:
    """One panel: lines in space."""
    return [modes(found, "both", "Incremental learning: sensing")]


def checks(found: Found) -> Iterator[Check]:
    """When the first and the last singular value rise."""
    return growth(found, "both")
