"""Narrow network with random start: r̂ wide, random small factors"""

from dynamics.core.config import Config
from dynamics.engine.draws import generator
from dynamics.engine.factors import drawn
from dynamics.engine.network import Network
from dynamics.engine.problem import Task

WIDTH = "rank_bound"
START = "random"
ALPHA = "alpha_original"
READS = ("initialization", "seed_init")


def build(config: Config, problem: Task) -> Network:
    """W_l = ε times a random orthogonal, normal or uniform matrix; all hidden widths are r̂."""
    rows, cols = problem.shape
    widths = [cols, *[config.rank_bound] * (config.depth - 1), rows]
    rng = generator("narrow factors", config.seed_init)
    factors = drawn(widths, config.init_scale, config.initialization, rng)
    return Network(factors)
