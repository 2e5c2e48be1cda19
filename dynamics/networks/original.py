"""Original network: as wide as the matrix, random small factors"""

from dynamics.config import Config
from dynamics.factors import drawn
from dynamics.network import Network
from dynamics.problem import Problem, generator, need

WIDTH = "width"
START = "random"
ALPHA = "alpha_original"


def build(config: Config, problem: Problem) -> Network:
    """W_l = ε times a random orthogonal (normal, uniform) matrix, all of the original width."""
    rows, cols = problem.shape
    width = config.width or min(rows, cols)
    size = (rows + cols) * width + (config.depth - 2) * width**2
    need(8 * 3 * size, f"An original network of {size:,} parameters")
    widths = [cols, *[width] * (config.depth - 1), rows]
    draw = generator("factors", config.seed_init)
    factors = drawn(widths, config.init_scale, config.initialization, draw)
    return Network(factors, config.alpha_original)
