"""Spark lines: small pictures show the lines of a chart where its axes place them."""

from xml.etree import ElementTree

import numpy as np
import plotly.graph_objects as go
import pytest

from dynamics.core.records import Array
from dynamics.draw.spark import miniature


def lines(figure: go.Figure) -> dict[str, Array]:
    """The points of each line by colour, y upwards."""
    return {
        line.attrib["stroke"]: np.array(
            [[float(x), -float(y)] for x, y in map(_pair, line.attrib["points"].split())]
        )
        for line in ElementTree.fromstring(miniature(figure))
    }


def _pair(point: str) -> list[str]:
    return point.split(",")


def test_an_exponential_is_straight_on_a_logarithmic_axis_alone() -> None:
    """Highest and lowest points are at the picture's edges; what is not above 0 has no place."""
    steps = np.arange(100.0)
    falling = 10.0 ** (-steps / 20)
    figure = go.Figure(
        [
            go.Scatter(x=steps, y=falling, line={"color": "#e8710a"}),
            go.Scatter(x=steps, y=np.zeros(100), line={"color": "#2f6fde"}),
        ]
    )
    figure.update_yaxes(type="log")
    drawn = lines(figure)
    across, up = drawn["#e8710a"].T
    slopes = np.diff(up) / np.diff(across)
    assert slopes == pytest.approx(np.full(len(slopes), slopes.mean()), rel=0.15)  # of one decimal
    assert up.max() == pytest.approx(-2.5) and up.min() == pytest.approx(-51.5)
    assert not drawn["#2f6fde"].size
    figure.update_yaxes(type="linear")
    bent = np.diff(lines(figure)["#e8710a"][:, 1])
    assert bent[0] < -2 and bent[-1] > -0.1


def test_bands_points_and_heat_maps_are_left_out() -> None:
    """Only lines tell something at that size; a chart without one is an empty picture."""
    x = [0, 1]
    figure = go.Figure(
        [
            go.Scatter(x=x, y=x, fill="tonexty"),
            go.Scatter(x=x, y=x, mode="markers"),
            go.Scatter(x=x, y=x, line={"width": 0}),
            go.Heatmap(z=[[0, 1], [1, 0]]),
        ]
    )
    assert lines(figure) == {}
    figure.add_trace(go.Scatter(x=x, y=x, line={"color": "rgb(1, 2, 3)"}))
    assert lines(figure)["rgb(1, 2, 3)"].tolist() == [[2.5, -51.5], [117.5, -2.5]]


def test_lines_in_space_are_seen_from_the_side() -> None:
    """Height over steps, as in a chart in the plane; the place of a mode plays no part."""
    steps = np.arange(50.0)
    line = {"color": "#e8710a"}
    flat = go.Figure(go.Scatter(x=steps, y=steps**2, line=line))
    space = go.Figure(go.Scatter3d(x=steps, y=0 * steps + 3, z=steps**2, mode="lines", line=line))
    assert miniature(space) == miniature(flat)
