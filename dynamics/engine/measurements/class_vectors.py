"""Which classes each singular value of the end-to-end matrix tells apart."""

import torch
from torch import Tensor

from dynamics.engine.losses.classification import Classification, oriented
from dynamics.engine.measuring.state import State
from dynamics.engine.problem import Task

INDEX = ("mode", "class")


def measure(state: State, task: Task) -> Tensor | None:
    """The unit singular vectors of W on the side of the classes, one row a singular value.

    The entry of largest size is positive; a network of width r̂ has r̂ of them, NaN follows. None if
    the task has no classes, or if W is a hidden layer.
    """
    if not isinstance(task, Classification) or task.hidden:
        return None
    vectors = oriented(state.svd[2])
    lacking = state.count - len(vectors)
    return torch.nn.functional.pad(vectors, (0, 0, 0, lacking), value=torch.nan)
