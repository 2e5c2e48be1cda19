"""Momentum: the gradient plus 0.9 times the last step"""

from torch import Tensor

KEEPS = 1
MOMENTUM = 0.9


def direction(gradient: Tensor, memory: dict[str, Tensor]) -> Tensor:
    """m ← g + 0.9 m. Same as optax.sgd(momentum=0.9)."""
    trace = memory.setdefault("trace", gradient.new_zeros(gradient.shape))
    return trace.mul_(MOMENTUM).add_(gradient)
