"""The loss that gradient descent minimizes."""

from torch import Tensor

from dynamics.engine.measuring.state import State
from dynamics.engine.problem import Problem


def measure(state: State, problem: Problem) -> Tensor | None:
    """(c/2)·‖A(W) − y‖², a single number."""
    return problem.train_loss(state.left, state.right)
