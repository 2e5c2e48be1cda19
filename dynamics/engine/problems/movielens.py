"""MovieLens 100K: real ratings of films, most of them missing"""

from collections.abc import Callable

import torch
from torch import Tensor

from dynamics.core.config import Config
from dynamics.data import movielens
from dynamics.engine.draws import generator
from dynamics.engine.losses.entries import Entries
from dynamics.engine.problem import Recovery

READS = ("observed", "seed_data")
SHAPE = (943, 1682)
SEEN = "list"
ENTRIES = 100_000  # all ratings
TARGET_KNOWN = False
SUGGESTS = {
    "networks": "compressed",
    "observed": 0.8,
    "init_scale": 0.03,
    "learning_rate": 5.0,
    "alpha": 1.0,
    "steps": 4000,
    "record_every": 20,
}


def fetch(config: Config, like: Tensor, report: Callable[[str], None]) -> None:
    """Download the ratings unless they are on disk."""
    movielens.fetch(report)


def make(config: Config, like: Tensor) -> Recovery:
    """½ mean square over a random fraction p of the 100,000 ratings; the others are held out.

    The full matrix is unknown, so there is no recovery error; √(2 · test_loss) is the usual root
    mean square error in stars.
    """
    observed, held_out = (
        (places.to(like.device), stars.to(like)) for places, stars in split(config)
    )
    return Entries(SHAPE, observed, held_out)


def split(config: Config) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """Places (2 × entries) and stars of the observed ratings, and of the others."""
    users, films, stars = (torch.from_numpy(column) for column in movielens.movielens())
    order = torch.randperm(len(stars), generator=generator("split", config.seed_data))
    kept = max(1, round(config.observed * len(stars)))
    places = torch.stack([users, films])
    first, second = ((places[:, part], stars[part]) for part in (order[:kept], order[kept:]))
    return first, second
