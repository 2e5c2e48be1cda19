"""Photograph: a picture of a temple with missing pixels"""

import torch
from torch import Tensor

from dynamics.core.config import Config
from dynamics.data import photograph
from dynamics.engine.draws import given, mask
from dynamics.engine.losses.masked import Masked
from dynamics.engine.problem import Recovery
from dynamics.engine.target import Target

READS = ("rows", "cols", "rank", "observed", "noise", "seed_data", "seed_noise")
SUGGESTS = {
    "rows": 80,
    "cols": 120,
    "rank": 10,
    "rank_bound": 30,
    "observed": 0.5,
    "learning_rate": 30.0,
    "alpha": 2.0,
}


def make(config: Config, like: Tensor) -> Recovery:
    """½ mean((W − M*)²) over the observed pixels of china.jpg, which scikit-learn ships.

    The picture is turned to grey, scaled to the config's rows and columns, and centred: its
    brightness is −0.5 to 0.5. It has full rank, so angles are measured to its first r singular
    vectors.
    """
    pixels = torch.tensor(photograph.photograph(config.rows, config.cols).astype(float))
    target = Target.of(pixels / 255 - 0.5, config.rank, exact=False)
    return Masked(target.to(like), mask(config), given(config, target, like))
