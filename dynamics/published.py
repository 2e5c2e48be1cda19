"""Published: the authors' own matrices and curves behind their saved figures, in NumPy alone.

``papers/<name>.npz`` holds what the notebook of that name drew with the seeds of its saved figure:
target, mask, the original network's first factors, and the curves that the authors' public code
gives for them. Kwon et al. (2024), https://github.com/soominkwon/comp-deep-nets: numbers only.
"""

import functools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dynamics import registry

if TYPE_CHECKING:
    from dynamics.config import Config

Array = NDArray[np.float64]
DRAWN: str = "drawn"
NAMES: tuple[str, ...] = ("ablation_alpha", "completion", "depth", "factorization", "first_vectors")
FIXED = ("spectrum", "seed_target", "seed_data", "seed_init")  # what these matrices do not read
FOLDER = Path(__file__).parent / "papers"


@functools.cache
def arrays(name: str) -> Mapping[str, Array]:
    """All arrays of a published set, in float64."""
    with np.load(FOLDER / f"{name}.npz", allow_pickle=False) as content:
        return {key: content[key].astype(float) for key in content.files if key != "config"}


@functools.cache
def settings(name: str) -> Mapping[str, Any]:
    """The notebook's settings by its own names: d, r, rhat, depth, epsilon, eta, observed, …"""
    with np.load(FOLDER / f"{name}.npz", allow_pickle=False) as content:
        return dict(json.loads(str(content["config"])))


def start(name: str, problem: str, depth: int) -> list[Array]:
    """The original network's first factors W_1, …, W_L over ε; none if the set has no such ones."""
    stored = arrays(name)
    for prefix in ("original", f"original_L{depth}", problem):
        found = [key for key in stored if key.startswith(f"{prefix}_init_")]
        if len(found) == depth:
            scale = float(settings(name)["epsilon"])
            return [stored[f"{prefix}_init_{number}"] / scale for number in range(1, depth + 1)]
    return []


def misfits(config: "Config") -> dict[str, str]:
    """What of a config cannot be had with its published matrices: a sentence for each field."""
    if config.matrices == DRAWN:
        return {}
    what = f"with the matrices {config.matrices}"
    if "matrices" not in registry.constant("problems", config.problem, "READS"):
        return {"matrices": f"{config.problem} has no published matrices; matrices must be drawn."}
    stored, masked = settings(config.matrices), "mask" in arrays(config.matrices)
    if config.problem == "completion" and not masked:
        return {"problem": f"problem must be factorization {what}: they have no mask."}
    side = stored["d"]
    wanted = {"rows": side, "cols": side, "rank": stored["r"]}
    if config.problem == "completion":
        wanted["observed"] = stored["observed"]
    found = {
        name: f"{name} must be {value} {what}; {getattr(config, name)} was given."
        for name, value in wanted.items()
        if getattr(config, name) != value
    }
    if any(network.startswith("original") for network in config.networks):
        found |= _unfit_start(config, what)
    return found


def _unfit_start(config: "Config", what: str) -> dict[str, str]:
    """What of the original network does not fit the stored factors."""
    found = {}
    if not start(config.matrices, config.problem, config.depth):
        found["depth"] = f"There are no first factors for depth {config.depth} {what}."
    if config.width not in (0, settings(config.matrices)["d"]):
        found["width"] = f"width must be 0 {what}; {config.width} was given."
    if config.initialization != "orthogonal":
        found["initialization"] = f"initialization must be orthogonal {what}."
    return found
