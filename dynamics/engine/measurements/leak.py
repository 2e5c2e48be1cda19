"""The share of the factors that is outside the subspace in which theory has them move."""

from torch import Tensor

from dynamics.engine.measuring.invariants import leak
from dynamics.engine.measuring.state import State
from dynamics.engine.problem import Problem


def measure(state: State, problem: Problem) -> Tensor | None:
    """From 0 to 1; None where theory knows of no such subspace."""
    return leak(state, problem.target)
