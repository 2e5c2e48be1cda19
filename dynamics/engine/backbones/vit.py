"""ViT: a small vision transformer of two blocks on 4 × 4 patches"""

import torch
from torch import Generator, Tensor, nn

from dynamics.engine.draws import seeded

SIDE = 4  # patches along a side of the image
DIM, HEADS, BLOCKS = 64, 4, 2
SPREAD = 0.02  # standard deviation of the first position embeddings


def build(
    shape: tuple[int, int, int], features: int, activation: str, generator: Generator
) -> nn.Module:
    """From n images of this shape (channels, height, width) to n × features.

    Patches with positions, two transformer blocks without dropout and biases (that of a key would
    have no gradient but rounding, which Adam amplifies), layer norm, the mean over the patches and
    a fully connected layer. torch's own first values, drawn from the generator.

    Raises:
        ValueError: if the sides cannot be cut into 4 × 4 patches.
    """
    channels, height, width = shape
    if height % SIDE or width % SIDE:
        raise ValueError(
            f"The backbone vit cuts images into {SIDE} × {SIDE} patches, so both sides must be "
            f"multiples of {SIDE}; these are {height} × {width}."
        )
    patch = (height // SIDE, width // SIDE)
    with seeded(generator):
        return nn.Sequential(
            Patches(channels, patch),
            *(
                nn.TransformerEncoderLayer(
                    DIM,
                    HEADS,
                    2 * DIM,
                    0.0,
                    activation,
                    batch_first=True,
                    norm_first=True,
                    bias=False,
                )
                for _ in range(BLOCKS)
            ),
            nn.LayerNorm(DIM),
            Mean(),
            nn.Linear(DIM, features),
        )


class Patches(nn.Module):
    """n × patches × DIM: a linear map of each patch, plus the embedding of its position."""

    def __init__(self, channels: int, patch: tuple[int, int]) -> None:
        super().__init__()
        self.map = nn.Conv2d(channels, DIM, patch, patch)
        self.positions = nn.Parameter(SPREAD * torch.randn(SIDE**2, DIM))

    def forward(self, images: Tensor) -> Tensor:
        """The patches of n images."""
        patches: Tensor = self.map(images).flatten(2).mT + self.positions
        return patches


class Mean(nn.Module):
    """The mean over the patches."""

    def forward(self, patches: Tensor) -> Tensor:
        """n × patches × DIM to n × DIM."""
        return patches.mean(1)
