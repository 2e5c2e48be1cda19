"""Narrow network with random start and α: r̂ wide, random small factors, the compressed one's α"""

import dataclasses

from dynamics import registry
from dynamics.config import Config
from dynamics.network import Network
from dynamics.problem import Problem

WIDTH = "rank_bound"
START = "random"
ALPHA = "alpha"


def build(config: Config, problem: Problem) -> Network:
    """As ``narrow_random``, from the same factors, its outer ones moved by αη."""
    narrow = registry.load("networks", "narrow_random").build(config, problem)
    return dataclasses.replace(narrow, alpha=config.alpha)
