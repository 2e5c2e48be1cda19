"""Where the inner factors of a very narrow head see the first held-out images."""

from torch import Tensor

from dynamics.engine.losses.classification import Classification
from dynamics.engine.measuring.state import State
from dynamics.engine.problem import Task

INDEX = ("image", "coordinate")
DRAWN = (2, 3)  # inner widths that can be drawn in a plane or in space


def measure(state: State, task: Task) -> Tensor | None:
    """h(x) W_L of at most 200 images, one row an image; W_L is the factor next to the features.

    None unless the task has classes and the head has an inner width of 2 or 3 there.
    """
    if not isinstance(task, Classification) or state.backbone is None:
        return None
    drawable = len(state.factors) > 1 and state.left.shape[1] in DRAWN
    return task.behind(state.backbone).inner(state.left) if drawable else None
