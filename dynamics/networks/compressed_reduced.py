"""Compressed network by exact reduction: full target"""

import dataclasses

from dynamics import registry
from dynamics.config import Config
from dynamics.network import Network
from dynamics.problem import Problem

WIDTH = "rank_bound"
START = "spectral"
ALPHA = "alpha"
REDUCED = True


def build(config: Config, problem: Problem) -> Network:
    """As ``compressed``, stepped by r̂ scalar recursions; the same factors at each record."""
    return dataclasses.replace(
        registry.load("networks", "compressed").build(config, problem), reduction="diagonal"
    )
