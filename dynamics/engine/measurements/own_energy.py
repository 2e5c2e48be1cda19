"""How much of each weight matrix's update lies in its own first 2K directions."""

from torch import Tensor

from dynamics.engine.measuring.state import State
from dynamics.engine.measuring.updates import Update, of_each
from dynamics.engine.problem import Task

INDEX = ("weight matrix",)
SELDOM = True


def measure(state: State, task: Task) -> Tensor | None:
    """Σ of the first 2K σ_i² of W(t) − W(0) over the sum of all, from 0 to 1; there are K classes.

    W_1 to W_L of the head, then the matrices that the fact ``backbone_weights`` names. The first
    directions are found by a randomized method, which may miss up to about 0.001 of the share.
    """
    return of_each(state, task, _energy)


def _energy(update: Update, classes: int) -> Tensor:
    return (update.own.values.square().sum() / update.matrix.square().sum()).clamp(max=1)
