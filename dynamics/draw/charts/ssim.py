"""How alike each completed picture and the true one look, beside two simple fills; best moment."""

from collections.abc import Sequence

import plotly.graph_objects as go

from dynamics.draw.score import draw_score
from dynamics.draw.shown import Shown

NEEDS = ("ssim",)
LACKS = "This run has no picture whose completion could be compared with the true one."
NOTE = (
    "SSIM compares means, contrast and shapes in windows of 7 × 7 pixels; 1 is the same picture. A "
    "ring marks the best moment of a network that later gets worse."
)
FALLEN = 0.002  # below its best moment from which on a network is said to be past it


def draw(shown: Sequence[Shown], versus: str = "steps") -> go.Figure:
    """A line for each network, and a dotted one for each simple fill."""
    titles = "Structural similarity (SSIM)", "SSIM"
    return draw_score(shown, versus, "ssim", titles, NOTE, FALLEN)
