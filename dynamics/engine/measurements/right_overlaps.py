"""How far each mode's right singular vector of the product points along the target's."""

from torch import Tensor

from dynamics.engine.measuring.state import State, by_mode, overlaps
from dynamics.engine.problem import Task, target_of


def measure(state: State, task: Task) -> Tensor | None:
    """|⟨v_i, v_i*⟩| for i = 1, …, r, from 0 to 1; None if the target is unknown."""
    target = target_of(task)
    return None if target is None else overlaps(by_mode(state, target)[2].mT, target.right.mT)
