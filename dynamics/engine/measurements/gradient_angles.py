"""How far the directions of each weight matrix's update have turned from its first gradient's."""

import torch
from torch import Tensor

from dynamics.engine.measuring.state import State, subspace_angles
from dynamics.engine.measuring.updates import Update, of_each
from dynamics.engine.problem import Task

UNIT = "radians"
INDEX = ("weight matrix",)
SELDOM = True


def measure(state: State, task: Task) -> Tensor | None:
    """The mean principal angle between their first K − 1 right singular vectors, in radians.

    Right is the side of a layer's input. A first gradient of lower rank is compared with as many
    directions of the update. The order is that of ``own_energy``.
    """
    return of_each(state, task, _angle)


def _angle(update: Update, classes: int) -> Tensor:
    goal = update.gradient.first(classes - 1).right.mT
    if not goal.shape[1]:
        return update.matrix.new_full((), torch.nan)
    return subspace_angles(update.own.first(classes - 1).right.mT, goal).mean()
