"""Trajectory file: what another program has trained, read with NumPy alone.

A file is an ``.npz`` with the target, the mask or the measurements, the first factors of both
networks, and all that their training recorded; see "Verifying against other code" in the docs.
"""

import json
import zipfile
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dynamics.core.config import PROBLEM_SETTINGS, Config
from dynamics.core.finite import finite
from dynamics.core.machine.threads import use_one
from dynamics.core.records import Array
from dynamics.core.sizes import curvature
from dynamics.data.npz import header

PROBLEMS = {"mf": "factorization", "mc": "completion", "ms": "sensing"}  # by the task in a file
OPTIMIZERS = {"gd": "gradient_descent", "sgd": "gradient_descent"}  # by the name in a file
ARRAYS = ("target", "mask", "sensing", "compressed_init_1")  # the arrays that a forecast reads
KEYS = {  # our name of a setting: the file's name
    "rank_bound": "rhat",
    "depth": "depth",
    "init_scale": "epsilon",
    "learning_rate": "eta",
    "alpha": "alpha",
}
MOST_BYTES = 4_000_000_000  # of all arrays, unpacked
ONE = {"networks": "compressed"}  # the only network of a forecast


@dataclass(frozen=True)
class TrajectoryFile:
    """The settings and the arrays of a file."""

    settings: Mapping[str, Any]
    arrays: Mapping[str, Array]

    @classmethod
    def load(cls, file: Path, only: Collection[str] = ()) -> "TrajectoryFile":
        """Read a file: all of its arrays, or of those named in ``only`` the arrays that it has.

        Raises:
            ValueError: if it is not a trajectory file.
            KeyError: if it has no settings.
            OSError: if it cannot be opened.
        """
        try:
            with zipfile.ZipFile(file) as archive:
                size = sum(entry.file_size for entry in archive.infolist())
                if size > MOST_BYTES:
                    raise MemoryError
                for entry in archive.infolist():
                    if not only or entry.filename.removesuffix(".npy") in (*only, "config"):
                        header(archive, entry)  # an error if it is none or very long
            with np.load(file, allow_pickle=False) as content:
                if "config" not in content.files:
                    raise KeyError("config")
                settings = dict(json.loads(str(content["config"])))
                names = [name for name in content.files if not only or name in only]
                return cls(settings, {name: _numbers(content[name]) for name in names})
        except (KeyError, OSError):
            raise
        except MemoryError:
            raise ValueError(f"its arrays take more than {MOST_BYTES / 1e9:g} GB") from None
        except Exception:  # what NumPy and zipfile raise on a damaged file has no common kind
            raise ValueError("it is not an .npz file of arrays and settings") from None

    @property
    def problem(self) -> str:
        """The problem's name in this program; if the file has no task, the arrays decide.

        Raises:
            ValueError: if the task is unknown.
        """
        task = "mf"
        if "sensing" in self.arrays:
            task = "ms"
        if "mask" in self.arrays:
            task = "mc"
        task = self.settings.get("task", task)
        if task not in PROBLEMS:
            raise ValueError(f"its task {task!r} is none of mf, mc and ms")
        return PROBLEMS[task]

    @property
    def optimizer(self) -> str:
        """The optimizer's name in this program."""
        name = str(self.settings.get("optimizer", "gd"))
        return OPTIMIZERS.get(name, name)


def _numbers(array: Array) -> Array:
    """The array; an error if it holds something other than numbers or the text of the settings."""
    if array.dtype.kind not in "biufU":
        raise TypeError(f"{array.dtype} are no numbers")
    return array


def read(
    file: Path, given: Mapping[str, str] | None = None
) -> tuple[Config, dict[str, list[float]]]:
    """Returns the Config of ``file`` with the compressed network alone, and its problem's facts.

    Args:
        file: a trajectory file.
        given: settings that replace the file's. The problem's settings cannot be replaced.

    Raises:
        ValueError: if the file cannot be read, lacks something or cannot be run.
    """
    given = given or {}
    try:
        content = TrajectoryFile.load(file, ARRAYS)
        problem = _problem(content)
        stored = _with_scale(content)
        fixed = [name for name in (*problem, *PROBLEM_SETTINGS) if name in given]
        if fixed:
            raise ValueError(f"{fixed[0]} is fixed by the file.")
        rest = {name: stored[key] for name, key in KEYS.items() if name not in given}
        config = Config.from_dict({**problem, **_times(content), **rest, **given, **ONE})
        return config, _facts(config, content.arrays)
    except KeyError as error:
        raise ValueError(f"{file} has no {error.args[0]!r}, which a forecast needs.") from None
    except (TypeError, ValueError) as error:
        reason = str(error).removesuffix(".")
        raise ValueError(f"{file} cannot be forecast: {reason}.") from None


def _problem(content: TrajectoryFile) -> dict[str, Any]:
    """The problem's settings."""
    target = content.arrays["target"]
    if target.ndim != 2 or not np.isfinite(target).all():
        raise ValueError("its target is not a matrix of finite numbers")
    rows, cols = target.shape
    problem = {"problem": content.problem, "rows": rows, "cols": cols}
    problem["rank"] = content.settings["r"]
    if "mask" in content.arrays:
        problem["observed"] = float(content.arrays["mask"].mean())
    if "sensing" in content.arrays:
        problem["measurements"] = len(content.arrays["sensing"])
    return problem


def _with_scale(content: TrajectoryFile) -> dict[str, Any]:
    """The file's settings; if they do not name ε, it is the length of the first row of W_1."""
    stored = dict(content.settings)
    if "epsilon" not in stored and "compressed_init_1" in content.arrays:
        stored["epsilon"] = float(np.linalg.norm(content.arrays["compressed_init_1"][0]))
    return stored


def _times(content: TrajectoryFile) -> dict[str, Any]:
    """The optimizer, steps and records of the file; by default 200 records, 50 steps apart."""
    stored = content.settings
    every = stored.get("record_every", 50)
    steps = stored.get("iterations") or stored.get("records", 200) * every
    return {"steps": steps, "record_every": every, "optimizer": content.optimizer}


def _facts(config: Config, arrays: Mapping[str, Array]) -> dict[str, list[float]]:
    """Singular values of the target and of −∇loss(0)."""
    use_one()
    target = arrays["target"].astype(float)
    surrogate = target * curvature(config)
    if config.problem == "completion":
        surrogate = arrays["mask"] * target / arrays["mask"].sum()
    if config.problem == "sensing":
        sensing = arrays["sensing"].astype(float)
        surrogate = np.tensordot(np.tensordot(sensing, target), sensing, 1)
    return {
        name: np.linalg.svd(finite(matrix), compute_uv=False).tolist()
        for name, matrix in (
            ("target_singular_values", target),
            ("surrogate_singular_values", surrogate),
        )
    }
