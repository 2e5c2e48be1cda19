"""Adam: the mean gradient over the root of its mean square"""

import torch
from torch import Tensor

KEEPS = 2
RESCALES = True
MEAN, SQUARE = 0.9, 0.999  # factors by which the averages decay in one step
EPS = 1e-8


def direction(gradient: Tensor, memory: dict[str, Tensor]) -> Tensor:
    """m̂ / (√v̂ + 1e-8), both averages corrected for their start at zero. Same as optax.adam."""
    if not memory:
        for name in ("mean", "square"):
            memory[name] = torch.zeros_like(gradient)
        memory["count"] = torch.zeros((), dtype=torch.float64)
    mean = memory["mean"]
    square = memory["square"]
    count = memory["count"].add_(1)
    mean.mul_(MEAN).add_(gradient, alpha=1 - MEAN)
    square.mul_(SQUARE).addcmul_(gradient, gradient, value=1 - SQUARE)
    steps = int(count)
    root = (square / (1 - SQUARE**steps)).sqrt_().add_(EPS)
    return mean / (1 - MEAN**steps) / root
