"""Own data: images or rows of a table from a file of yours, told apart behind a backbone"""

import functools

from torch import Tensor

from dynamics.core.config import Config
from dynamics.data import imported
from dynamics.engine.losses.classification import Classification, prepared

READS = ("dataset",)  # beside what every problem of images reads
SEEN = "images"
DATA = "images"
TARGET_KNOWN = False
SUGGESTS = {
    "networks": "original,original_layered,compressed,narrow_random,plain",
    "init_scale": 0.1,
    "learning_rate": 0.05,
    "alpha": 1.0,
    "optimizer": "momentum",
    "batch": 0,
    "steps": 600,
    "record_every": 20,
    "dtype": "float32",
}


def make(config: Config, like: Tensor) -> Classification:
    """Cross-entropy of the classes of an imported data set by h(x) W, on standardised images.

    Its test part is held out; of a data set without one, a fifth, drawn by the seed of the data.
    """
    return prepared(config, functools.partial(imported.imported, config.dataset), like)
