"""Incremental learning, factorization: singular values rise one after another, every entry seen"""

from collections.abc import Iterator

import plotly.graph_objects as go

from dynamics.paper.check import Check
from dynamics.paper.figure import Curve, Found, growth
from dynamics.paper.figures.factorization import CONFIGS as PLOTTED
from dynamics.paper.overlay import modes

SOURCE = "figs/incremental_mf_r10.png"
CAPTION = "σ_i of both end-to-end matrices over the steps, a line for each."
BORROWED = (
    "The published picture has no settings; ours are from fig_traj_mf.ipynb, also of rank 10."
)
CONFIGS = PLOTTED
CURVES: tuple[Curve, ...] = ()


def draw(found: Found) -> list[go.Figure]:
    """One panel: lines in space."""
    return [modes(found, "both", "Incremental learning: factorization")]


def checks(found: Found) -> Iterator[Check]:
    """When the first and the last singular value rise."""
    return growth(found, "both")
