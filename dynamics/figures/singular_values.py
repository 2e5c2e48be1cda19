"""Singular values of the end-to-end matrix W_L⋯W_1, the target's dotted."""

from collections.abc import Sequence

import plotly.graph_objects as go

from dynamics.figure import blank, line, said
from dynamics.trajectory import Trajectory

NEEDS = ("singular_values",)


def draw(trajectories: Sequence[Trajectory], versus: str = "steps") -> go.Figure:
    """A line for each σ_i, darkest for the largest; dotted, the target's singular values s_i.

    All lines are watched: the page's replay jumps from one's escape to the next.
    """
    title = "Singular values: " + ", ".join(said(each.network) for each in trajectories)
    figure = blank(title, versus, "σ<sub>i</sub> of W<sub>L</sub>⋯W<sub>1</sub>")
    dash = "solid" if len(trajectories) == 1 else None
    for trajectory in trajectories:
        count = trajectory.series["singular_values"].shape[1]
        for i in range(count):
            shade, label = i / max(count - 1, 1), f"σ<sub>{i + 1}</sub>"
            line(
                figure,
                trajectory,
                versus,
                "singular_values",
                (i,),
                label=label,
                shade=shade,
                dash=dash,
            )
    for value in (trajectories[0].facts.get("target_singular_values") or ())[:50]:
        figure.add_hline(value, line={"dash": "dot", "width": 1, "color": "gray"}, layer="below")
    figure.update_layout(meta={"watched": [trace.meta["y"] for trace in figure.data]})
    return figure.update_yaxes(rangemode="tozero")
