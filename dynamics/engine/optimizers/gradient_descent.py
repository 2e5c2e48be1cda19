"""Gradient descent: the step is the gradient"""

from torch import Tensor

KEEPS = 0
PLAIN = True


def direction(gradient: Tensor, memory: dict[str, Tensor]) -> Tensor:
    """g, the gradient itself."""
    return gradient
