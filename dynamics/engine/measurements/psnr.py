"""How near a completed picture is to the true one, in decibels."""

import torch
from torch import Tensor

from dynamics.engine.losses import picture
from dynamics.engine.measuring.state import State
from dynamics.engine.problem import Task

UNIT = "dB"


def measure(state: State, task: Task) -> Tensor | None:
    """The peak signal-to-noise ratio of seen pixels and W in the holes; None without a picture."""
    if not isinstance(task, picture.Picture):
        return None
    value = picture.psnr(task.still.truth, task.completed(state.product))
    return torch.tensor(value, dtype=torch.float64)
