"""The singular values of every factor."""

from torch import Tensor

from dynamics.engine.measuring.state import State
from dynamics.engine.problem import Task


def measure(state: State, task: Task) -> Tensor | None:
    """σ_i(W_l), one row per factor, largest first; NaN where a factor has fewer values."""
    return state.factor_values
