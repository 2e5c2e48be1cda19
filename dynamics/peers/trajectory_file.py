"""Reference: the compressed network's settings and facts from a trajectory file, in NumPy alone."""

import json
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from dynamics.core.config import PROBLEM_SETTINGS, Config
from dynamics.core.records import Array
from dynamics.core.sizes import curvature

PROBLEMS = {"mf": "factorization", "mc": "completion", "ms": "sensing"}
OPTIMIZERS = {"gd": "gradient_descent", "sgd": "gradient_descent"}
ARRAYS = ("target", "mask", "sensing", "compressed_init_1")
KEYS = {  # here: in the file
    "rank_bound": "rhat",
    "depth": "depth",
    "init_scale": "epsilon",
    "learning_rate": "eta",
    "alpha": "alpha",
}
ONE = {"networks": "compressed"}


def read(
    file: Path, given: Mapping[str, str] | None = None
) -> tuple[Config, dict[str, list[float]]]:
    """The Config of ``file`` with the compressed network alone, and the facts of its problem.

    Args:
        file: one of ``verify``; its task may be left to the arrays that are there: a mask, sensing
            matrices or neither.
        given: settings that go before the file's. Those of the problem cannot.

    Raises:
        ValueError: if the file cannot be read, lacks something or cannot be run.
    """
    given = given or {}
    try:
        arrays, stored = _content(file)
        problem = _problem(stored, arrays)
        fixed = [name for name in (*problem, *PROBLEM_SETTINGS) if name in given]
        if fixed:
            raise ValueError(f"{fixed[0]} is fixed by the file.")
        rest = {name: stored[key] for name, key in KEYS.items() if name not in given}
        config = Config.from_dict({**problem, **_times(stored), **rest, **given, **ONE})
        return config, _facts(config, arrays)
    except KeyError as error:
        raise ValueError(f"{file} has no {error.args[0]!r}, which a forecast needs.") from None
    except (TypeError, ValueError, np.linalg.LinAlgError) as error:
        raise ValueError(f"{file} cannot be forecast: {error}") from None


def _content(file: Path) -> tuple[dict[str, Array], dict[str, Any]]:
    """The arrays that a forecast needs, and the stored settings."""
    try:
        with np.load(file, allow_pickle=False) as content:
            stored = dict(json.loads(str(content["config"])))
            names = [name for name in ARRAYS if name in content.files]
            arrays = {name: np.asarray(content[name], float) for name in names}
    except (zipfile.BadZipFile, zlib.error, EOFError, TypeError, AttributeError, ValueError):
        raise ValueError("it is no readable trajectory file (.npz).") from None
    if "epsilon" not in stored and "compressed_init_1" in arrays:  # its rows are ε long
        stored["epsilon"] = float(np.linalg.norm(arrays["compressed_init_1"][0]))
    if arrays["target"].ndim != 2 or not np.isfinite(arrays["target"]).all():
        raise ValueError("its target is no matrix of finite numbers.")
    return arrays, {"optimizer": "gd"} | stored


def _problem(stored: Mapping[str, Any], arrays: Mapping[str, Array]) -> dict[str, Any]:
    """The problem's settings."""
    task = "mc" if "mask" in arrays else "ms" if "sensing" in arrays else "mf"
    rows, cols = arrays["target"].shape
    problem = {"problem": PROBLEMS[stored.get("task", task)], "rows": rows, "cols": cols}
    problem["rank"] = stored["r"]
    if "mask" in arrays:
        problem["observed"] = float(arrays["mask"].mean())
    if "sensing" in arrays:
        problem["measurements"] = len(arrays["sensing"])
    return problem


def _times(stored: Mapping[str, Any]) -> dict[str, Any]:
    """Steps and records, where the file says them, and the optimizer by its name here."""
    every = stored.get("record_every", 50)
    steps = stored.get("iterations") or stored.get("records", 200) * every
    optimizer = str(stored["optimizer"])
    return {
        "steps": steps,
        "record_every": every,
        "optimizer": OPTIMIZERS.get(optimizer, optimizer),
    }


def _facts(config: Config, arrays: Mapping[str, Array]) -> dict[str, list[float]]:
    """Singular values of the target and of −∇loss(0)."""
    target, surrogate = arrays["target"], arrays["target"] * curvature(config)
    if config.problem == "completion":
        surrogate = arrays["mask"] * target / arrays["mask"].sum()
    if config.problem == "sensing":
        sensing = arrays["sensing"]
        surrogate = np.tensordot(np.tensordot(sensing, target), sensing, 1)
    return {
        name: np.linalg.svd(matrix, compute_uv=False).tolist()
        for name, matrix in (
            ("target_singular_values", target),
            ("surrogate_singular_values", surrogate),
        )
    }
