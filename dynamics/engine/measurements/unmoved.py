"""How many singular values of each factor have not left their start."""

from torch import Tensor

from dynamics.engine.measuring.state import State
from dynamics.engine.problem import Task

UNMOVED = 1e-2  # largest relative change of a singular value that counts as unmoved


def measure(state: State, task: Task) -> Tensor | None:
    """For each factor, how many singular values are within 1 % of the same one at the start.

    The i-th largest is compared with the i-th largest. None if not all of them are computed.
    """
    if state.wide:
        return None
    initial = state.start.factor_values
    unmoved = (state.factor_values - initial).abs() <= UNMOVED * initial
    return unmoved.sum(1).to(initial)
