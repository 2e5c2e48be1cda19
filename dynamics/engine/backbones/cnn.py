"""CNN: three convolutions with group norm, then a fully connected layer"""

from torch import Generator, nn

from dynamics.engine.backbones import ACTIVATIONS
from dynamics.engine.draws import seeded

CHANNELS = 16  # of the first convolution; each further one has twice as many as the one before
GROUPS = 4
STRIDES = (1, 2, 2)


def build(
    shape: tuple[int, int, int], features: int, activation: str, generator: Generator
) -> nn.Module:
    """From n images of this shape (channels, height, width) to n × features.

    3 × 3 convolutions of 16, 32 and 64 channels; the last two halve both sides. An activation
    follows every layer. torch's own first values, drawn from the generator.
    """
    act = ACTIVATIONS[activation]
    before, height, width = shape
    layers: list[nn.Module] = []
    with seeded(generator):
        for number, stride in enumerate(STRIDES):
            after = CHANNELS * 2**number
            layers += [
                nn.Conv2d(before, after, 3, stride, padding=1),
                nn.GroupNorm(GROUPS, after),
                act(),
            ]
            before, height, width = after, -(-height // stride), -(-width // stride)
        layers += [nn.Flatten(), nn.Linear(before * height * width, features), act()]
        return nn.Sequential(*layers)
