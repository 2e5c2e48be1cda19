"""The share of training images that records read and that are put into their class."""

from torch import Tensor

from dynamics.engine.losses.classification import Classification
from dynamics.engine.measuring.state import State
from dynamics.engine.problem import Task


def measure(state: State, task: Task) -> Tensor | None:
    """From 0 to 1; None if the task has no classes."""
    if not isinstance(task, Classification) or state.backbone is None:
        return None
    return task.behind(state.backbone).accuracy("train", state)
