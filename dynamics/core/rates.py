"""Rates: η and α of each network of a run, from the settings and the value of η at the start."""

from dataclasses import dataclass

import numpy as np

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

    η* falls as α^(−2/L), so with the second factor all networks have η at the same share of their
    own η*.
    """
    if config.equal == "rate":
        return 1.0
    with np.errstate(over="ignore"):  # an α of almost 0 has no such η
        return float(np.float64(alpha(config, network)) ** (-2 / config.depth))


def rates(config: Config, network: str, learning_rate: float, step: int = 0) -> Rates:
    """The rates with which a network continues from ``step``.

    Args:
        config: the settings of the run.
        network: name of the network.
        learning_rate: the value of η at the start, which the run's facts keep. The config may count
            η in multiples of a stability limit; its changes count η in the same unit.
        step: gradient steps made so far.
    """
    unit = learning_rate / config.learning_rate
    now = config.after(step)
    return Rates(now.learning_rate * unit * pace(now, network), alpha(now, network))


def plain_descent(config: Config, network: str) -> bool:
    """Whether a network with a backbone moves by −η times its whole gradient, all the time.

    Only then does η times the largest curvature of the loss decide whether it is stable.
    """
    even = alpha(config, network) == config.alpha_first == 1 and config.backbone_rate in (0, 1)
    return traits.optimizer(config.optimizer).plain and even and not config.schedule


def turns(config: Config, network: str, learning_rate: float) -> dict[int, Rates]:
    """The rates at the start and after each change of the settings, by step."""
    steps = (0, *(change.step for change in config.schedule))
    return {step: rates(config, network, learning_rate, step) for step in steps}
