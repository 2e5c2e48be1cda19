"""Compressed network: r̂ wide, started at the surrogate's singular vectors"""

from dynamics.config import Config
from dynamics.factors import spectral
from dynamics.network import Network
from dynamics.problem import Problem

WIDTH = "rank_bound"
START = "spectral"
ALPHA = "alpha"


def build(config: Config, problem: Problem) -> Network:
    """W_1 = ε V̂ᵀ, inner factors ε I, W_L = ε Û, with the surrogate's first r̂ singular vectors."""
    left, _, right = problem.surrogate(config.rank_bound)
    return Network(spectral(left, right, config.depth, config.init_scale), config.alpha)
