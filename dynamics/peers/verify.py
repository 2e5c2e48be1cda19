"""Verify: retrain what a trajectory file describes and compare every record with the file's."""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch

from dynamics.core import registry, traits
from dynamics.core.records import Array, deviations
from dynamics.engine import device
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
MOST_OPERATIONS = 2e14  # of retraining one file and its twins: some hours of one core
LOOSER = 100  # factor on the tolerance for angles and for optimizers that rescale the gradient
PARTED = 1e-10  # deviation of a twin that says that rounding decides; LOOSER as the tolerance is
GAP = 1e-3  # smallest (σ_r − σ_(r+1)) / σ_1 for which the top-r subspace is well defined


class UnreadableError(Exception):
    """A file cannot be read as a trajectory; the message is one clear sentence."""


@dataclass(frozen=True)
class Deviation:
    """The worst deviation of one quantity over the records compared, and the tolerance.

    It is relative, or in radians for angles; see ``verify``. ``until`` is the last iteration that
    was compared because rounding decides beyond it: None if all were, -1 if none was. ``beyond`` is
    the worst deviation there, which fails nothing; 0 if all were compared.
    """

    file: str
    network: str
    quantity: str
    worst: float
    tolerance: float
    records: int
    until: int | None = None
    beyond: float = 0.0

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
    From now on this process uses one thread, see ``device.use_threads``.
    A twin whose start is one unit in the last place away is trained, too. Where it differs,
    rounding decides the run, and each quantity is compared up to the record before.

    Args:
        file: an ``.npz`` trajectory file.
        tolerance: for losses, errors and singular values; a hundred times as much for angles and
            for all quantities under an optimizer that rescales the gradient, such as Adam.
        progress: called with the network's name, the number of records made and the number of all.

    Raises:
        UnreadableError: if the file cannot be read or lacks something.
    """
    device.use_threads()
    try:
        content = TrajectoryFile.load(file)
        _refuse_watched(file, content)
        _check(content)
        problem = _problem(content)
        for network in NETWORKS:
            quantities = _retrain(network, problem, content, progress)
            twin = _retrain(network, problem, content, progress, twin=True)
            yield from _deviations(file.name, network, quantities, twin, content, tolerance)
    except KeyError as error:
        raise UnreadableError(
            f"{file} has no {error}, which a trajectory file must have."
        ) from None
    except (OSError, ValueError, RuntimeError, TypeError, MemoryError) as error:
        said = (
            getattr(error, "strerror", None) or str(error) or "it needs more memory than there is"
        )
        reason = said.splitlines()[0].removesuffix(".")
        raise UnreadableError(f"{file} is not a readable trajectory file: {reason}.") from None


def _refuse_watched(file: Path, content: TrajectoryFile) -> None:
    problem = content.settings.get("problem")
    if problem in registry.options("problems") and not traits.problem(problem).trained:
        raise UnreadableError(
            f"{file} was recorded from a program of its own, which alone has the data and the "
            "network: its arrays can be read, but none of its numbers can be checked by training "
            "again."
        )


def _check(content: TrajectoryFile) -> None:
    """Raise an error unless sizes and numbers fit each other, and retraining takes a sane time."""
    arrays = content.arrays
    rows, cols = _of_shape(arrays, "target", None, None)
    if content.problem == "completion":
        _of_shape(arrays, "mask", rows, cols)
    if content.problem == "sensing":
        _of_shape(arrays, "sensing", None, rows, cols)
    rank = _setting(content, "r", 1, min(rows, cols))
    depth = _setting(content, "depth", 2, 100)
    for name in ("eta", "alpha"):
        _setting(content, name, 0, math.inf)
    iterations = arrays["iteration"]
    (records,) = _of_shape(arrays, "iteration", None)
    if not records:
        raise ValueError("it has no records")
    if (np.diff(iterations) <= 0).any() or iterations[0] < 0:
        raise ValueError("its iterations do not ascend from 0 on")
    parameters = 0
    for network in NETWORKS:
        shapes = [_of_shape(arrays, f"{network}_init_{i + 1}", None, None) for i in range(depth)]
        joined = all(after[1] == before[0] for before, after in pairwise(shapes))
        if not joined or shapes[0][1] != cols or shapes[-1][0] != rows:
            raise ValueError(f"the first factors of its {network} network do not fit each other")
        parameters += sum(after * before for after, before in shapes)
    operations = 8.0 * parameters * min(rows, cols) * float(iterations[-1])
    if operations > MOST_OPERATIONS:
        raise ValueError(
            f"its {int(iterations[-1]):,} iterations take about {operations:.0e} operations, more "
            f"than the {MOST_OPERATIONS:.0e} that a check may take"
        )
    for network in NETWORKS:
        _of_shape(arrays, f"{network}_end_to_end_singular_values", records, None)
        for quantity in QUANTITIES:
            if len(arrays[f"{network}_{quantity}"]) != records:
                raise ValueError(f"its {network}_{quantity} has not one entry for each record")
    if arrays["original_end_to_end_singular_values"].shape[1] < rank:
        raise ValueError(f"it has fewer singular values than its rank, {rank}")


def _of_shape(arrays: Mapping[str, Array], name: str, *wanted: int | None) -> tuple[int, ...]:
    """The shape of an array; an error if it differs from what is not None, or is not finite."""
    array = arrays[name]
    lengths = zip(array.shape, wanted, strict=False)
    if array.ndim != len(wanted) or any(one not in (other, None) for other, one in lengths):
        raise ValueError(f"its {name} has the shape {array.shape}")
    if array.dtype.kind not in "biuf":
        raise ValueError(f"its {name} holds no numbers")
    starts = not name.endswith("values")  # a run that diverged has records that are not finite
    if starts and not np.isfinite(array).all():
        raise ValueError(f"its {name} has numbers that are not finite")
    return array.shape


def _setting(content: TrajectoryFile, name: str, low: float, high: float) -> int:
    value = content.settings[name]
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not (number and low <= value <= high and math.isfinite(value)):
        raise ValueError(f"its {name} is {value!r}, not a number between {low:g} and {high:g}")
    return int(value)


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
    *,
    twin: bool = False,
) -> dict[str, Array]:
    """All quantities of the retrained network or of its twin, each records × its shape."""
    settings = content.settings
    iterations = content.arrays["iteration"]
    starts = [content.arrays[f"{name}_init_{i + 1}"] for i in range(int(settings["depth"]))]
    if twin:
        starts = [_moved(start) for start in starts]
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
        progress(f"{name} twin" if twin else name, number, len(iterations))
    return {key: np.stack([record[key] for record in records]) for key in records[0]}


def _moved(start: Array) -> Array:
    """A factor with each number moved by one unit in the last place of the largest, up or down."""
    signs = np.random.default_rng(0).choice([-1.0, 1.0], start.shape)
    return np.asarray(start + np.finfo(float).eps * np.abs(start).max(initial=0) * signs)


def _deviations(
    file: str,
    network: str,
    quantities: Mapping[str, Array],
    twin: Mapping[str, Array],
    content: TrajectoryFile,
    tolerance: float,
) -> Iterator[Deviation]:
    rank = int(content.settings["r"])
    amplified = traits.optimizer(content.optimizer).rescales
    values = content.arrays[f"{network}_end_to_end_singular_values"]
    beyond = values[:, rank] if values.shape[1] > rank else 0.0  # of full rank: nothing is beyond
    defined = values[:, rank - 1] - beyond > GAP * values[:, 0]
    iterations = content.arrays["iteration"]
    for stored, name in QUANTITIES.items():
        theirs, ours, other = content.arrays[f"{network}_{stored}"], quantities[name], twin[name]
        angles = stored.endswith("angles")
        steps = iterations[defined] if angles else iterations
        if angles:
            theirs, ours, other = theirs[defined], ours[defined], other[defined]
        if theirs.ndim > 1:
            ours, other = ours[..., : theirs.shape[-1]], other[..., : theirs.shape[-1]]
        if theirs.shape != ours.shape:
            raise ValueError(f"its {network}_{stored} has the shape {theirs.shape}")
        looser = LOOSER if angles or amplified else 1
        apart = _apart(other, ours, relative=not angles) > PARTED * looser
        end = int(apart.argmax()) if apart.any() else len(apart)
        off = _apart(ours, theirs, relative=not angles)
        worst = float(off[:end].max(initial=0))
        result = Deviation(file, network, stored, worst, tolerance * looser, end)
        if end < len(steps):
            until = int(steps[end - 1]) if end else -1
            result = replace(result, until=until, beyond=float(off[end:].max()))
        yield result


def _apart(ours: Array, theirs: Array, *, relative: bool) -> Array:
    """The largest deviation of each record; 0 if neither is finite, infinite if only one is."""
    finite = np.isfinite(theirs)
    one, two = np.where(finite, ours, 0.0), np.where(finite, theirs, 0.0)
    apart = deviations(one, two) if relative and two.size else np.abs(one - two)
    apart = np.where(finite == np.isfinite(ours), apart, np.inf)
    return np.asarray(apart.max(axis=tuple(range(1, apart.ndim)), initial=0))
