"""Forecast: everything that theory predicts about a run before it starts, and how sure it is.

NumPy only. A forecast takes a few milliseconds, so a page can ask for it at every move of a slider.
"""

import dataclasses
import functools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from dynamics.core import cost, traits
from dynamics.core.config import Config
from dynamics.core.rates import pace, rates
from dynamics.theory import advice, plateau, prediction, stability
from dynamics.theory import escapes as escape_times
from dynamics.theory.advice import Advice
from dynamics.theory.prediction import EXACT, HEURISTIC, UNKNOWN, Facts, Known, Prediction

NOTHING_DRAWN = Facts()


@dataclass(frozen=True)
class NetworkForecast:
    """The predictions for one network.

    Attributes:
        eta_star: the stability limit η*.
        escapes: steps until each mode is half grown, the target's largest first.
        rises: steps that each mode then takes from 10 to 90 % of its goal.
        floor: the final training loss.
        operations: floating-point operations of one step; unknown behind a backbone.
        memory: bytes of factors, buffers and data.
        plateau: steps until the loss has fallen by 2 and by 10 % of ln K where classes are told
            apart, see ``plateau.predicted``, and nothing else is known; None for a matrix.
    """

    eta_star: Prediction
    escapes: Prediction
    rises: Prediction
    floor: Prediction
    operations: Prediction
    memory: Prediction
    plateau: Prediction | None = None

    @property
    def predictions(self) -> dict[str, Prediction]:
        """The predictions that this kind of problem has, by name."""
        if self.plateau is not None:
            return {"plateau": self.plateau}
        fields = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return {name: field for name, field in fields.items() if field is not None}

    @property
    def incrementality(self) -> list[float]:
        """J_i of ``escapes.incrementality``; empty if unknown."""
        if self.escapes.value is None or self.rises.value is None:
            return []
        return [
            float(ratio)
            for ratio in escape_times.incrementality(self.escapes.value, self.rises.value)
        ]

    def to_dict(self) -> dict[str, Any]:
        """The values by name, with ``standing`` and ``breaks``, which say how sure they are."""
        fields = self.predictions
        breaks = {name: list(field.breaks) for name, field in fields.items() if field.breaks}
        return {
            **{name: _plain(field.value) for name, field in fields.items()},
            **({} if self.plateau else {"incrementality": _plain(self.incrementality)}),
            "standing": {name: field.standing for name, field in fields.items()},
            "breaks": breaks,
        }


@dataclass(frozen=True)
class Forecast:
    """The predictions for a run.

    Attributes:
        config: the settings of the run.
        learning_rate: the value of η; None if η is counted in stability limits and no limit is
            known. ``rate`` returns the η of one network.
        networks: the predictions for each network, by name, in the config's order.
        warnings: the problems that the run will have.
        noise: of observed entries, as ``stability.zone`` counts it.
    """

    config: Config
    learning_rate: float | None
    networks: Mapping[str, NetworkForecast]
    warnings: tuple[Advice, ...]
    noise: float = 0.0

    def rate(self, network: str) -> float | None:
        """η of a network; None if η is unknown."""
        if self.learning_rate is None:
            return None
        return rates(self.config, network, self.learning_rate).learning_rate

    def ratio(self, network: str, step: int = 0) -> float | None:
        """η/η* of a network from ``step`` on; None if either is unknown.

        ``zone`` names its zone. A change of α during the run moves η* as α^(−2/L).
        """
        limit = self.networks[network].eta_star.value
        if limit is None or self.learning_rate is None:
            return None
        start = rates(self.config, network, self.learning_rate)
        now = rates(self.config, network, self.learning_rate, step)
        moved = (now.alpha / start.alpha) ** (-2 / self.config.depth)
        return now.learning_rate / (limit * moved)

    def zone(self, network: str, step: int = 0) -> str | None:
        """The zone of a network's η from ``step`` on, by ``stability.zone``; None if unknown."""
        ratio = self.ratio(network, step)
        momentum = traits.optimizer(self.config.optimizer).inertia or 0.0
        return None if ratio is None else stability.zone(ratio, momentum, self.noise)

    def to_dict(self) -> dict[str, Any]:
        """The forecast, ready for JSON.

        ``networks`` has the values of each network. The top level repeats the values of the
        compressed network, or of the first network if the run has no compressed network.
        """
        networks = {name: network.to_dict() for name, network in self.networks.items()}
        for name, values in networks.items():
            values |= {"ratio": self.ratio(name), "zone": self.zone(name)}
        return {
            **(networks.get("compressed") or next(iter(networks.values()))),
            "networks": networks,
            "learning_rate": self.learning_rate,
            "warnings": [
                {"sentence": warning.sentence, "mend": dict(warning.mend)}
                for warning in self.warnings
            ],
        }


@functools.lru_cache(maxsize=64)
@np.errstate(all="ignore")  # what overflows or has no pull is infinite
def forecast(config: Config, facts: Facts = NOTHING_DRAWN, simulate: bool = False) -> Forecast:
    """Everything that can be said before a run; nothing if another program trains it.

    Args:
        config: the settings of the run.
        facts: facts of the drawn problem; missing facts are estimated.
        simulate: whether to simulate the original network's escapes exactly if its overlap is
            among the facts; this takes about 20 µs a step.
    """
    if config.watched:
        return Forecast(config, None, {}, ())
    known = Known.of(config, facts)
    limits = {name: prediction.eta_star(known, name) for name in config.networks}
    paces = {name: pace(config, name) for name in config.networks}
    rate: float | None = config.learning_rate
    if config.rate_unit == "limit":
        bounds = [limit.value / paces[name] for name, limit in limits.items() if limit.value]
        rate = rate * min(bounds) if bounds else None
    own = {name: None if rate is None else rate * paces[name] for name in config.networks}
    if traits.problem(config.problem).classifies:
        networks = {name: _waiting(config, facts, name) for name in config.networks}
        plateaus = {name: network.plateau for name, network in networks.items() if network.plateau}
        warned = (*advice.widths(config), *advice.waiting(config, plateaus))
        return Forecast(config, rate, networks, warned)
    networks = {name: _network(known, name, limits[name], own[name], simulate) for name in own}
    warnings = (
        *advice.widths(config),
        *advice.step_size(config, own, limits),
        *advice.budget(config, {name: network.escapes for name, network in networks.items()}),
    )
    return Forecast(config, rate, networks, warnings, known.noise)


def _network(
    known: Known, name: str, limit: Prediction, rate: float | None, simulate: bool
) -> NetworkForecast:
    return NetworkForecast(
        limit,
        *prediction.times(known, name, rate, limit, simulate),
        prediction.floor(known, name, rate, limit),
        Prediction(cost.operations(known.config, name), EXACT),
        Prediction(cost.memory(known.config, name), HEURISTIC),
    )


def _waiting(config: Config, facts: Facts, name: str) -> NetworkForecast:
    """The prediction for a network that tells classes apart: when it begins to learn."""
    unknown = Prediction(None, UNKNOWN)
    end = plateau.predicted(config, facts, name)
    return NetworkForecast(unknown, unknown, unknown, unknown, unknown, unknown, end)


def _plain(value: Any) -> Any:
    """The value as JSON allows it: infinity and NaN become null."""
    if isinstance(value, tuple | list):
        return [_plain(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
