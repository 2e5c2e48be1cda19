"""Ratings: how they are split, what their means leave over, and what other methods make of them."""

import contextlib
import hashlib
import json
import math
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import numpy as np
import torch
from scipy.sparse import csr_matrix
from scipy.sparse.linalg import LinearOperator, svds
from torch import Tensor

from dynamics.core import altmin
from dynamics.core.altmin import Array, Entries
from dynamics.core.config import Config
from dynamics.core.finite import finite
from dynamics.core.machine import files
from dynamics.core.machine.threads import use_one
from dynamics.data import movielens
from dynamics.data.folder import folder
from dynamics.engine.draws import generator

SHAPE = (movielens.USERS, movielens.FILMS)
APART = 0.1  # share of the observed ratings that decide when to stop
RANK = 10  # of ridge ALS, and of its random start
HALVES = 10  # half steps of ridge ALS
RIDGES = (12.0, 15.0, 18.0)  # squared stars; validation chooses
MOST_MODES = 40  # of soft-impute
THRESHOLDS = (18.0, 16.0, 14.0, 12.0)  # stars, falling; validation chooses
REPEATS = 8  # steps of soft-impute for each threshold
EDITION = 1  # of what ``peers`` computes


class Parts(NamedTuple):
    """Ratings in stars: to learn from, to decide when to stop, and held out."""

    train: Entries
    validation: Entries
    held_out: Entries


def split(config: Config) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """Places (2 × entries) and stars of the observed ratings, then of the held-out ratings."""
    users, films, stars = (torch.from_numpy(column) for column in movielens.movielens())
    order = torch.randperm(len(stars), generator=generator("split", config.seed_data))
    count = max(1, round(config.observed * len(stars)))
    places = torch.stack([users, films])
    observed, held_out = ((places[:, part], stars[part]) for part in (order[:count], order[count:]))
    return observed, held_out


def parts(config: Config) -> Parts:
    """The ratings of ``split``; a tenth of the observed ones, at least one, is the validation part.

    Raises:
        ValueError: if a part would be empty.
    """
    observed, held_out = (
        Entries(places[0].numpy(), places[1].numpy(), stars.numpy())
        for places, stars in split(config)
    )
    count = len(observed.values)
    apart = math.ceil(APART * count)
    if not 0 < apart < count or not len(held_out.values):
        raise ValueError(
            f"observed must leave ratings to learn from, to stop by and to hold out; of 100,000 "
            f"ratings {config.observed:g} leaves {count - apart:,}, {apart:,} and "
            f"{len(held_out.values):,}."
        )
    order = np.arange(count)
    train, validation = observed.at(order[: count - apart]), observed.at(order[count - apart :])
    return Parts(train, validation, held_out)


def means(entries: Entries) -> tuple[float, Array, Array]:
    """The mean μ, and what each user and each film adds: μ + b_i + c_j, see ``altmin.biases``."""
    left, right = altmin.biases(entries, SHAPE)
    mean = float(entries.values.mean())
    return mean, left[:, 0] - mean, right[:, 1]


def rest(entries: Entries, of: tuple[float, Array, Array]) -> Entries:
    """What is left of the stars once the means are taken off."""
    mean, users, films = of
    return entries._replace(
        values=entries.values - mean - users[entries.rows] - films[entries.cols]
    )


def peers(config: Config, report: Callable[[str], None] = lambda words: None) -> dict[str, float]:
    """The held-out RMSE in stars of other methods, by name; kept in the data's folder.

    All learn from the training part; what they leave open is chosen on the validation part. Ridge
    ALS and soft-impute learn what the means leave over, as the networks do.
    """
    given = parts(config)
    digest = hashlib.sha256(repr([EDITION, RANK, HALVES, RIDGES, THRESHOLDS, REPEATS]).encode())
    for part in given:
        for column in part:
            digest.update(np.ascontiguousarray(column).tobytes())
    kept = folder() / f"peers-{digest.hexdigest()[:16]}.json"
    try:
        stored = files.parsed(kept.read_bytes())
        found = {str(name): float(error) for name, error in dict(stored).items()}
    except (OSError, ValueError, TypeError, OverflowError):
        report("comparing with other methods")
        found = computed(given)
        with contextlib.suppress(OSError):  # not to be written: computed again next time
            files.replace(kept, json.dumps(found).encode())
    return found


def computed(given: Parts) -> dict[str, float]:
    """The held-out RMSE in stars of each method, the simplest first."""
    use_one()
    of = means(given.train)
    train, validation, held_out = (rest(part, of) for part in given)
    return {
        "global mean": rmse(given.held_out.values - of[0]),
        "user and film means": rmse(held_out.values),
        "ridge ALS": _chosen((ridge_als(train, ridge) for ridge in RIDGES), validation, held_out),
        "soft-impute": _chosen(soft_impute(train), validation, held_out),
    }


Factors = tuple[Array, Array]  # X and Z, whose product X Zᵀ estimates what the means leave over


def ridge_als(train: Entries, ridge: float) -> Factors:
    """X and Z of rank RANK after HALVES half steps of alternating ridge regression."""
    start = np.random.default_rng(0).standard_normal((SHAPE[1], RANK))
    for _, found in zip(
        range(HALVES), altmin.alternate(train, start, SHAPE[0], ridge), strict=False
    ):
        factors = found
    return factors


def soft_impute(train: Entries) -> Iterator[Factors]:
    """For each threshold, the largest first: W ← S(P(Y) + W − P(W)), REPEATS times.

    P keeps the entries that are given, and S takes the threshold off every singular value, but
    those below it become 0. W begins where the threshold before has ended. Mazumder, Hastie and
    Tibshirani (2010), "Spectral regularization algorithms for learning large incomplete matrices".
    """
    rows, cols, values = train
    left, right = np.zeros((SHAPE[0], 1)), np.zeros((SHAPE[1], 1))
    for threshold in THRESHOLDS:
        for _ in range(REPEATS):
            misfit = values - _at(train, (left, right))
            sparse = csr_matrix((misfit, (rows, cols)), shape=SHAPE)
            first, sizes, last = _largest(sparse, left, right)
            kept = sizes > threshold
            left, right = first[:, kept] * (sizes[kept] - threshold), last[kept].T
        yield left, right


def _largest(sparse: csr_matrix, left: Array, right: Array) -> tuple[Array, Array, Array]:
    """The singular triplets of a sparse matrix plus left · rightᵀ, as many as could be kept."""

    def product(vector: Array) -> Array:
        return finite(sparse @ vector + left @ (right.T @ vector))

    def transposed(vector: Array) -> Array:
        return finite(sparse.T @ vector + right @ (left.T @ vector))

    whole = LinearOperator(SHAPE, product, transposed, dtype=float)
    # What the operator returns is guarded.
    count = min(MOST_MODES, left.shape[1] + 4)
    found: tuple[Array, Array, Array] = svds(whole, k=count, tol=1e-3, rng=0)
    return found


def rmse(error: Array) -> float:
    """The root of the mean square."""
    return float(np.sqrt(np.mean(error**2)))


def _at(entries: Entries, factors: Factors) -> Array:
    values: Array = (factors[0][entries.rows] * factors[1][entries.cols]).sum(1)
    return values


def _chosen(candidates: Iterable[Factors], validation: Entries, held_out: Entries) -> float:
    """The held-out RMSE of the candidate with the least RMSE on the validation part."""
    scored = [
        tuple(rmse(part.values - _at(part, each)) for part in (validation, held_out))
        for each in candidates
    ]
    return min(scored)[1]
