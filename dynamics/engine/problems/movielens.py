"""MovieLens 100K: real ratings of films, most of them missing"""

from collections.abc import Callable

from torch import Tensor

from dynamics.core.config import Config
from dynamics.data import movielens
from dynamics.engine.losses.entries import Entries
from dynamics.engine.problem import Recovery
from dynamics.engine.ratings import split

READS = ("observed", "seed_data")
SHAPE = (943, 1682)
SEEN = "list"
ENTRIES = 100_000  # number of ratings, observed and held out
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
    """½ mean((W − Y)²) over a random fraction p of the 100,000 ratings Y; the rest is held out.

    The full matrix is unknown, so no recovery error exists. √(2 · test_loss) is the usual root
    mean square error in stars.
    """
    observed, held_out = (
        (places.to(like.device), stars.to(like)) for places, stars in split(config)
    )
    return Entries(SHAPE, observed, held_out)
