"""Original network with α: wide, random start, the compressed one's α"""

import dataclasses

from dynamics.core import registry
from dynamics.core.config import Config
from dynamics.engine.network import Network
from dynamics.engine.problem import Recovery

WIDTH = "width"
START = "random"
ALPHA = "alpha"


def build(config: Config, problem: Recovery) -> Network:
    """As ``original``, from the same factors, its outer ones moved by αη."""
    original = registry.load("networks", "original").build(config, problem)
    return dataclasses.replace(original, alpha=config.alpha)
