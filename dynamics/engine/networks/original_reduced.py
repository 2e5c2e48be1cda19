"""Original network by exact reduction: full target, orthogonal start"""

import dataclasses

from dynamics.core import registry
from dynamics.core.config import Config
from dynamics.engine.network import Network
from dynamics.engine.problem import Recovery

WIDTH = "width"
START = "random"
ALPHA = "alpha_original"
REDUCED = True


def build(config: Config, problem: Recovery) -> Network:
    """As ``original``, stepped by a network 2r wide; the same factors at each record."""
    return dataclasses.replace(
        registry.load("networks", "original").build(config, problem), reduction="core"
    )
