"""Digits: 1,797 small pictures of handwritten digits, told apart behind a backbone"""

from torch import Tensor

from dynamics.core.config import Config
from dynamics.data.digits import digits
from dynamics.engine.losses.classification import Classification, prepared

READS = (
    "backbone",
    "activation",
    "features",
    "backbone_rate",
    "batch",
    "images",
    "label_noise",
    "seed_data",
    "seed_noise",
    "seed_backbone",
)
SEEN = "images"
TARGET_KNOWN = False
CLASSES = 10
SUGGESTS = {
    "networks": "original,original_layered,compressed,narrow_random,plain",
    "init_scale": 0.1,
    "learning_rate": 0.05,
    "alpha": 1.0,
    "optimizer": "momentum",
    "batch": 64,
    "steps": 600,
    "record_every": 20,
    "dtype": "float32",
}


HELD_OUT = 397  # images, drawn by the seed of the data; 1,400 are left for training


def make(config: Config, like: Tensor) -> Classification:
    """Cross-entropy of the ten digits by h(x) W, on images of 8 × 8 pixels, standardised."""
    return prepared(config, digits(), HELD_OUT, like)
