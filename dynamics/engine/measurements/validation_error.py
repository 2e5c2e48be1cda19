"""Error on the entries that are kept apart for validation, ‖W − Y‖ / ‖Y‖ over them."""

from torch import Tensor

from dynamics.engine.measuring.state import State
from dynamics.engine.problem import Recovery, Task


def measure(state: State, task: Task) -> Tensor | None:
    """A single number; None if no entries were kept apart."""
    apart = task.apart if isinstance(task, Recovery) else None
    if apart is None:
        return None
    return apart.misfit(state.left, state.right).norm() / apart.values.norm()
