"""The largest singular values of the end-to-end matrix."""

from torch import Tensor

from dynamics.engine.measuring.state import State
from dynamics.engine.problem import Task


def measure(state: State, task: Task) -> Tensor | None:
    """The first ``state.count`` of σ_1 ≥ σ_2 ≥ … of W_L ⋯ W_1."""
    return state.values
