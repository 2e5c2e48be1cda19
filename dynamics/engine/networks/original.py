"""Original network: as wide as the matrix or the features, random small factors"""

import torch

from dynamics.core.config import Config
from dynamics.data.published import DRAWN, start
from dynamics.engine.draws import generator, need
from dynamics.engine.factors import drawn
from dynamics.engine.network import Network
from dynamics.engine.problem import Task

WIDTH = "width"
START = "random"
ALPHA = "alpha_original"
READS = ("width", "initialization", "seed_init")


def build(config: Config, problem: Task) -> Network:
    """W_l = ε times a random orthogonal, normal or uniform matrix; all hidden widths are equal.

    Published matrices bring their own first factors, of the same kind.
    """
    if config.matrices != DRAWN:
        stored = start(config.matrices, config.problem, config.depth)
        return Network([config.init_scale * torch.from_numpy(factor) for factor in stored])
    rows, cols = problem.shape
    width = config.full_width
    size = (rows + cols) * width + (config.depth - 2) * width**2
    need(8 * 3 * size, f"An original network of {size:,} parameters")
    widths = [cols, *[width] * (config.depth - 1), rows]
    rng = generator("factors", config.seed_init)
    factors = drawn(widths, config.init_scale, config.initialization, rng)
    return Network(factors)
