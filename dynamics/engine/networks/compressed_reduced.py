"""Compressed network by exact reduction: full target"""

import dataclasses

from dynamics.core import registry
from dynamics.core.config import Config
from dynamics.engine.network import Network
from dynamics.engine.problem import Recovery

WIDTH = "rank_bound"
START = "spectral"
ALPHA = "alpha"
REDUCED = True


def build(config: Config, problem: Recovery) -> Network:
    """As ``compressed``, stepped by r̂ scalar recursions; the same factors at each record."""
    return dataclasses.replace(
        registry.load("networks", "compressed").build(config, problem), reduction="diagonal"
    )
