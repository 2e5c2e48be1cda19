"""FashionMNIST: a compressed layer is nearly as accurate as the deep linear one, and faster"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import plotly.graph_objects as go

from dynamics.core.records import TAIL, Trajectory, tail_mean
from dynamics.draw.look import color
from dynamics.paper.check import Check
from dynamics.paper.figure import Curve, Found
from dynamics.paper.overlay import curves

SOURCE = "figs/FashionMNIST_Accs.png"
CAPTION = (
    "Held-out accuracy over steps, and over time in units of the plain network's whole training; "
    "circles: where the authors' curves end."
)
BORROWED = (
    "The settings are borrowed: width, r̂, depth, start, optimizer, η and α were not published. "
    "Ours are 256 features, r̂ = 20, L = 3, ε = 1, α = 1, momentum with η = 0.05 and mini-batches "
    "of 512, where the authors' code takes all 60,000 images at each step. The authors' numbers "
    "are read off their picture; the draws are ours."
)
RUN = "one hidden layer"
CONFIGS: dict[str, dict[str, Any]] = {
    RUN: {
        "problem": "fashion_mnist",
        "place": "hidden",
        "backbone": "layer",
        "features": 256,
        "networks": "plain,original,narrow_random",
        "rank_bound": 20,
        "init_scale": 1.0,
        "learning_rate": 0.05,
        "batch": 512,
        "steps": 1250,
        "record_every": 25,
    }
}
CURVES: tuple[Curve, ...] = ()
LABELS = {"plain": "MLP", "original": "MLP + DLN", "narrow_random": "MLP + C-DLN"}
COURSES = tuple(
    Curve(f"{label}: {network.replace('_', ' ')}", RUN, network, "accuracy")
    for network, label in LABELS.items()
)
PUBLISHED = {
    "plain_accuracy": 0.894,
    "original_accuracy": 0.902,
    "narrow_random_accuracy": 0.901,
    "plain_seconds": 153.0,
    "original_seconds": 262.0,
    "narrow_random_seconds": 115.0,
}
POINT = 0.01  # of accuracy: the authors' own curves move by more from record to record
NEAR = 0.15  # of a ratio of times: small products are slower on one machine than on another
RATIOS = (("original", "plain"), ("narrow_random", "plain"), ("original", "narrow_random"))
SHOWN = (0.7, 0.92)  # range of the accuracy axis


def draw(found: Found) -> list[go.Figure]:
    """Two panels: over steps, and over time in units of the plain network's whole training."""
    title, what = "FashionMNIST, one hidden layer replaced", "share put into their class"
    steps, times = (
        curves(found, COURSES, title, what, versus=versus, log=False).update_yaxes(range=SHOWN)
        for versus in ("steps", "seconds")
    )
    whole = float(np.median([each.seconds[-1] for each in found.of(RUN, "plain")]))
    for trace in times.data:
        trace.x = np.asarray(trace.x) / whole
    times.update_xaxes(title_text="Time ÷ time of the whole MLP run")
    last = found.one(RUN, "plain").steps[-1]
    _publish(steps, dict.fromkeys(LABELS, float(last)))
    _publish(times, {network: _published(network, "plain") for network in LABELS})
    return [steps, times]


def _publish(figure: go.Figure, places: dict[str, float]) -> None:
    """Add the ends of the authors' curves."""
    for network, place in places.items():
        figure.add_scatter(
            x=[place],
            y=[PUBLISHED[f"{network}_accuracy"]],
            name="the authors' ends",
            legendgroup="published",
            showlegend=network == "plain",
            mode="markers",
            marker={
                "symbol": "circle-open",
                "size": 10,
                "color": color(network),
                "line": {"width": 2},
            },
            hovertemplate=f"{LABELS[network]}, the authors: %{{y}}<extra></extra>",
        )


def checks(found: Found) -> Iterator[Check]:
    """The end accuracies, the ratios of times and of operations; our own seconds."""
    ends = {network: found.one(RUN, network) for network in LABELS}
    for network, label in LABELS.items():
        yield Check(
            f"held-out accuracy, mean of the last {TAIL} records, {label}",
            round(tail_mean(ends[network].series["accuracy"]) or np.nan, 4),
            PUBLISHED[f"{network}_accuracy"],
            POINT,
            "mini-batches, and settings that were not published",
        )
    for over, under in RATIOS:
        theirs = _published(over, under)
        names = " ÷ ".join(LABELS[network].removeprefix("MLP + ") for network in (over, under))
        ours = float(ends[over].seconds[-1] / ends[under].seconds[-1])
        why = "it follows the width, the batch and the machine, which were not published"
        yield Check(f"training time, {names}", ours, theirs, NEAR * theirs, why)
        yield Check(f"operations, {names}", _operations(ends[over]) / _operations(ends[under]))
    for network, label in LABELS.items():
        yield Check(f"seconds of training here, {label}", float(ends[network].seconds[-1]))


def _published(over: str, under: str) -> float:
    """The ratio of the authors' times."""
    return PUBLISHED[f"{over}_seconds"] / PUBLISHED[f"{under}_seconds"]


def _operations(trajectory: Trajectory) -> float:
    return float(trajectory.operations[-1])
