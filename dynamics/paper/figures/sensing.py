"""Sensing: from 4,000 weighted sums of its entries both networks find a 200 × 200 matrix"""

import plotly.graph_objects as go

from dynamics.paper.figure import Found, losses
from dynamics.paper.overlay import both

SOURCE = "fig_traj_ms.ipynb"
CAPTION = (
    "Relative Frobenius error, which the authors call recovery error; 1.28 GB of measurements."
)
CONFIGS = {
    "both": {
        "problem": "sensing",
        "rows": 200,
        "cols": 200,
        "rank": 5,
        "measurements": 4000,
        "rank_bound": 10,
        "learning_rate": 20.0,
        "alpha": 1.0,
        "steps": 25_000,
        "record_every": 50,
        "tolerance": 1e-12,
    }
}
CURVES = (
    *losses("original", "both", "original", "original"),
    *losses("compressed, α = 1", "both", "compressed", "compressed"),
)


def draw(found: Found) -> list[go.Figure]:
    """Two panels: over steps, and over seconds."""
    return both(found, CURVES[::2], "Matrix sensing", "‖W − M*‖<sub>F</sub> / ‖M*‖<sub>F</sub>")
