"""Verify: retrain what a trajectory file describes and hold every record against the file's.

A file is an ``.npz`` with the target, the mask or the measurements, the initial factors of both
networks, and what their training gave; see "Verifying against other code" in the README.
"""

import json
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from dynamics.core import registry, traits
from dynamics.core.records import Array
from dynamics.engine.losses.masked import Masked
from dynamics.engine.losses.sums import Dense
from dynamics.engine.measuring.measure import measurer
from dynamics.engine.network import Network
from dynamics.engine.problem import Recovery
from dynamics.engine.steps.fastest import fastest
from dynamics.engine.target import Target

NETWORKS = ("original", "compressed")
QUANTITIES = {  # in the file: here
    "train_loss": "train_loss",
    "test_loss": "test_loss",
    "relative_error": "recovery_error",
    "end_to_end_singular_values": "singular_values",
    "layer_singular_values": "factor_singular_values",
    "left_angles": "left_angles",
    "right_angles": "right_angles",
}
OPTIMIZERS = {"gd": "gradient_descent", "sgd": "gradient_descent"}
LOOSER = 100  # times: what angles, and optimizers that rescale the gradient, may deviate more
SMALL = 1e-6  # of a quantity's maximum: below it rounding decides
GAP = 1e-3  # of σ_1 between σ_r and σ_(r+1): below it the top-r subspace is not well defined


class UnreadableError(Exception):
    """A file that does not hold a trajectory; the message is one clear sentence."""


@dataclass(frozen=True)
class Deviation:
    """The worst deviation of one quantity over all records, and what is allowed.

    It is relative, but for angles, where it is in radians; see ``verify``.
    """

    file: str
    network: str
    quantity: str
    worst: float
    tolerance: float
    records: int

    @property
    def within(self) -> bool:
        """Whether it is allowed."""
        return self.worst <= self.tolerance


def verify(
    file: Path, tolerance: float, progress: Callable[[str, int, int], None]
) -> Iterator[Deviation]:
    """Retrain both networks of ``file`` and yield each quantity's worst deviation.

    The deviation of x from y is |x − y| / max(|y|, 1e-6 · max|y|), the maximum taken over the
    quantity in the file. Angles count where the top-r subspace is well defined, and their deviation
    is |x − y| in radians: a stored angle that went through arccos is only good to about 1e-7.

    Args:
        file: an ``.npz`` trajectory file.
        tolerance: for losses, errors and singular values; a hundred times as much for angles and
            for all quantities under an optimizer that rescales the gradient, such as Adam.
        progress: hears the network, the records made and all records.

    Raises:
        UnreadableError: if the file cannot be read or lacks something.
    """
    try:
        with np.load(file, allow_pickle=False) as content:
            arrays = {name: content[name] for name in content.files}
        config = json.loads(str(arrays["config"]))
        problem, depth = _problem(config, arrays), int(config["depth"])
        for network in NETWORKS:
            factors = [arrays[f"{network}_init_{i + 1}"] for i in range(depth)]
            found = _retrain(network, problem, factors, config, arrays["iteration"], progress)
            yield from _deviations(file.name, network, found, config, arrays, tolerance)
    except KeyError as error:
        raise UnreadableError(
            f"{file} has no {error}, which a trajectory file must have."
        ) from None
    except (OSError, ValueError, RuntimeError, TypeError, EOFError, zipfile.BadZipFile) as error:
        reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
        raise UnreadableError(f"{file} is not a readable trajectory file: {reason}.") from None


def _problem(config: Mapping[str, Any], arrays: Mapping[str, Array]) -> Recovery:
    matrix = torch.from_numpy(arrays["target"]).double()
    target = Target.of(matrix, int(config["r"]))
    if config["task"] == "mf":
        return Masked(target)
    if config["task"] == "mc":
        return Masked(target, torch.from_numpy(arrays["mask"]).bool())
    if config["task"] != "ms":
        raise ValueError(f"its task {config['task']!r} is none of mf, mc and ms")
    sensing = torch.from_numpy(arrays["sensing"]).double()
    return Dense(target, sensing, sensing.view(len(sensing), -1) @ matrix.reshape(-1))


def _retrain(
    name: str,
    problem: Recovery,
    factors: list[Array],
    config: Mapping[str, Any],
    iterations: Array,
    progress: Callable[[str, int, int], None],
) -> dict[str, Array]:
    """All quantities of the retrained network, each records × its shape."""
    alpha = float(config["alpha"]) if name == "compressed" else 1.0
    network = Network([torch.tensor(factor, dtype=torch.float64) for factor in factors], alpha)
    optimizer = registry.load("optimizers", _optimizer(config))
    descent = fastest(network, problem, optimizer, float(config["eta"]))
    measure = measurer(network, problem, 2 * int(config["r"]) + 2)
    records, done = [], 0
    for number, iteration in enumerate(iterations, 1):
        descent.step(int(iteration) - done)
        done = int(iteration)
        records.append(measure())
        progress(name, number, len(iterations))
    return {key: np.stack([record[key] for record in records]) for key in records[0]}


def _deviations(
    file: str,
    network: str,
    found: Mapping[str, Array],
    config: Mapping[str, Any],
    arrays: Mapping[str, Array],
    tolerance: float,
) -> Iterator[Deviation]:
    rank = int(config["r"])
    amplified = traits.optimizer(_optimizer(config)).rescales
    values = arrays[f"{network}_end_to_end_singular_values"]
    defined = values[:, rank - 1] - values[:, rank] > GAP * values[:, 0]
    for stored, ours in QUANTITIES.items():
        wanted, got = arrays[f"{network}_{stored}"], found[ours]
        angles = stored.endswith("angles")
        if angles:
            wanted, got = wanted[defined], got[defined]
        if wanted.ndim > 1:
            got = got[..., : wanted.shape[-1]]
        if wanted.shape != got.shape:
            raise ValueError(f"its {network}_{stored} has the shape {wanted.shape}")
        allowed = tolerance * (LOOSER if angles or amplified else 1)
        worst = _worst(got, wanted, relative=not angles)
        yield Deviation(file, network, stored, worst, allowed, len(wanted))


def _worst(got: Array, wanted: Array, *, relative: bool) -> float:
    """The largest deviation; 0 where both are not finite, infinite where only one is."""
    finite = np.isfinite(wanted)
    if not np.array_equal(finite, np.isfinite(got)):
        return float("inf")
    if not finite.any():
        return 0.0
    got, wanted = got[finite], wanted[finite]
    scale = np.maximum(np.abs(wanted), SMALL * np.abs(wanted).max())
    # Where even the maximum is 0 there is no scale: any difference counts as it is.
    scale = np.where(scale > 0, scale, 1) if relative else 1
    return float(np.max(np.abs(got - wanted) / scale))


def _optimizer(config: Mapping[str, Any]) -> str:
    name = str(config.get("optimizer", "gd"))
    return OPTIMIZERS.get(name, name)
