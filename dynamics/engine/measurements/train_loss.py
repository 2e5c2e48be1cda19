"""The loss that gradient descent minimizes."""

from torch import Tensor

from dynamics.engine.losses.classification import Classification
from dynamics.engine.measuring.state import State
from dynamics.engine.problem import Task


def measure(state: State, task: Task) -> Tensor | None:
    """(c/2)·‖A(W) − y‖², a single number."""
    now = task.behind(state.backbone)
    if isinstance(now, Classification):
        return now.loss("train", state)
    return now.train_loss(state.left, state.right)
