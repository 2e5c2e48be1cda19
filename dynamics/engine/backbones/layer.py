"""Layer: one fully connected layer"""

import math

from torch import Generator, nn

from dynamics.engine.backbones import ACTIVATIONS
from dynamics.engine.draws import seeded


def build(
    shape: tuple[int, int, int], features: int, activation: str, generator: Generator
) -> nn.Module:
    """From n images of this shape (channels, height, width) to n × features: pixels-h.

    An activation follows. torch's own first values, drawn from the generator.
    """
    with seeded(generator):
        layer = nn.Linear(math.prod(shape), features)
    return nn.Sequential(nn.Flatten(), layer, ACTIVATIONS[activation]())
