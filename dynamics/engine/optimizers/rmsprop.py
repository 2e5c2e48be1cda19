"""RMSprop: the gradient over the root of its mean square"""

import torch
from torch import Tensor

KEEPS = 1
RESCALES = True
DECAY = 0.9  # factor by which the average decays in one step
EPS = 1e-8


def direction(gradient: Tensor, memory: dict[str, Tensor]) -> Tensor:
    """g / √(v + 1e-8), v ← 0.9 v + 0.1 g², from v = 0. Same as optax.rmsprop."""
    if not memory:
        memory["square"] = torch.zeros_like(gradient)
    square = memory["square"]
    square.mul_(DECAY).addcmul_(gradient, gradient, value=1 - DECAY)
    return gradient * (square + EPS).rsqrt_()
