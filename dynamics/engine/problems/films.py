"""Film ratings: what the means of users and films leave of MovieLens 100K, and when to stop"""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dynamics.core.altmin import Entries
from dynamics.core.config import Config
from dynamics.data import movielens
from dynamics.engine import ratings
from dynamics.engine.losses.entries import Indices, Values
from dynamics.engine.losses.residuals import Residuals
from dynamics.engine.problem import Recovery

Counts = NDArray[np.int64]
ENOUGH = 50  # ratings from which a film counts as known
LEAST = 10  # known films without which no mode is named by films
EXAMPLES = 10  # held-out ratings that are shown one by one
READS = ("observed", "seed_data")
SHAPE = (943, 1682)
SEEN = "list"
ENTRIES = 90_000  # number of ratings, without the tenth of the observed ones that stop training
TARGET_KNOWN = False
RATED = True
SUGGESTS = {
    "networks": "compressed",
    "observed": 0.8,
    "rank_bound": 20,
    "init_scale": 0.5,
    "learning_rate": 10.0,
    "alpha": 1.0,
    "steps": 1000,
    "record_every": 10,
}


def fetch(config: Config, like: Tensor, report: Callable[[str], None]) -> None:
    """Download the ratings unless they are on disk, and see what other methods make of them."""
    movielens.fetch(report)
    ratings.peers(config, report)


def make(config: Config, like: Tensor) -> Recovery:
    """½ mean((W − Y + μ + b + c)²) over ratings Y, less the mean of all, of users and of films.

    A fraction p of the 100,000 ratings is observed. A tenth of these decide when to stop; the means
    and the networks learn from the rest alone.
    """
    given = ratings.parts(config)
    means = ratings.means(given.train)

    def left_over(part: Entries) -> tuple[Indices, Values]:
        places = torch.stack([torch.from_numpy(part.rows), torch.from_numpy(part.cols)])
        values = torch.from_numpy(ratings.rest(part, means).values)
        return places.to(like.device), values.to(like)

    problem = Residuals(SHAPE, *map(left_over, given))
    counts = np.bincount(given.train.cols, minlength=SHAPE[1])
    known = np.flatnonzero(counts >= ENOUGH)
    problem.known = torch.from_numpy(known).to(like.device) if len(known) >= LEAST else None
    examples = _examples(given.held_out, counts, config.seed_data)
    problem.examples = torch.from_numpy(np.stack([examples.rows, examples.cols])).to(like.device)
    rest = ratings.rest(examples, means)
    methods = ratings.peers(config)
    problem.names = {
        "films": movielens.titles() or [f"film {number}" for number in range(1, SHAPE[1] + 1)],
        "film_means": (means[0] + means[2]).tolist(),
        "film_counts": counts.tolist(),
        "examples_film": examples.cols.tolist(),
        "examples_user": examples.rows.tolist(),
        "examples_stars": examples.values.tolist(),
        "examples_mean": (examples.values - rest.values).tolist(),
        "peers": list(methods),
        "peers_rmse": list(methods.values()),
    }
    return problem


def _examples(held_out: Entries, counts: Counts, seed: int) -> Entries:
    """Some held-out ratings, drawn from those of known films; of fewer there are fewer."""
    fit = np.flatnonzero(counts[held_out.cols] >= ENOUGH)
    drawn = np.random.default_rng(seed).permutation(fit)[:EXAMPLES]
    return held_out.at(drawn)
