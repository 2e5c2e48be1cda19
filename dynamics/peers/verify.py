"""Verify: retrain what a trajectory file describes and compare every record with the file's."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from dynamics.core import registry, traits
from dynamics.core.records import Array, deviations
from dynamics.engine.losses.masked import Masked
from dynamics.engine.losses.sums import Dense
from dynamics.engine.measuring.measure import measurer
from dynamics.engine.network import Network
from dynamics.engine.problem import Recovery
from dynamics.engine.steps.fastest import fastest
from dynamics.engine.target import Target
from dynamics.peers.trajectory_file import TrajectoryFile

NETWORKS = ("original", "compressed")
QUANTITIES = {  # name in the file: name in this program
    "train_loss": "train_loss",
    "test_loss": "test_loss",
    "relative_error": "recovery_error",
    "end_to_end_singular_values": "singular_values",
    "layer_singular_values": "factor_singular_values",
    "left_angles": "left_angles",
    "right_angles": "right_angles",
}
LOOSER = 100  # factor on the tolerance for angles and for optimizers that rescale the gradient
GAP = 1e-3  # smallest (σ_r − σ_(r+1)) / σ_1 for which the top-r subspace is well defined


class UnreadableError(Exception):
    """A file cannot be read as a trajectory; the message is one clear sentence."""


@dataclass(frozen=True)
class Deviation:
    """The worst deviation of one quantity over all records, and the tolerance.

    It is relative, or in radians for angles; see ``verify``.
    """

    file: str
    network: str
    quantity: str
    worst: float
    tolerance: float
    records: int

    @property
    def within(self) -> bool:
        """Whether the deviation is within the tolerance."""
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
        progress: called with the network's name, the number of records made and the number of all.

    Raises:
        UnreadableError: if the file cannot be read or lacks something.
    """
    try:
        content = TrajectoryFile.load(file)
        problem = _problem(content)
        for network in NETWORKS:
            quantities = _retrain(network, problem, content, progress)
            yield from _deviations(file.name, network, quantities, content, tolerance)
    except KeyError as error:
        raise UnreadableError(
            f"{file} has no {error}, which a trajectory file must have."
        ) from None
    except (OSError, ValueError, RuntimeError, TypeError) as error:
        reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
        raise UnreadableError(f"{file} is not a readable trajectory file: {reason}.") from None


def _problem(content: TrajectoryFile) -> Recovery:
    matrix = torch.from_numpy(content.arrays["target"]).double()
    target = Target.of(matrix, int(content.settings["r"]))
    if content.problem == "factorization":
        return Masked(target)
    if content.problem == "completion":
        return Masked(target, torch.from_numpy(content.arrays["mask"]).bool())
    sensing = torch.from_numpy(content.arrays["sensing"]).double()
    return Dense(target, sensing, sensing.view(len(sensing), -1) @ matrix.reshape(-1))


def _retrain(
    name: str,
    problem: Recovery,
    content: TrajectoryFile,
    progress: Callable[[str, int, int], None],
) -> dict[str, Array]:
    """All quantities of the retrained network, each records × its shape."""
    settings = content.settings
    iterations = content.arrays["iteration"]
    starts = [content.arrays[f"{name}_init_{i + 1}"] for i in range(int(settings["depth"]))]
    alpha = float(settings["alpha"]) if name == "compressed" else 1.0
    network = Network([torch.tensor(start, dtype=torch.float64) for start in starts], alpha)
    optimizer = registry.load("optimizers", content.optimizer)
    steps = fastest(network, problem, optimizer, float(settings["eta"]))
    measure = measurer(network, problem, 2 * int(settings["r"]) + 2)
    records = []
    done = 0
    for number, iteration in enumerate(iterations, 1):
        steps.step(int(iteration) - done)
        done = int(iteration)
        records.append(measure())
        progress(name, number, len(iterations))
    return {key: np.stack([record[key] for record in records]) for key in records[0]}


def _deviations(
    file: str,
    network: str,
    quantities: Mapping[str, Array],
    content: TrajectoryFile,
    tolerance: float,
) -> Iterator[Deviation]:
    rank = int(content.settings["r"])
    amplified = traits.optimizer(content.optimizer).rescales
    values = content.arrays[f"{network}_end_to_end_singular_values"]
    defined = values[:, rank - 1] - values[:, rank] > GAP * values[:, 0]
    for stored, name in QUANTITIES.items():
        theirs, ours = content.arrays[f"{network}_{stored}"], quantities[name]
        angles = stored.endswith("angles")
        if angles:
            theirs, ours = theirs[defined], ours[defined]
        if theirs.ndim > 1:
            ours = ours[..., : theirs.shape[-1]]
        if theirs.shape != ours.shape:
            raise ValueError(f"its {network}_{stored} has the shape {theirs.shape}")
        allowed = tolerance * (LOOSER if angles or amplified else 1)
        worst = _worst(ours, theirs, relative=not angles)
        yield Deviation(file, network, stored, worst, allowed, len(theirs))


def _worst(ours: Array, theirs: Array, *, relative: bool) -> float:
    """The largest deviation; 0 if neither is finite anywhere, infinite if only one is."""
    finite = np.isfinite(theirs)
    if not np.array_equal(finite, np.isfinite(ours)):
        return float("inf")
    if not finite.any():
        return 0.0
    ours, theirs = ours[finite], theirs[finite]
    return float(np.max(deviations(ours, theirs) if relative else np.abs(ours - theirs)))
