"""The largest curvature of the training loss, λ_max."""

import torch
from torch import Tensor

from dynamics.engine.losses.classification import Classification
from dynamics.engine.measuring.state import State
from dynamics.engine.measuring.whole_loss import sharpness
from dynamics.engine.problem import Task

SELDOM = True
SEEN = 500  # most images whose loss is looked at


def measure(state: State, task: Task) -> Tensor | None:
    """The largest eigenvalue of the Hessian in all parameters that move, on the first images.

    NaN except at as many moments of the run as the setting ``sharpness`` says. None if that is 0,
    or if the task has no classes.
    """
    if not isinstance(task, Classification) or state.backbone is None or not task.sharpness:
        return None
    value = torch.nan
    # From the first record to the last one; a single moment is the last one.
    alone = task.sharpness == 1 and not state.step
    if state.due(max(1, task.sharpness - 1), task.steps) and not alone:
        value = sharpness(state, task.recorded.first(SEEN))
    return torch.tensor(value, dtype=torch.float64)
