"""The singular values of every factor."""

from torch import Tensor

from dynamics.engine.measuring.state import State
from dynamics.engine.problem import Task


def measure(state: State, task: Task) -> Tensor | None:
    """σ_i(W_l), one row per factor, largest first; NaN where a factor has fewer values.

    Where classes are told apart and a factor is wide, only the first 2K of each; see
    ``spectrum_error``.
    """
    return state.spectra[0]
