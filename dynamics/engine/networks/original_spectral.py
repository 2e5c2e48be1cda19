"""Original network with spectral start: wide, started at the surrogate's singular vectors"""

from dynamics.core.config import Config
from dynamics.engine.draws import need
from dynamics.engine.factors import spectral
from dynamics.engine.network import Network
from dynamics.engine.problem import Task

WIDTH = "width"
START = "spectral"
ALPHA = "alpha_original"
READS = ("width",)


def build(config: Config, problem: Task) -> Network:
    """W_1 = ε V̂ᵀ, inner factors ε I, W_L = ε Û with all singular vectors, as wide as the original.

    Hidden units beyond the smaller side of the matrix have no singular vector: they start and stay
    at zero.
    """
    rows, cols = problem.shape
    width = config.full_width
    size = (rows + cols) * width + (config.depth - 2) * width**2
    need(8 * 3 * size, f"An original network of {size:,} parameters")
    left, _, right = problem.surrogate(min(width, rows, cols))
    return Network(spectral(left, right, config.depth, config.init_scale, width))
