"""Overlap of each singular vector of W_L⋯W_1 with the target's singular vector i."""

from collections.abc import Sequence

import plotly.graph_objects as go

from dynamics.draw.chart import blank, fading, line, titled
from dynamics.draw.shown import Shown

NEEDS = ("left_overlaps", "right_overlaps")


def draw(shown: Sequence[Shown], versus: str = "steps") -> go.Figure:
    """|⟨u_i, u_i*⟩| and |⟨v_i, v_i*⟩| for each mode i, darkest for the first."""
    title = titled("Overlap with the target's modes", shown)
    figure = blank(title, versus, "|⟨u<sub>i</sub>, u<sub>i</sub>*⟩|")
    dash = "solid" if len(shown) == 1 else None
    for item in shown:
        before = len(figure.data)
        for side, letter in (("left", "u"), ("right", "v")):
            count = item.trajectory.series[f"{side}_overlaps"].shape[1]
            for i in range(count):
                label = f"{letter}<sub>{i + 1}</sub>"
                shade = i / max(count - 1, 1)
                line(
                    figure,
                    item,
                    versus,
                    f"{side}_overlaps",
                    (i,),
                    label=label,
                    shade=shade,
                    dash=dash,
                    legend=side == "left" and i == 0,
                )
        if len(shown) == 1:
            fading(figure, before, "mode", count)
    return figure.update_yaxes(range=[0, 1.02])
