"""Residual: three blocks that each add two convolutions to their input"""

from torch import Generator, Tensor, nn

from dynamics.engine.backbones import ACTIVATIONS
from dynamics.engine.draws import seeded

CHANNELS = 16  # of the first block; each further one has twice as many as the one before
GROUPS = 4
STRIDES = (1, 2, 2)


def build(
    shape: tuple[int, int, int], features: int, activation: str, generator: Generator
) -> nn.Module:
    """From n images of this shape (channels, height, width) to n × features.

    A convolution, blocks of 16, 32 and 64 channels with group norm, the mean over all places and
    a fully connected layer. torch's own first values, drawn from the generator.
    """
    act = ACTIVATIONS[activation]
    with seeded(generator):
        layers: list[nn.Module] = [*_normed(shape[0], CHANNELS, 1), act()]
        before = CHANNELS
        for number, stride in enumerate(STRIDES):
            after = CHANNELS * 2**number
            layers.append(Block(before, after, stride, act))
            before = after
        layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(before, features), act()]
        return nn.Sequential(*layers)


class Block(nn.Module):
    """activation(x + two normed convolutions of x); a 1 × 1 convolution fits x to their size."""

    def __init__(self, before: int, after: int, stride: int, act: type[nn.Module]) -> None:
        super().__init__()
        inner = [*_normed(before, after, stride), act(), *_normed(after, after, 1)]
        self.inner = nn.Sequential(*inner)
        same = before == after and stride == 1
        self.outer = nn.Identity() if same else nn.Conv2d(before, after, 1, stride, bias=False)
        self.act = act()

    def forward(self, images: Tensor) -> Tensor:
        """The block's output for n images."""
        features: Tensor = self.act(self.outer(images) + self.inner(images))
        return features


def _normed(before: int, after: int, stride: int) -> list[nn.Module]:
    convolution = nn.Conv2d(before, after, 3, stride, padding=1, bias=False)
    return [convolution, nn.GroupNorm(GROUPS, after)]
