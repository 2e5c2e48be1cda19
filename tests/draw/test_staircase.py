"""Staircase: the curves that are drawn before a run rise when and as long as theory forecasts."""

from typing import Any

import numpy as np
import pytest

from dynamics.core.config import Config
from dynamics.draw.staircase import staircase
from dynamics.theory.forecast import forecast
from tests.support.make import full


@pytest.mark.parametrize("depth", [2, 3, 4])
@pytest.mark.parametrize("alpha", [1.0, 4.0])
def test_curves_rise_at_the_forecast_s_escapes_and_as_long_as_it_says(
    depth: int, alpha: float
) -> None:
    config = full(depth=depth, alpha=alpha, steps=50_000, init_scale=0.03)
    predicted = forecast(config)
    figure = staircase(config)
    assert figure
    for name, network in predicted.networks.items():
        curves = [each for each in figure["data"] if each["legendgroup"] == name]
        escapes, rises = network.escapes.value, network.rises.value
        assert curves and escapes and rises
        for curve, escape, rise in zip(curves, escapes, rises, strict=False):
            x, y = np.array(curve["x"]), np.array(curve["y"]) / curve["y"][-1]
            assert np.interp(0.5, y, x) == pytest.approx(escape, rel=0.01)
            took = np.interp(0.9, y, x) - np.interp(0.1, y, x)
            assert took == pytest.approx(rise, rel=0.05)
            assert (np.diff(y) >= 0).all() and x[0] == 0 and x[-1] == config.steps


@pytest.mark.parametrize(
    ("settings", "networks"),
    [
        ({"problem": "photograph"}, 0),  # its singular values are not known before it is drawn
        ({"problem": "movielens"}, 0),
        ({"learning_rate": 1e4}, 0),  # both diverge
        ({}, 2),
        ({"networks": "compressed"}, 1),
    ],
)
def test_only_what_is_forecast_is_drawn(settings: dict[str, Any], networks: int) -> None:
    figure = staircase(Config.from_dict(settings))
    drawn = {each["legendgroup"] for each in figure["data"]} if figure else set()
    assert len(drawn) == networks and (figure is None) == (not networks)
