"""Singular values of every factor W_l, on a logarithmic axis."""

from collections.abc import Sequence

import plotly.graph_objects as go

from dynamics.draw.chart import blank, fading, line, titled
from dynamics.draw.look import UNKNOWN
from dynamics.draw.shown import Shown

NEEDS = ("factor_singular_values",)
ERROR = "error of wide factors"
NOTE = "Dotted grey: how far a wide factor's values may be too small; below it, none is known."


def draw(shown: Sequence[Shown], versus: str = "steps") -> go.Figure:
    """A line for each singular value of each factor, darkest for the largest.

    Of wide factors also, dotted in grey, how far these values may be too small.
    """
    title = titled("Singular values of the factors", shown)
    wide = any("spectrum_error" in item.trajectory.series for item in shown)
    note = NOTE if wide else ""
    figure = blank(title, versus, "σ<sub>i</sub>(W<sub>l</sub>)", log=True, note=note)
    dash = "solid" if len(shown) == 1 else None
    for item in shown:
        before = len(figure.data)
        depth, count = item.trajectory.series["factor_singular_values"].shape[1:]
        for factor in range(depth):
            for i in range(count):
                line(
                    figure,
                    item,
                    versus,
                    "factor_singular_values",
                    (factor, i),
                    label=f"σ<sub>{i + 1}</sub>(W<sub>{factor + 1}</sub>)",
                    shade=i / max(count - 1, 1),
                    dash=dash,
                    legend=factor == i == 0,
                )
        if len(shown) == 1:
            fading(figure, before, "σ", count)
        if "spectrum_error" in item.trajectory.series:
            _add_error(figure, item, versus, depth)
    return figure


def _add_error(figure: go.Figure, item: Shown, versus: str, depth: int) -> None:
    """A line for each factor: what its singular values may lack; none where it is 0."""
    for factor in range(depth):
        label = f"error of σ<sub>i</sub>(W<sub>{factor + 1}</sub>) at most"
        line(
            figure, item, versus, "spectrum_error", (factor,), label=label, dash="dot", mode=False
        )  # fmt: skip
        trace = figure.data[-1]
        trace.line.update(color=UNKNOWN, width=1)
        trace.showlegend = ERROR not in {each.name for each in figure.data}
        trace.name = trace.legendgroup = ERROR
