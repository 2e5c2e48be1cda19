"""Published: the authors' own matrices and curves behind their saved figures, in NumPy alone.

``matrices/<name>.npz`` holds what the notebook of that name drew with the seeds of its saved
figure: target, mask, the original network's first factors, and the curves that the authors' public
code computes from them. The source is Kwon et al. (2024), https://github.com/soominkwon/comp-deep-nets;
the files hold numbers only.
"""

import functools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
DRAWN: str = "drawn"  # matrices that are drawn from the seeds and not published
NAMES: tuple[str, ...] = ("ablation_alpha", "completion", "depth", "factorization", "first_vectors")
FOLDER = Path(__file__).parent / "matrices"


@functools.cache
def arrays(name: str) -> Mapping[str, Array]:
    """All arrays of a published set, in float64."""
    with np.load(FOLDER / f"{name}.npz", allow_pickle=False) as content:
        return {key: content[key].astype(float) for key in content.files if key != "config"}


@functools.cache
def settings(name: str) -> Mapping[str, Any]:
    """The settings by the names in the notebook: d, r, rhat, depth, epsilon, eta, observed, …"""
    with np.load(FOLDER / f"{name}.npz", allow_pickle=False) as content:
        return dict(json.loads(str(content["config"])))


def start(name: str, problem: str, depth: int) -> list[Array]:
    """The original network's first factors W_1, …, W_L divided by ε; empty if the set has none."""
    stored = arrays(name)
    for prefix in ("original", f"original_L{depth}", problem):
        keys = [key for key in stored if key.startswith(f"{prefix}_init_")]
        if len(keys) == depth:
            scale = float(settings(name)["epsilon"])
            return [stored[f"{prefix}_init_{number}"] / scale for number in range(1, depth + 1)]
    return []
