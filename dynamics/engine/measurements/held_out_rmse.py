"""The error on held-out ratings, in stars."""

from torch import Tensor

from dynamics.engine.losses.residuals import Residuals
from dynamics.engine.measuring.state import State
from dynamics.engine.problem import Task

UNIT = "stars"


def measure(state: State, task: Task) -> Tensor | None:
    """The root mean square error of means and W together; None where no means were taken off."""
    return task.held_out_rmse(state.left, state.right) if isinstance(task, Residuals) else None
