"""Inner coordinates: held-out images in the two or three dimensions of a narrow network."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from dynamics.draw.chart import titled
from dynamics.draw.look import GREY, class_look
from dynamics.draw.shown import Shown

KIND = "scatter"
NEEDS = ("inner_coordinates",)
LACKS = "Inner coordinates can be drawn for a network that is 2 or 3 wide; take r̂ = 2 or r̂ = 3."
NOTE = (
    "Each mark is a held-out image, at what W<sub>1</sub> makes of its features: all that the rest "
    "of the network sees. Classes that lie apart can be told apart."
)
SIZE = 8  # of a mark, in pixels


def draw(shown: Sequence[Shown], versus: str = "steps") -> go.Figure:
    """The images of one moment, a colour and a mark for each class.

    Of three coordinates, the second is drawn over the first, and below it the third over the first.
    The axes hold all moments. A trace's ``meta`` names the columns of its x and y values.
    """
    item = shown[0]
    values = item.trajectory.series["inner_coordinates"]
    images, width = values.shape[1:]
    facts = item.trajectory.facts
    labels = np.asarray(facts.get("shown_labels", [0] * images), int)[:images]
    classes = facts.get("classes") or [str(i + 1) for i in range(int(labels.max()) + 1)]
    figure = go.Figure()
    for plane in range(1, width):
        for number, name in enumerate(classes):
            _add(figure, item, np.flatnonzero(labels == number), plane, number, name)
    return _laid_out(figure, item, width)


def _add(
    figure: go.Figure, item: Shown, images: np.ndarray, plane: int, number: int, name: str
) -> None:
    """The images of one class in the plane of the first coordinate and another one."""
    color, mark = class_look(number)
    points = np.empty((0, 0, 2))
    if item.moment is not None:
        points = item.trajectory.series["inner_coordinates"][item.moment][images]
    columns = [
        [f"{item.network}.inner_coordinates.{image + 1}.{axis + 1}" for image in images]
        for axis in (0, plane)
    ]
    figure.add_scatter(
        x=points[:, 0] if points.size else [],
        y=points[:, plane] if points.size else [],
        name=name,
        legendgroup=name,
        showlegend=plane == 1,
        mode="markers",
        marker={"symbol": mark, "size": SIZE, "color": color, "opacity": 0.85},
        yaxis="y" if plane == 1 else "y2",
        hovertemplate=f"{name}<extra></extra>",
        meta={"network": item.network, "x": "step", "y": columns},
    )


def _laid_out(figure: go.Figure, item: Shown, width: int) -> go.Figure:
    values = item.trajectory.series["inner_coordinates"]
    finite = np.abs(values[np.isfinite(values)])
    most = float(finite.max()) * 1.05 if finite.size else 1.0
    axis = {"gridcolor": GREY, "zerolinecolor": GREY, "range": [-most, most]}
    title = titled("Inner coordinates", [item])
    if item.moment is not None:
        title += f" at step {item.trajectory.steps[item.moment]:,.0f}"
    figure.update_layout(
        title={"text": title, "x": 0, "xref": "paper", "xanchor": "left", "font": {"size": 15}},
        margin={"l": 64, "r": 24, "t": 44, "b": 48},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        hovermode="closest",
        meta={"note": NOTE, "title": titled("Inner coordinates", [item])},
        xaxis={"title": {"text": "coordinate 1"}, **axis},
        yaxis={"title": {"text": "coordinate 2"}, **axis},
    )
    if width == 2:
        return figure
    return figure.update_layout(
        yaxis_domain=[0.54, 1],
        yaxis2={"title": {"text": "coordinate 3"}, "domain": [0, 0.46], **axis},
        xaxis_anchor="y2",
    )
