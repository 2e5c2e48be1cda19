"""Borders: where theory expects the outcome of a sweep to change, over its cells."""

import functools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dynamics.core import traits
from dynamics.core.config import Config
from dynamics.core.sweep import Sweep
from dynamics.theory import spectrum
from dynamics.theory.forecast import NetworkForecast, forecast
from dynamics.theory.prediction import EXACT, HEURISTIC, UNKNOWN

MOST_CELLS = 2500  # of a sweep whose forecasts are made; each takes some milliseconds
APART = 3.0  # J above which modes rise one by one


@dataclass(frozen=True)
class Border:
    """One border.

    Attributes:
        name: what holds on it, such as ``η = η*``.
        standing: how sure it is, the least sure word of its cells; see ``Prediction``.
        inside: whether each cell is beyond it; axis × axis × ….
        known: whether it is known of each cell.
    """

    name: str
    standing: str
    inside: NDArray[np.bool_]
    known: NDArray[np.bool_]


Side = Callable[[Config, NetworkForecast, float | None], tuple[float | None, str]]


def _limit(
    config: Config, network: NetworkForecast, ratio: float | None
) -> tuple[float | None, str]:
    return (None if ratio is None else ratio - 1), network.eta_star.standing


def _budget(narrow: bool) -> Side:
    def side(
        config: Config, network: NetworkForecast, ratio: float | None
    ) -> tuple[float | None, str]:
        # Modes beyond r̂ never escape, however many steps there are: that is another border.
        count = config.rank_bound if narrow else None
        times = [time for time in (network.escapes.value or ())[:count] if not math.isnan(time)]
        return (max(times) - config.steps if times else None), network.escapes.standing

    return side


def _room(
    config: Config, network: NetworkForecast, ratio: float | None
) -> tuple[float | None, str]:
    return config.rank_bound - config.rank + 0.5, EXACT


def _spare(
    config: Config, network: NetworkForecast, ratio: float | None
) -> tuple[float | None, str]:
    return config.rank_bound - (min(config.shape) - config.rank) - 0.5, EXACT


def _visible(
    config: Config, network: NetworkForecast, ratio: float | None
) -> tuple[float | None, str]:
    found = spectrum.visibility(config)
    return (None if found is None else found - 1), HEURISTIC


def _apart(level: float, mode: int) -> Side:
    def side(
        config: Config, network: NetworkForecast, ratio: float | None
    ) -> tuple[float | None, str]:
        found = network.incrementality
        value = found[mode - 1] if len(found) >= mode else math.nan
        # The course of W is a heuristic wherever its escapes are one.
        return (None if math.isnan(value) else value - level), network.escapes.standing

    return side


def _sides(sweep: Sweep) -> Iterator[tuple[str, Side]]:
    """The borders that can matter to the sweep."""
    yield "η = η*", _limit
    narrow = traits.network(sweep.network).narrow
    yield "last escape at the last step", _budget(narrow)
    if sweep.outcome in ("incrementality", "ended"):
        yield "J = 1", _apart(1.0, sweep.mode)
        yield "J = 3", _apart(APART, sweep.mode)
    if narrow and traits.problem(sweep.base.problem).low_rank:
        yield "r̂ = r", _room
        yield "r̂ = d − r", _spare
    if traits.network(sweep.network).spectral:
        yield "the surrogate shows mode r", _visible


@functools.lru_cache(maxsize=16)
def borders(sweep: Sweep) -> tuple[Border, ...]:
    """The borders that run through the sweep's cells; none of those that all cells are on one side.

    They follow from the settings of each cell's first seed, before anything is drawn.
    """
    cells = [cell for cell in sweep.cells if cell.configs]
    classes = traits.problem(sweep.base.problem).classifies
    if classes or sweep.network not in sweep.base.networks or len(cells) > MOST_CELLS:
        return ()
    told = []
    for cell in cells:
        predicted = forecast(cell.configs[0])
        told.append((cell, predicted.networks[sweep.network], predicted.ratio(sweep.network)))
    found = []
    for name, side in _sides(sweep):
        inside, known = np.zeros(sweep.shape, bool), np.zeros(sweep.shape, bool)
        standings = set()
        for cell, network, ratio in told:
            value, standing = side(cell.configs[0], network, ratio)
            if value is not None:
                inside[cell.point], known[cell.point] = value > 0, True
                standings.add(standing)
        if inside[known].any() and not inside[known].all():
            least = next((word for word in (UNKNOWN, HEURISTIC) if word in standings), None)
            found.append(Border(name, least or min(standings), inside, known))
    return tuple(found)
