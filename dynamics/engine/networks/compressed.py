"""Compressed network: r̂ wide, started at the surrogate's singular vectors"""

from dynamics.core.config import Config
from dynamics.engine.factors import spectral
from dynamics.engine.network import Network
from dynamics.engine.problem import Task

WIDTH = "rank_bound"
START = "spectral"
ALPHA = "alpha"


def build(config: Config, problem: Task) -> Network:
    """W_1 = ε V̂ᵀ, inner factors ε I, W_L = ε Û, with the surrogate's first r̂ singular vectors.

    Hidden units beyond the number of classes have no singular vector: they start and stay at zero.
    """
    width = config.rank_bound
    left, _, right = problem.surrogate(min(width, *problem.shape))
    return Network(spectral(left, right, config.depth, config.init_scale, width))
