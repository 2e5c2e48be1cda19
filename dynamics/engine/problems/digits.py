"""Digits: 1,797 small pictures of handwritten digits, told apart behind a backbone"""

from torch import Tensor

from dynamics.core.config import Config
from dynamics.data.digits import digits
from dynamics.engine.losses.classification import Classification, prepared

READS = ()  # beside what every problem of images reads
SEEN = "images"
TARGET_KNOWN = False
IMAGES = (1400, 1, 8, 8)
CLASSES = 10
SUGGESTS = {
    "networks": "original,original_layered,compressed,narrow_random,plain",
    "init_scale": 0.1,
    "learning_rate": 0.05,
    "alpha": 1.0,
    "optimizer": "momentum",
    "batch": 64,
    "steps": 600,
    "record_every": 30,
    "dtype": "float32",
}


def make(config: Config, like: Tensor) -> Classification:
    """Cross-entropy of the ten digits by h(x) W, on images of 8 × 8 pixels, standardised.

    The 397 images that are not for training are held out, drawn by the seed of the data.
    """
    return prepared(config, digits, like)
