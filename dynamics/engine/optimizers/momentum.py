"""Momentum: the gradient plus 0.9 times the last step"""

import torch
from torch import Tensor

KEEPS = 1
MOMENTUM = 0.9


def direction(gradient: Tensor, memory: dict[str, Tensor]) -> Tensor:
    """m ← g + 0.9 m. Same as optax.sgd(momentum=0.9)."""
    if not memory:
        memory["trace"] = torch.zeros_like(gradient)
    trace = memory["trace"]
    return trace.mul_(MOMENTUM).add_(gradient)
