"""Into which class the held-out images of each class are put."""

from torch import Tensor

from dynamics.engine.losses.classification import Classification
from dynamics.engine.measuring.state import State
from dynamics.engine.problem import Task

INDEX = ("true class", "class that the network says")


def measure(state: State, task: Task) -> Tensor | None:
    """A row for each true class, with the share of its images that are put into each class.

    NaN in the row of a class without held-out images; None if the task has no classes.
    """
    if not isinstance(task, Classification) or state.backbone is None:
        return None
    return task.behind(state.backbone).confusion(state)
