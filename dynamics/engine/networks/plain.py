"""Plain layer: W itself as the only factor, random and small"""

from dynamics.core.config import Config
from dynamics.engine.draws import generator
from dynamics.engine.factors import drawn
from dynamics.engine.network import Network
from dynamics.engine.problem import Task

CLASSIFIES = True
DEPTH = 1
START = "random"
ALPHA = "alpha_original"
READS = ("initialization", "seed_init")


def build(config: Config, problem: Task) -> Network:
    """W = ε times a random orthogonal, normal or uniform matrix, whatever L is."""
    rows, cols = problem.shape
    rng = generator("plain layer", config.seed_init)
    return Network(drawn([cols, rows], config.init_scale, config.initialization, rng))
