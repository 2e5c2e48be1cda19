"""Which items each mode of the end-to-end matrix tells apart."""

import torch
from torch import Tensor

from dynamics.engine.measuring.state import State, by_mode
from dynamics.engine.problem import Recovery, Task

INDEX = ("mode", "item")
LARGE = 0.5  # share of a vector's largest entry from which on an entry decides its sign


def measure(state: State, task: Task) -> Tensor | None:
    """The unit right singular vectors of W, one row a mode in the order of ``mode_values``.

    The first large entry of each is positive, so that equal distinctions have equal signs. A narrow
    network has fewer of them; NaN follows. None if the columns of W have no names.
    """
    if not isinstance(task, Recovery) or task.target is None or "items" not in task.names:
        return None
    vectors = by_mode(state, task.target)[2]
    sizes = vectors.abs()
    large = sizes >= LARGE * sizes.amax(1, keepdim=True)
    first = large.to(vectors).argmax(1, keepdim=True)
    signs = torch.where(vectors.gather(1, first) < 0, -1.0, 1.0).to(vectors)
    vectors = torch.where(sizes.amax(1, keepdim=True) > 0, vectors * signs, torch.nan)
    lacking = state.count - len(vectors)
    return torch.nn.functional.pad(vectors, (0, 0, 0, lacking), value=torch.nan)
