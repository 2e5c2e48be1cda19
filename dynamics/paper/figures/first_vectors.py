"""First singular vectors: each outer factor turns towards the target's first vector"""

import math
import re
from collections.abc import Iterator

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from dynamics.core.records import Array, Trajectory
from dynamics.paper.check import Check
from dynamics.paper.figure import (
    TOLERANCE,
    Curve,
    Found,
    deviation,
    deviation_check,
    losses,
    values,
)
from dynamics.paper.overlay import curves

SOURCE = "fig_power_method.ipynb"
CAPTION = "Overlap of the outer factors' first vectors with the target's; in completion it dips."
COMMON = {
    "matrices": "first_vectors",
    "networks": "original",
    "spectrum": "top",
    "rows": 100,
    "cols": 100,
    "rank": 10,
    "rank_bound": 20,
    "learning_rate": 3.0,
    "alpha": 1.0,
    "steps": 100_000,
    "record_every": 100,
    "tolerance": 1e-9,
}
PROBLEMS = ("factorization", "completion")
CONFIGS = {problem: COMMON | {"problem": problem, "observed": 0.3} for problem in PROBLEMS}
CURVES = tuple(
    curve for problem in PROBLEMS for curve in losses(problem, problem, "original", problem)
)
OVERLAPS = tuple(
    Curve(
        f"{problem}, {what}",
        problem,
        "original",
        "first_vectors",
        (side,),
        f"{problem}_{name}_overlap",
        0.6 * side,
    )
    for problem in PROBLEMS
    for side, (name, what) in enumerate({"left": "last factor", "right": "first factor"}.items())
)
PREFIX = re.compile(f"^({'|'.join(PROBLEMS)}), ")  # dropped from labels; the panel has the problem
GAP = 1e-3  # smallest (σ_1 − σ_2) / σ_1 of a factor for which its first vector is not arbitrary


def draw(found: Found) -> list[go.Figure]:
    """A panel for each problem."""
    panels = []
    for i, problem in enumerate(PROBLEMS):
        pair = OVERLAPS[2 * i : 2 * i + 2]
        y = f"overlap with the target's, {problem}"
        panel = curves(found, pair, "First singular vectors", y, log=False)
        panel.for_each_trace(lambda trace: trace.update(name=PREFIX.sub("", trace.name or "")))
        panels.append(panel)
    return panels


def checks(found: Found) -> Iterator[Check]:
    """The overlaps wherever a factor has a first vector, and the lowest overlap of the dip."""
    for curve in OVERLAPS:
        trajectory = found.one(curve.run, "original")
        theirs = found.published.get(curve.published)
        ours = values(trajectory, curve)
        defined = _defined(trajectory, curve.index[0])
        if theirs is not None:
            same = theirs.shape == ours.shape
            worst = deviation(ours[defined], theirs[defined]) if same else math.inf
            yield deviation_check(f"overlap where σ₁ stands out, {curve.label}", worst)
        if curve.run == "completion":
            low = float(ours[_dip(ours)])
            published = None if theirs is None else float(theirs[_dip(theirs)])
            yield Check(f"lowest overlap of the dip, {curve.label}", low, published, TOLERANCE)


def _defined(trajectory: Trajectory, side: int) -> NDArray[np.bool_]:
    """Which records have a gap after the factor's first singular value."""
    sizes = trajectory.series["factor_singular_values"][:, -1 if side == 0 else 0]
    return np.asarray(sizes[:, 0] - sizes[:, 1] > GAP * sizes[:, 0])


def _dip(overlap: Array) -> int:
    """The record of the lowest overlap after the first peak above one half."""
    start = int(np.argmax(overlap > 0.5))
    return start + int(np.argmin(overlap[start:]))
