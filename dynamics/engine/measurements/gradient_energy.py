"""How much of each weight matrix's update lies in the first 2K directions of its first gradient."""

from torch import Tensor

from dynamics.engine.measuring.state import State
from dynamics.engine.measuring.updates import Update, of_each
from dynamics.engine.problem import Task

INDEX = ("weight matrix",)
SELDOM = True


def measure(state: State, task: Task) -> Tensor | None:
    """‖Uᵀ ΔW V‖²/‖ΔW‖² for ΔW = W(t) − W(0), from 0 to 1.

    U and V are the first 2K singular vectors of the first gradient, on both sides; those of a value
    that rounding makes are left out. The order is that of ``own_energy``.
    """
    return of_each(state, task, _energy)


def _energy(update: Update, classes: int) -> Tensor:
    left, _, right = update.gradient
    inside = left.mT @ update.matrix @ right.mT
    return (inside.square().sum() / update.matrix.square().sum()).clamp(max=1)
