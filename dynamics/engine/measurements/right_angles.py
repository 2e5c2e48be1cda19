"""Principal angles between the right singular subspaces of the product and of the target."""

from torch import Tensor

from dynamics.engine.measuring.state import State, subspace_angles
from dynamics.engine.problem import Task, target_of

UNIT = "radians"


def measure(state: State, task: Task) -> Tensor | None:
    """r angles in radians, largest first; None if the target is unknown."""
    target = target_of(task)
    return None if target is None else subspace_angles(state.svd[2].mT, target.right.mT)
