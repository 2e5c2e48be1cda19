"""Original network by exact reduction: full target, orthogonal start"""

import dataclasses

from dynamics import registry
from dynamics.config import Config
from dynamics.network import Network
from dynamics.problem import Problem


def build(config: Config, problem: Problem) -> Network:
    """As ``original``; the steps are those of a network 2r wide, with the same factors at each record."""
    return dataclasses.replace(
        registry.load("networks", "original").build(config, problem), reduction="core"
    )
