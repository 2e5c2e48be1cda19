"""MLP: two fully connected layers"""

import math

from torch import Generator, nn

from dynamics.engine.backbones import ACTIVATIONS
from dynamics.engine.draws import seeded


def build(
    shape: tuple[int, int, int], features: int, activation: str, generator: Generator
) -> nn.Module:
    """From n images of this shape (channels, height, width) to n × features: pixels-h-h.

    An activation follows both layers. torch's own first values, drawn from the generator.
    """
    act = ACTIVATIONS[activation]
    with seeded(generator):
        return nn.Sequential(
            nn.Flatten(),
            nn.Linear(math.prod(shape), features),
            act(),
            nn.Linear(features, features),
            act(),
        )
