"""The share of the factors outside the subspace in which they move according to theory."""

from torch import Tensor

from dynamics.engine.losses.classification import Classification
from dynamics.engine.measuring.invariants import leak
from dynamics.engine.measuring.state import State
from dynamics.engine.problem import Task, target_of


def measure(state: State, task: Task) -> Tensor | None:
    """From 0 to 1; None if theory knows no such subspace, as where classes are told apart.

    There the rows of W_1's gradient soon leave the span of its start.
    """
    return None if isinstance(task, Classification) else leak(state, target_of(task))
