"""Compressed network without α: r̂ wide, spectral start, the original's α₀"""

import dataclasses

from dynamics.core import registry
from dynamics.core.config import Config
from dynamics.engine.network import Network
from dynamics.engine.problem import Recovery

WIDTH = "rank_bound"
START = "spectral"
ALPHA = "alpha_original"


def build(config: Config, problem: Recovery) -> Network:
    """As ``compressed``, its outer factors moved by α₀η as those of the original."""
    compressed = registry.load("networks", "compressed").build(config, problem)
    return dataclasses.replace(compressed, alpha=config.alpha_original)
