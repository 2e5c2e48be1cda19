"""The held-out quantity of the problem."""

from torch import Tensor

from dynamics.engine.losses.classification import Classification
from dynamics.engine.measuring.state import State
from dynamics.engine.problem import Task


def measure(state: State, task: Task) -> Tensor | None:
    """A single number: what it is depends on the task, see ``Task.measures``.

    ½ mean square over unobserved entries (completion) or all; relative error (sensing);
    cross-entropy of held-out images (classes).
    """
    now = task.behind(state.backbone)
    if isinstance(now, Classification):
        return now.loss("held", state)
    return now.test_loss(state.left, state.right)
