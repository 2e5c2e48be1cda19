"""Narrow network with random start and α: r̂ wide, random small factors, the compressed one's α"""

import dataclasses

from dynamics.core import registry
from dynamics.core.config import Config
from dynamics.engine.network import Network
from dynamics.engine.problem import Recovery

WIDTH = "rank_bound"
START = "random"
ALPHA = "alpha"


def build(config: Config, problem: Recovery) -> Network:
    """As ``narrow_random``, from the same factors, its outer ones moved by αη."""
    narrow = registry.load("networks", "narrow_random").build(config, problem)
    return dataclasses.replace(narrow, alpha=config.alpha)
