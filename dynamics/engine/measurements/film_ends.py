"""Which films are at both ends of each mode."""

import torch
from torch import Tensor

from dynamics.engine.losses.classification import oriented
from dynamics.engine.losses.residuals import Residuals
from dynamics.engine.measuring.state import State
from dynamics.engine.problem import Task

UNIT = "number of the film, from 1"
INDEX = ("mode", "place")
AT_END = 2  # films at each end


def measure(state: State, task: Task) -> Tensor | None:
    """For each mode the films of the largest entries of its film vector, then of the smallest.

    Only films with enough ratings to be known. The entry of largest size is positive; NaN for modes
    that a narrow network lacks. None without films.
    """
    if not isinstance(task, Residuals) or task.known is None:
        return None
    vectors = oriented(state.svd[2][:, task.known])
    first, last = (
        task.known[vectors.topk(AT_END, largest=largest).indices] for largest in (True, False)
    )
    numbers = torch.cat([first, last], dim=1).to(vectors) + 1
    lacking = state.count - len(numbers)
    return torch.nn.functional.pad(numbers, (0, 0, 0, lacking), value=torch.nan)
