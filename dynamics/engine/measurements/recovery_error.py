"""Recovery error ‖W − M*‖_F / ‖M*‖_F."""

from torch import Tensor

from dynamics.engine.measuring.state import State
from dynamics.engine.problem import Task, target_of

DENSE_SIDE = 150  # largest side for which the dense difference is cheaper


def measure(state: State, task: Task) -> Tensor | None:
    """‖W − M*‖_F / ‖M*‖_F, a single number; None if M* is unknown."""
    target = target_of(task)
    if target is None:
        return None
    if state.narrow and target.exact and max(task.shape) > DENSE_SIDE:
        return target.distance(state.left, state.right) / target.norm
    return (state.product - target.dense).norm() / target.norm
