"""How many singular values of each factor have not left their start."""

from torch import Tensor

from dynamics.engine.measuring.state import State
from dynamics.engine.problem import Task

UNMOVED = 1e-2  # largest relative change of a singular value that counts as unmoved


def measure(state: State, task: Task) -> Tensor | None:
    """A count for each factor: the i-th largest now within a hundredth of the i-th at the start."""
    then = state.start.factor_values
    still = (state.factor_values - then).abs() <= UNMOVED * then
    return still.sum(1).to(then)
