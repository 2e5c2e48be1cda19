"""Original network with α: wide, random start, the compressed one's α"""

import dataclasses

from dynamics import registry
from dynamics.config import Config
from dynamics.network import Network
from dynamics.problem import Problem

WIDTH = "width"
START = "random"
ALPHA = "alpha"


def build(config: Config, problem: Problem) -> Network:
    """As ``original``, from the same factors, its outer ones moved by αη."""
    original = registry.load("networks", "original").build(config, problem)
    return dataclasses.replace(original, alpha=config.alpha)
