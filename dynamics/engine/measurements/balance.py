"""How far the balance a² − αb² between factors has drifted since the start or a change of α."""

from torch import Tensor

from dynamics.engine.measuring.invariants import drift
from dynamics.engine.measuring.state import State
from dynamics.engine.problem import Task


def measure(state: State, task: Task) -> Tensor | None:
    """The drift as a share of the factors' squares, a single number; 0 under gradient flow.

    None for a single factor, which has nothing to be balanced with, and where activations stand
    between the factors.
    """
    return drift(state) if len(state.factors) > 1 and task.linear else None
