"""Factorization: every entry is seen, and the compressed network leaves its plateau earlier"""

from collections.abc import Iterator

import plotly.graph_objects as go

from dynamics.paper.check import Check
from dynamics.paper.figure import Found, losses
from dynamics.paper.overlay import both

SOURCE = "fig_traj_mf.ipynb"
CAPTION = "½ mean square over all entries, which the authors call recovery error."
CONFIGS = {
    "both": {
        "problem": "factorization",
        "matrices": "factorization",
        "spectrum": "top",
        "rows": 100,
        "cols": 100,
        "rank": 10,
        "rank_bound": 20,
        "learning_rate": 1.0,
        "alpha": 1.0,
        "steps": 100_000,
        "record_every": 100,
        "tolerance": 0.0,
    }
}
CURVES = (
    *losses("original", "both", "original", "original"),
    *losses("compressed, α = 1", "both", "compressed", "compressed"),
)
DROP = 0.95  # share of the first test loss below which the plateau has ended
SOLVED = 1e-12  # test loss below which the problem is solved
# Read off the saved figure: step at which the plateau ends, step at which the problem is solved,
# floor of the test loss, and half a unit of the floor's last digit.
LANDMARKS = {
    "original": (59_700, 81_400, 4.19e-15, 5e-18),
    "compressed": (51_400, 61_500, 5.00e-16, 5e-19),
}


def draw(found: Found) -> list[go.Figure]:
    """Two panels: over steps, and over seconds."""
    return both(found, CURVES[::2], "Matrix factorization", "½ mean square, all entries")


def checks(found: Found) -> Iterator[Check]:
    """The steps at which the plateau ends and 10⁻¹² is reached, and the last test loss."""
    for network, (plateau, solved, floor, half_digit) in LANDMARKS.items():
        trajectory = found.one("both", network)
        loss = trajectory.series["test_loss"]
        end = trajectory.reached("test_loss", DROP * loss[0])
        yield Check(f"step at which the plateau ends, {network}", end, plateau)
        done = trajectory.reached("test_loss", SOLVED)
        yield Check(f"step at which the test loss is below 1e-12, {network}", done, solved)
        yield Check(f"floor of the test loss, {network}", float(loss[-1]), floor, half_digit)
