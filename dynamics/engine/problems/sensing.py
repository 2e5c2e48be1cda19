"""Sensing: weighted sums of a low-rank matrix's entries are seen"""

from collections.abc import Callable

import torch
from torch import Tensor

from dynamics.core.config import Config
from dynamics.engine.draws import generator, low_rank, need, noise
from dynamics.engine.losses import gaussian_matrices
from dynamics.engine.losses.sums import Dense, RankOne
from dynamics.engine.problem import Recovery

READS = (
    "rows",
    "cols",
    "rank",
    "spectrum",
    "measurements",
    "sensing",
    "noise",
    "seed_target",
    "seed_data",
    "seed_noise",
)
SEEN = "sums"
SUGGESTS = {
    "rows": 30,
    "cols": 30,
    "rank": 3,
    "rank_bound": 6,
    "measurements": 600,
    "learning_rate": 4.0,
    "alpha": 1.0,
    "record_every": 20,
}


def fetch(config: Config, like: Tensor, report: Callable[[str], None]) -> None:
    """Write Gaussian measurements to their file if they are kept in a file."""
    if gaussian_matrices.filed(config, like):
        gaussian_matrices.written(config, like.dtype, report)


def make(config: Config, like: Tensor) -> Recovery:
    """A_i = G_i/m with Gaussian G_i, or a_i b_iᵀ/m with Gaussian vectors; y_i = ⟨A_i, M*⟩.

    Noise is added to ⟨m A_i, M*⟩, so its σ is in units of an entry.
    """
    if config.sensing == "rank-one":
        return _rank_one(config, like)
    # This comes first, because it raises at once if the matrices do not fit.
    matrices = gaussian_matrices.held(config, like)
    target = low_rank(config)
    seen = matrices.sums(target.dense.view(-1).to(like.device)) + _noise(config, like)
    sensing = matrices.rows.view(-1, *config.shape)
    return Dense(target.to(like), sensing, seen.to(like), matrices.release)


def _rank_one(config: Config, like: Tensor) -> RankOne:
    """Measurements by a_i and b_i with entries of variance 1/m: A_i is as large as if Gaussian."""
    rows, cols = config.shape
    count = config.measurements
    need(count * (rows + cols) * 8 * 2.2, f"Sensing {rows} × {cols} by {count:,} rank-one sums")
    target = low_rank(config)
    rng = generator("rank-one measurements", config.seed_data)
    left, right = (
        (torch.randn(count, side, generator=rng, dtype=torch.float64) / count**0.5).to(like)
        for side in (rows, cols)
    )
    target_left = (target.left * target.values).to(like.device)
    target_right = target.right.to(like.device)
    sums = ((left.double() @ target_left) * (right.double() @ target_right.mT)).sum(1)
    seen = sums + _noise(config, like)
    return RankOne(target.to(like), left, right, seen.to(like))


def _noise(config: Config, like: Tensor) -> Tensor:
    """σ n_i/m, in float64."""
    return noise(config, config.measurements).to(like.device) / config.measurements
