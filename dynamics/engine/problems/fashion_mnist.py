"""FashionMNIST: 70,000 pictures of clothes, told apart behind a backbone"""

from collections.abc import Callable

from torch import Tensor

from dynamics.core.config import Config
from dynamics.data import fashion_mnist
from dynamics.engine.losses.classification import Classification, prepared

READS = ()  # beside what every problem of images reads
SEEN = "images"
TARGET_KNOWN = False
IMAGES = (60_000, 1, 28, 28)
CLASSES = 10
SUGGESTS = {
    "networks": "original,original_layered,compressed,narrow_random,plain",
    "features": 256,
    "init_scale": 0.1,
    "learning_rate": 0.05,
    "alpha": 1.0,
    "optimizer": "momentum",
    "batch": 128,
    "steps": 1200,
    "record_every": 60,
    "dtype": "float32",
}


def fetch(config: Config, like: Tensor, report: Callable[[str], None]) -> None:
    """Download the four files unless they are on disk."""
    fashion_mnist.fetch(report)


def make(config: Config, like: Tensor) -> Classification:
    """Cross-entropy of ten kinds of clothes by h(x) W, on standardised images of 28 × 28 pixels.

    The published test part of 10,000 images is held out.
    """
    return prepared(config, fashion_mnist.fashion_mnist, like)
