"""The share of the factors that is outside the subspace in which theory has them move."""

from torch import Tensor

from dynamics.invariants import leak
from dynamics.network import State
from dynamics.problem import Problem


def measure(state: State, problem: Problem) -> Tensor | None:
    """From 0 to 1; None where theory knows of no such subspace."""
    return leak(state, problem.target)
