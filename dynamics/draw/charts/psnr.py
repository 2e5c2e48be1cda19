"""How near each completed picture is to the true one, beside two simple fills; its best moment."""

from collections.abc import Sequence

import plotly.graph_objects as go

from dynamics.draw.score import draw_score
from dynamics.draw.shown import Shown

NEEDS = ("psnr",)
LACKS = "This run has no picture whose completion could be compared with the true one."
NOTE = (
    "10 decibels more: a tenth of the mean square difference. A ring marks the best moment of a "
    "network that later gets worse."
)
FALLEN = 0.05  # decibels below its best moment from which on a network is said to be past it


def draw(shown: Sequence[Shown], versus: str = "steps") -> go.Figure:
    """A line for each network, and a dotted one for each simple fill."""
    titles = "Peak signal-to-noise ratio (PSNR)", "PSNR (dB)"
    return draw_score(shown, versus, "psnr", titles, NOTE, FALLEN)
