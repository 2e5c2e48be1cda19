"""Completion: a fraction p of the entries of a low-rank matrix is seen"""

from torch import Tensor

from dynamics.core.config import Config
from dynamics.core.cost import listed
from dynamics.engine.draws import given, low_rank, mask, need
from dynamics.engine.losses.entries import kept_apart, sampled
from dynamics.engine.losses.masked import Masked
from dynamics.engine.problem import Recovery

READS = (
    "rows",
    "cols",
    "rank",
    "spectrum",
    "matrices",
    "observed",
    "noise",
    "validation",
    "seed_target",
    "seed_data",
    "seed_noise",
)


def make(config: Config, like: Tensor) -> Recovery:
    """½ mean((W − M*)²) over the observed entries that are not kept apart for validation."""
    if listed(config):
        size = config.rows * config.cols * config.observed
        need(size * 8 * 12, f"A completion of {size:,.0f} observed entries")
        target = low_rank(config)
        made: Recovery = sampled(config, target, like)
    else:
        need(config.rows * config.cols * 8 * 6, f"A {config.rows} × {config.cols} completion")
        target = low_rank(config)
        made = Masked(target.to(like), mask(config), given(config, target, like))
    made.apart = kept_apart(config, target, like)
    return made
