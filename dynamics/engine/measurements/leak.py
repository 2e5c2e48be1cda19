"""The share of the factors that is outside the subspace in which theory has them move."""

from torch import Tensor

from dynamics.engine.measuring.invariants import leak
from dynamics.engine.measuring.state import State
from dynamics.engine.problem import Task, target_of


def measure(state: State, task: Task) -> Tensor | None:
    """From 0 to 1; None where theory knows of no such subspace."""
    return leak(state, target_of(task))
