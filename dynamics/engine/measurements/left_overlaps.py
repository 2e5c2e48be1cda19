"""How far each mode's left singular vector of the product points along the target's."""

from torch import Tensor

from dynamics.engine.measuring.state import State, by_mode, overlaps
from dynamics.engine.problem import Task, target_of


def measure(state: State, task: Task) -> Tensor | None:
    """|⟨u_i, u_i*⟩| for i = 1, …, r, from 0 to 1; None if the target is unknown."""
    target = target_of(task)
    return None if target is None else overlaps(by_mode(state, target)[0], target.left)
