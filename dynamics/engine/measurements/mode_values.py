"""The largest singular values of the end-to-end matrix, each by the target's mode that it is."""

from torch import Tensor

from dynamics.engine.measuring.state import State, by_mode
from dynamics.engine.problem import Problem


def measure(state: State, problem: Problem) -> Tensor | None:
    """Entry i stays with mode i when it crosses another, and is then not the i-th largest.

    Entries beyond the target's rank follow, largest first; None where the target is unknown.
    """
    return None if problem.target is None else by_mode(state, problem.target)[1]
