"""The authors' held-out quantity of the problem."""

from torch import Tensor

from dynamics.engine.measuring.state import State
from dynamics.engine.problem import Problem


def measure(state: State, problem: Problem) -> Tensor | None:
    """½ mean square over unobserved entries (completion) or all; relative error (sensing)."""
    return problem.test_loss(state.left, state.right)
