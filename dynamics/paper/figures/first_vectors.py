"""First singular vectors: each outer factor turns towards the target's first vector"""

import math
import re
from collections.abc import Iterator

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from dynamics.core.records import Array, Trajectory
from dynamics.paper.check import Check
from dynamics.paper.figure import Curve, Found, deviation, deviation_check, losses, values
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
SAID = re.compile(f"^({'|'.join(PROBLEMS)}), ")  # by the panel itself
GAP = 1e-3  # of σ_1 between σ_1 and σ_2 of a factor: below it its first vector is any


def draw(found: Found) -> list[go.Figure]:
    """A panel for each problem."""
    panels = []
    for i, problem in enumerate(PROBLEMS):
        pair, y = OVERLAPS[2 * i : 2 * i + 2], f"overlap with the target's, {problem}"
        panel = curves(found, pair, "First singular vectors", y, log=False)
        panel.for_each_trace(lambda each: each.update(name=SAID.sub("", each.name or "")))
        panels.append(panel)
    return panels


def checks(found: Found) -> Iterator[Check]:
    """The overlaps, where a factor has a first vector at all, and how deep completion dips."""
    for curve in OVERLAPS:
        trajectory, wanted = found.one(curve.run, "original"), found.published.get(curve.published)
        got, defined = values(trajectory, curve), _defined(trajectory, curve.index[0])
        if wanted is not None:
            same = wanted.shape == got.shape
            worst = deviation(got[defined], wanted[defined]) if same else math.inf
            yield deviation_check(f"overlap where σ₁ stands out, {curve.label}", worst)
        if curve.run == "completion":
            dip = found.published.get(curve.published)
            low = None if dip is None else float(dip[_dip(dip)])
            yield Check(
                f"lowest overlap of the dip, {curve.label}", float(got[_dip(got)]), low, 1e-8
            )


def _defined(trajectory: Trajectory, side: int) -> NDArray[np.bool_]:
    """Which records have a gap after the factor's first singular value."""
    sizes = trajectory.series["factor_singular_values"][:, -1 if side == 0 else 0]
    return np.asarray(sizes[:, 0] - sizes[:, 1] > GAP * sizes[:, 0])


def _dip(overlap: Array) -> int:
    """The record of the lowest overlap after the first peak above one half."""
    start = int(np.argmax(overlap > 0.5))
    return start + int(np.argmin(overlap[start:]))
