"""Photograph: a picture of a temple with missing pixels"""

from torch import Tensor

from dynamics.core.config import Config
from dynamics.data import photograph
from dynamics.engine.losses import picture

READS = ("rows", "cols", "rank", "observed", "holes", "noise", "seed_data", "seed_noise")
PICTURE = True
SUGGESTS = {
    "rows": 80,
    "cols": 120,
    "rank": 10,
    "rank_bound": 30,
    "observed": 0.5,
    "learning_rate": 30.0,
    "alpha": 2.0,
}


def make(config: Config, like: Tensor) -> picture.Picture:
    """½ mean((W − M*)²) over the observed pixels of china.jpg, which scikit-learn ships.

    The picture is turned to grey, scaled to the config's rows and columns, and centred: its
    brightness is −0.5 to 0.5. It has full rank, so angles are measured to its first r singular
    vectors.
    """
    return picture.problem(photograph.photograph(config.rows, config.cols), config, like)
