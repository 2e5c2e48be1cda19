"""The largest singular values of the end-to-end matrix, in the order of the target's modes."""

from torch import Tensor

from dynamics.engine.measuring.state import State, by_mode
from dynamics.engine.problem import Task, target_of


def measure(state: State, task: Task) -> Tensor | None:
    """Entry i stays with mode i when modes cross, and is then not the i-th largest.

    Entries beyond the target's rank follow, largest first; None if the target is unknown.
    """
    target = target_of(task)
    return None if target is None else by_mode(state, target)[1]
