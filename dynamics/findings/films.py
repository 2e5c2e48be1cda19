"""Films: ten films for somebody who has rated a few, from what a network makes of films."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from dynamics.core.finite import finite

DAMPING = 10.0  # ratings; how many it takes until somebody's own mean counts half
ENOUGH = 50  # ratings without which a film is not recommended


@dataclass(frozen=True)
class Recommendation:
    """A film, by its number from 0, and the stars that are predicted for it."""

    film: int
    stars: float


def popular(counts: Sequence[int], number: int = 10) -> list[int]:
    """The films with the most ratings, the first of equals first."""
    return [int(film) for film in np.argsort(-np.asarray(counts), kind="stable")[:number]]


def predicted(
    features: ArrayLike, means: ArrayLike, noise: float, rated: Mapping[int, float]
) -> np.ndarray:
    """The stars of every film for somebody who has rated some: means + weights · features.

    The means are the film's and, damped, what the person adds. The weights are those of ridge
    regression, λ = ``noise``: the most likely ones if weights are normal with variance 1 and
    ratings scatter with this variance. Stars are from 1 to 5.

    Args:
        features: modes × films, see ``runs.films``.
        means: the mean stars of each film.
        noise: variance of a rating about its prediction.
        rated: stars by film.
    """
    of_films, base = np.asarray(features, float), np.asarray(means, float)
    places = list(rated)
    left = np.array([rated[film] for film in places]) - base[places]
    own = left.sum() / (len(left) + DAMPING)
    seen = of_films[:, places]
    inner = seen @ seen.T + noise * np.eye(len(seen))
    weights = np.linalg.solve(finite(inner), finite(seen @ (left - own)))
    stars: np.ndarray = np.clip(base + own + weights @ of_films, 1, 5)
    return stars


def recommended(
    stars: ArrayLike, counts: Sequence[int], rated: Mapping[int, float], number: int = 10
) -> list[Recommendation]:
    """The films of the most stars that are known and not rated yet, the best first."""
    predictions = np.array(stars, float)
    predictions[np.asarray(counts) < ENOUGH] = -np.inf
    predictions[list(rated)] = -np.inf
    order = np.argsort(-predictions, kind="stable")[:number]
    return [
        Recommendation(int(film), float(predictions[film]))
        for film in order
        if np.isfinite(predictions[film])
    ]
