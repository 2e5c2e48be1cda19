"""Confusion: the share of each class's held-out images that is put into each class."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from dynamics.core.records import Array
from dynamics.core.traits import short_name
from dynamics.draw.matrices import matrices
from dynamics.draw.shown import Shown

KIND = "matrix"
NEEDS = ("confusion",)
LACKS = "This run records no confusion between classes."
NOTE = (
    "A row is a class, a column what its images are taken for. Right answers are green, on the "
    "diagonal; mistakes are violet, and fade as modes are learned."
)
BAR = {
    "title": {"text": "share of a row"},
    "tickvals": [-1, -0.5, 0, 0.5, 1],
    "ticktext": ["1 wrong", "0.5", "0", "0.5", "1 right"],
}
WORDS = {
    "ends": ["all mistaken", "all right"],
    "scale": "Share of a row: green on the diagonal, violet elsewhere",
    "cell": "{value} % of {row} taken for {column}",
    "most": "most often",
}


def draw(shown: Sequence[Shown], versus: str = "steps") -> go.Figure:
    """A matrix of classes × classes for each network, at one moment.

    Mistakes are drawn as negative numbers, so that they have the colours below zero. A trace's
    ``meta`` names the columns of its entries, row after row.
    """
    classes = _classes(shown[0])
    figure = matrices([_matrix(item, classes) for item in shown], classes, 1.0, BAR)
    title = {"text": _title(shown[0]), "x": 0, "xref": "paper", "xanchor": "left"}
    return figure.update_layout(
        title=title, meta={"note": NOTE, "classes": classes, "words": WORDS, "mistakes": True}
    )


def signed(shares: Array) -> Array:
    """The shares with a minus at mistakes, which are all entries off the diagonal."""
    return np.where(np.eye(len(shares), dtype=bool), shares, -shares)


def _matrix(item: Shown, classes: Sequence[str]) -> go.Heatmap:
    """The confusion of a network; without numbers before the first record."""
    name = short_name(item.network)
    side = range(1, len(classes) + 1)
    columns = [[f"{item.network}.confusion.{row}.{col}" for col in side] for row in side]
    shares = np.empty((0, 0))
    if item.moment is not None:
        shares = item.trajectory.series["confusion"][item.moment]
    words = [
        [
            f"{told(share)} of {true} taken for {other}"
            for other, share in zip(classes, row, strict=True)
        ]
        for true, row in zip(classes, shares, strict=False)
    ]
    return go.Heatmap(
        z=[[float(f"{value:.4g}") for value in row] for row in signed(shares)],
        name=name,
        customdata=words,
        hovertemplate=f"{name}<br>%{{customdata}}<extra></extra>",
        meta={"network": item.network, "x": "step", "y": columns},
    )


def told(share: float) -> str:
    """A share in words: ``12.5 %``."""
    return f"{100 * share:.3g} %"


def _classes(item: Shown) -> list[str]:
    """The names of the classes, or else their numbers."""
    count = item.trajectory.series["confusion"].shape[1]
    return list(item.trajectory.facts.get("classes", ())) or [str(i + 1) for i in range(count)]


def _title(item: Shown) -> str:
    if item.moment is None:
        return "Confusion of classes"
    return f"Confusion of classes at step {item.trajectory.steps[item.moment]:,.0f}"
