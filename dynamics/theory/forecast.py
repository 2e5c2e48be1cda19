"""Forecast: everything that theory predicts of a run before it starts, and how sure it is.

NumPy only. It takes a few milliseconds, so a page can ask at every move of a slider.
"""

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dynamics.core import cost
from dynamics.core.config import Config
from dynamics.core.rates import pace, rates
from dynamics.theory import advice, prediction, stability
from dynamics.theory import escapes as escape_times
from dynamics.theory.advice import Advice
from dynamics.theory.prediction import EXACT, HEURISTIC, Facts, Known, Prediction

NOTHING_DRAWN = Facts()


@dataclass(frozen=True)
class NetworkForecast:
    """The predictions for one network.

    Attributes:
        eta_star: the stability limit η*.
        escapes: steps until each mode is half grown, the target's largest first.
        rises: steps that each mode then takes from 10 to 90 % of its goal.
        floor: the final training loss.
        operations: floating-point operations of one step.
        memory: bytes of factors, buffers and data.
    """

    eta_star: Prediction
    escapes: Prediction
    rises: Prediction
    floor: Prediction
    operations: Prediction
    memory: Prediction

    @property
    def incrementality(self) -> list[float]:
        """J_i of ``escapes.incrementality``; empty if unknown."""
        if self.escapes.value is None or self.rises.value is None:
            return []
        return [
            float(each)
            for each in escape_times.incrementality(self.escapes.value, self.rises.value)
        ]

    def to_dict(self) -> dict[str, Any]:
        """Values by name; ``standing`` and ``breaks`` say how sure they are."""
        found = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return {
            **{name: _plain(each.value) for name, each in found.items()},
            "incrementality": _plain(self.incrementality),
            "standing": {name: each.standing for name, each in found.items()},
            "breaks": {name: list(each.breaks) for name, each in found.items() if each.breaks},
        }


@dataclass(frozen=True)
class Forecast:
    """The predictions for a run.

    Attributes:
        config: the settings.
        learning_rate: η itself; None if it is counted in limits and no limit is known. ``rate`` is
            the η of one network.
        networks: by name, in the config's order.
        warnings: the problems that the run will have.
    """

    config: Config
    learning_rate: float | None
    networks: Mapping[str, NetworkForecast]
    warnings: tuple[Advice, ...]

    def rate(self, network: str) -> float | None:
        """η of a network."""
        if self.learning_rate is None:
            return None
        return rates(self.config, network, self.learning_rate).learning_rate

    def ratio(self, network: str) -> float | None:
        """η/η* of a network; ``stability.zone`` names its zone."""
        limit, rate = self.networks[network].eta_star.value, self.rate(network)
        return None if limit is None or rate is None else rate / limit

    def to_dict(self) -> dict[str, Any]:
        """For JSON: the values of each network; at the top level those of the compressed one."""
        networks = {name: each.to_dict() for name, each in self.networks.items()}
        for name, each in networks.items():
            ratio = self.ratio(name)
            each |= {"ratio": ratio, "zone": None if ratio is None else stability.zone(ratio)}
        return {
            **(networks.get("compressed") or next(iter(networks.values()))),
            "networks": networks,
            "learning_rate": self.learning_rate,
            "warnings": [
                {"sentence": each.sentence, "mend": dict(each.mend)} for each in self.warnings
            ],
        }


def forecast(config: Config, facts: Facts = NOTHING_DRAWN, simulate: bool = False) -> Forecast:
    """Returns everything that can be said before a run.

    Args:
        config: the settings.
        facts: of the drawn problem; what is missing is estimated.
        simulate: whether to simulate the original network's escapes exactly, where its overlap is
            among the facts; this takes some 20 µs a step.
    """
    known = Known.of(config, facts)
    limits = {name: prediction.eta_star(known, name) for name in config.networks}
    paces = {name: pace(config, name) for name in config.networks}
    rate: float | None = config.learning_rate
    if config.rate_unit == "limit":
        found = [each.value / paces[name] for name, each in limits.items() if each.value]
        rate = rate * min(found) if found else None
    own = {name: None if rate is None else rate * paces[name] for name in config.networks}
    networks = {name: _network(known, name, limits[name], own[name], simulate) for name in own}
    warnings = (
        *advice.widths(config),
        *advice.step_size(config, own, limits),
        *advice.budget(config, {name: each.escapes for name, each in networks.items()}),
    )
    return Forecast(config, rate, networks, warnings)


def _network(
    known: Known, name: str, limit: Prediction, rate: float | None, simulate: bool
) -> NetworkForecast:
    return NetworkForecast(
        limit,
        prediction.escapes(known, name, rate, simulate),
        prediction.rises(known, name, rate),
        prediction.floor(known, name),
        Prediction(cost.operations(known.config, name), EXACT),
        Prediction(cost.memory(known.config, name), HEURISTIC),
    )


def _plain(value: Any) -> Any:
    """JSON has no infinity: it becomes null."""
    if isinstance(value, tuple | list):
        return [_plain(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
