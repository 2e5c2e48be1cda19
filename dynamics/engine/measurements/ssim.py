"""How alike a completed picture and the true one look, up to 1."""

import torch
from torch import Tensor

from dynamics.engine.losses import picture
from dynamics.engine.measuring.state import State
from dynamics.engine.problem import Task


def measure(state: State, task: Task) -> Tensor | None:
    """The structural similarity, of the seen pixels and W in the holes; None without a picture."""
    if not isinstance(task, picture.Picture):
        return None
    value = picture.ssim(task.still.truth, task.completed(state.product))
    return torch.tensor(value, dtype=torch.float64)
