"""Own picture: a picture of yours with missing pixels"""

from torch import Tensor

from dynamics.core.config import Config
from dynamics.data import own_picture
from dynamics.engine.losses import picture

READS = ("dataset", "rank", "observed", "holes", "noise", "seed_data", "seed_noise")
DATA = "picture"
PICTURE = True
SUGGESTS = {
    "rank": 10,
    "rank_bound": 30,
    "observed": 0.5,
    "learning_rate": 30.0,
    "alpha": 2.0,
}


def make(config: Config, like: Tensor) -> picture.Picture:
    """½ mean((W − M*)²) over the observed pixels of an imported picture.

    It is grey, with brightness from −0.5 to 0.5, and at most 128 pixels long.
    """
    return picture.problem(own_picture.picture(config.dataset), config, like)
