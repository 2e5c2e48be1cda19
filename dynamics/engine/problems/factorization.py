"""Factorization: every entry of a low-rank matrix is seen"""

from torch import Tensor

from dynamics.core.config import Config
from dynamics.core.cost import factored
from dynamics.engine.draws import given, low_rank, need
from dynamics.engine.losses.low_rank import Whole
from dynamics.engine.losses.masked import Masked
from dynamics.engine.problem import Recovery

READS = ("rows", "cols", "rank", "spectrum", "matrices", "noise", "seed_target", "seed_noise")
SEEN = "all"
SUGGESTS = {
    "rows": 60,
    "cols": 60,
    "spectrum": "power-law",
    "learning_rate": 20.0,
    "alpha": 1.0,
}


def make(config: Config, like: Tensor) -> Recovery:
    """½ mean((W − M*)²), with noise on M* if the config has any."""
    if factored(config):
        return Whole(low_rank(config).to(like))
    need(config.rows * config.cols * 8 * 4, f"A {config.rows} × {config.cols} factorization")
    target = low_rank(config)
    return Masked(target.to(like), None, given(config, target, like))
