"""How far the singular values of wide factors are too small at most."""

from torch import Tensor

from dynamics.engine.measuring.state import State
from dynamics.engine.problem import Task

INDEX = ("factor",)


def measure(state: State, task: Task) -> Tensor | None:
    """One number a factor, in the unit of its ``factor_singular_values``; 0 where they are exact.

    None if all factors are decomposed whole.
    """
    return state.spectra[1] if state.wide else None
