"""How much the answers for two items have in common."""

from torch import Tensor

from dynamics.engine.measuring.state import State
from dynamics.engine.problem import Recovery, Task

UNIT = "properties"
INDEX = ("item", "item")


def measure(state: State, task: Task) -> Tensor | None:
    """WᵀW: for M* the number of properties that two items share, on the diagonal of each item.

    None if the columns of W have no names.
    """
    if not isinstance(task, Recovery) or "items" not in task.names:
        return None
    return state.product.mT @ state.product
