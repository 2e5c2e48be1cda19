"""Rates: η and α of each network of a run, from the settings and η itself at the start."""

from dataclasses import dataclass

from dynamics.core import traits
from dynamics.core.config import Config


@dataclass(frozen=True)
class Rates:
    """Rates of one network: inner factors move by η, the first and the last by αη."""

    learning_rate: float
    alpha: float

    @property
    def outer(self) -> float:
        """αη."""
        return self.learning_rate * self.alpha


def alpha(config: Config, network: str) -> float:
    """α of a network at the start."""
    return float(getattr(config, traits.network(network).alpha))


def pace(config: Config, network: str) -> float:
    """The factor on η for a network: 1, or α^(−2/L) at an equal stability margin.

    As η* falls as α^(−2/L), all networks then move at the same share of their own η*.
    """
    if config.equal == "rate":
        return 1.0
    return float(alpha(config, network) ** (-2 / config.depth))


def rates(config: Config, network: str, learning_rate: float, step: int = 0) -> Rates:
    """The rates with which a network continues from ``step``.

    Args:
        config: the settings.
        network: its name.
        learning_rate: η itself at the start, which a run's facts keep; the config may count η in
            multiples of a stability limit, and its changes count in the same unit.
        step: gradient steps made.
    """
    unit = learning_rate / config.learning_rate
    now = config.after(step)
    return Rates(now.learning_rate * unit * pace(now, network), alpha(now, network))


def turns(config: Config, network: str, learning_rate: float) -> dict[int, Rates]:
    """The rates from the start, and from each step on at which the settings change."""
    steps = (0, *(change.step for change in config.schedule))
    return {step: rates(config, network, learning_rate, step) for step in steps}
