"""Completion: from 30 % of the entries, the compressed network needs a third of the steps"""

import plotly.graph_objects as go

from dynamics.paper.figure import Found, losses
from dynamics.paper.overlay import both

SOURCE = "fig_traj_mc.ipynb"
CAPTION = "½ mean square over the unobserved entries, which the authors call recovery error."
CONFIGS = {
    "both": {
        "problem": "completion",
        "matrices": "completion",
        "rows": 100,
        "cols": 100,
        "rank": 5,
        "observed": 0.3,
        "rank_bound": 10,
        "learning_rate": 10.0,
        "alpha": 5.0,
        "steps": 25_000,
        "record_every": 50,
        "tolerance": 1e-12,
    }
}
CURVES = (
    *losses("original", "both", "original", "original"),
    *losses("compressed, α = 5", "both", "compressed", "compressed"),
)


def draw(found: Found) -> list[go.Figure]:
    """Two panels: over steps, and over seconds."""
    return both(found, CURVES[::2], "Matrix completion", "½ mean square, unobserved entries")
