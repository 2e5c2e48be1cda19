"""Singular values of the end-to-end matrix W_L⋯W_1, the target's dotted, theory's thin."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from dynamics.figure import blank, color, line, said
from dynamics.trajectory import Trajectory

NEEDS = ("singular_values",)
EXPECTED = True  # draws what theory says of a trajectory, if it has that
MOST_MODES = 50
THEORY = {"color": "#808080", "width": 1.2, "dash": "dot"}


def draw(trajectories: Sequence[Trajectory], versus: str = "steps") -> go.Figure:
    """A line for each σ_i, darkest for the largest; dotted, the target's singular values s_i.

    Thin and grey over steps, the course that theory gives exactly; where it has none, triangles
    at the steps at which it expects each mode to be half grown. All lines of the run are watched:
    the page's replay jumps from one's escape to the next.
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
        if versus == "steps":
            _expect(figure, trajectory)
    for value in (trajectories[0].facts.get("target_singular_values") or ())[:MOST_MODES]:
        figure.add_hline(value, line={"dash": "dot", "width": 1, "color": "gray"}, layer="below")
    figure.update_layout(meta={"watched": [trace.meta["y"] for trace in figure.data if trace.meta]})
    return figure.update_yaxes(rangemode="tozero")


def _expect(figure: go.Figure, trajectory: Trajectory) -> None:
    """Curves or marks that are no series of the run: without ``meta``, their numbers in place."""
    found = trajectory.expected
    if found is None:
        return
    for i in range(min(found.values.shape[1], MOST_MODES)):
        label = f"theory of σ<sub>{i + 1}</sub>"
        figure.add_scatter(
            x=found.steps.tolist(),
            y=[float(f"{value:.5g}") for value in found.values[:, i]],
            name="theory",
            legendgroup="theory",
            showlegend=not i and "theory" not in {trace.name for trace in figure.data},
            mode="lines",
            line=THEORY,
            zorder=1,
            hovertemplate=f"{label}: %{{y:.4g}} at %{{x:.6~g}}<extra></extra>",
        )
    if not found.values.size and found.escapes:
        _mark(figure, trajectory.network, found.escapes, found.standing)


def _mark(figure: go.Figure, network: str, escapes: Sequence[float], standing: str) -> None:
    """A triangle on the time axis for each escape."""
    known = [(i, step) for i, step in enumerate(escapes, 1) if np.isfinite(step)][:MOST_MODES]
    figure.add_scatter(
        x=[step for _, step in known],
        y=[0.0] * len(known),
        name="expected escapes",
        legendgroup="theory",
        mode="markers",
        cliponaxis=False,
        marker={
            "symbol": "triangle-up",
            "size": 9,
            "color": color(network),
            "line": {"width": 1, "color": "#808080"},
        },
        text=[f"σ<sub>{i}</sub> expected half grown at step {step:,.0f}" for i, step in known],
        hovertemplate=f"%{{text}} ({standing})<extra></extra>",
    )
