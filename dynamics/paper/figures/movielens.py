"""MovieLens with AltMin: from a fifth of the ratings the compressed network stays at one mode"""

import math
from collections.abc import Iterator

import numpy as np
import plotly.graph_objects as go

from dynamics.draw.look import color
from dynamics.paper.check import Check
from dynamics.paper.figure import Curve, Found, values
from dynamics.paper.overlay import around, curves

SOURCE = "paper, MovieLens figure"
CAPTION = "½ mean square over the held-out ratings, RMSE beside it; AltMin, and means as a level."
BORROWED = (
    "The settings are inferred: the published start, plateau and width fit a fifth of the ratings, "
    "ε = 10⁻³, η = 5, α = 1 and r̂ = 20. The split is ours, and so are AltMin's rank, ridge, "
    "start and number of steps, chosen with the published course in view."
)
CONFIGS = {
    "compressed": {
        "problem": "movielens",
        "networks": "compressed",
        "observed": 0.2,
        "rank_bound": 20,
        "init_scale": 1e-3,
        "learning_rate": 5.0,
        "alpha": 1.0,
        "steps": 40_000,
        "record_every": 200,
        "tolerance": 0.0,
    }
}
BESIDE = "compressed"  # AltMin and the biases learn from this run's ratings
CURVES: tuple[Curve, ...] = ()
COURSE = Curve("compressed, L = 3, r̂ = 20", "compressed", "compressed")
PUBLISHED = {"start": 6.88, "plateau": 0.54, "altmin_least": 0.66, "altmin_last": 0.94}
ALLOWED = 0.01  # a unit of the last published digit; a different split changes it by about as much
GONE = 1e-2  # share of σ_1; a smaller singular value does not count in the numerical rank
TICKS = (0.5, 0.7, 1, 2, 5, 10)  # of the loss axis
BIASES, ALTMIN = "#808080", color("altmin")  # colours


def draw(found: Found) -> list[go.Figure]:
    """One panel: the network, AltMin beside it, and the means as a level."""
    what = "½ mean square, held-out ratings (RMSE in stars)"
    figure = curves(found, (COURSE,), "MovieLens 100K, a fifth of the ratings", what)
    end = float(figure.data[-1].x[-1])
    rank = int(found.beside[0]["altmin_rank"][0])
    losses = np.array([beside["altmin_test_loss"] for beside in found.beside])
    levels = np.array([beside["biases_test_loss"] for beside in found.beside])
    halves, level = np.median(losses, axis=0), float(np.median(levels))
    count = f" (N = {found.seeds})" if found.seeds > 1 else ""
    places = np.linspace(0, end, len(halves))
    around(figure, places, losses, ALTMIN)
    around(figure, np.array([0, end]), levels.reshape(-1, 1) * [1, 1], BIASES)
    figure.add_scatter(
        x=places,
        y=halves,
        name=f"AltMin, rank {rank}, ridge 1: {len(halves)} half steps over the whole width{count}",
        mode="lines+markers",
        line={"color": ALTMIN, "width": 2, "dash": "dot"},
        marker={"size": 5},
        customdata=np.stack([np.arange(1, len(halves) + 1), np.sqrt(2 * halves)], axis=1),
        hovertemplate="AltMin: %{y:.4g} (RMSE %{customdata[1]:.3f}) "
        "after half step %{customdata[0]}<extra></extra>",
    )
    figure.add_scatter(
        x=[0, end],
        y=[level] * 2,
        name=f"means of users and films, RMSE {_rmse(level):.3f}{count}",
        mode="lines",
        line={"color": BIASES, "width": 1.5, "dash": "longdash"},
        hovertemplate=f"means: {level:.4g} (RMSE {_rmse(level):.3f})<extra></extra>",
    )
    words = [f"{tick:g} ({_rmse(tick):.3g})" for tick in TICKS]
    return [figure.update_yaxes(tickvals=TICKS, ticktext=words)]


def checks(found: Found) -> Iterator[Check]:
    """Start and lowest loss of the network, lowest and last of AltMin; the loss of the means."""
    trajectory = found.one("compressed", "compressed")
    losses = values(trajectory, COURSE)
    least = trajectory.lowest("test_loss") or 0
    beside = found.beside[0]
    mean, spread = beside["split"]
    split = f"all ratings give {mean:.4f}, and a random split scatters by {spread:.4f} about it"
    yield _check("at the start, compressed", losses[0], "start", split)
    yield from _both("at its lowest, compressed", losses[least], "plateau")
    yield Check("step of its lowest, compressed", float(trajectory.steps[least]))
    sizes = trajectory.series["singular_values"][least]
    yield Check("numerical rank of W there (σᵢ ≥ σ₁/100)", float((sizes >= GONE * sizes[0]).sum()))
    halves = beside["altmin_test_loss"]
    reason = "its ridge, its start and its number of steps were not published"
    yield from _both("at its lowest, AltMin", halves.min(), "altmin_least", reason)
    yield from _both(f"after {len(halves)} half steps, AltMin", halves[-1], "altmin_last", reason)
    yield from _both("of the means of users and films", beside["biases_test_loss"][0])


def _both(what: str, loss: float, published: str = "", reason: str = "") -> Iterator[Check]:
    yield _check(what, loss, published, reason)
    yield Check(f"RMSE in stars {what}", _rmse(loss))


def _check(what: str, loss: float, published: str, reason: str) -> Check:
    number = PUBLISHED.get(published)
    return Check(f"½ mean square {what}", float(loss), number, ALLOWED, reason)


def _rmse(loss: float) -> float:
    return math.sqrt(2 * loss)
