"""Sensing: weighted sums of a low-rank matrix's entries are seen"""

from concurrent.futures import ThreadPoolExecutor

import torch
from jaxtyping import Float
from torch import Tensor

from dynamics.config import Config
from dynamics.problem import Problem, Target, generator, low_rank, need, noise
from dynamics.products import multiply

READS = (
    "rows",
    "cols",
    "rank",
    "spectrum",
    "measurements",
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
BLOCK_BYTES = 2**21  # of measurements read at once, so that their second use finds them in cache
WORTH_TWO = 2**24  # numbers in A from which a second thread is worth its calls


class Sensing(Problem):
    """½ Σ_i (⟨A_i, W⟩ − y_i)²; ``test_loss`` is the relative Frobenius error.

    One pass over the measurements gives residuals and gradient: a block of rows of A is multiplied
    by vec(W) and, while it is in cache, its transpose by the residuals. The rows are cut into two
    halves, which two threads read if torch has two; the result is the same to the last digit.
    """

    measures = "‖W − M*‖_F / ‖M*‖_F"
    scale = 1.0

    def __init__(
        self, target: Target, sensing: Float[Tensor, "m rows cols"], seen: Float[Tensor, " m"]
    ) -> None:
        self.target, self.shape = target, (sensing.shape[1], sensing.shape[2])
        self.curvature = 1 / len(seen)
        self.seen = seen
        self._product = torch.empty(self.shape).to(seen)
        rows = max(1, BLOCK_BYTES // (sensing[0].numel() * seen.element_size()))
        self.matrix = sensing.reshape(len(seen), -1)
        self._blocks = list(
            zip(torch.split(self.matrix, rows), torch.split(seen, rows), strict=True)
        )
        middle = len(self._blocks) // 2 if self.matrix.numel() >= WORTH_TWO else 0
        self._parts = [part for part in (self._blocks[:middle], self._blocks[middle:]) if part]
        self._totals = torch.empty(len(self._parts), *self.shape).to(seen)
        # A thread of ours has torch's thread count to itself: one each, or they would be four.
        two = torch.get_num_threads() > 1 and len(self._parts) > 1 and not seen.is_cuda
        self._pool = ThreadPoolExecutor(2, "sensing", torch.set_num_threads, (1,)) if two else None

    def residual(self, left: Tensor, right: Tensor) -> tuple[Tensor, Tensor]:
        """Σ_i (⟨A_i, left·right⟩ − y_i) A_i."""
        self._vector = multiply(left, right, out=self._product).view(-1)
        total, *others = self._totals
        list((map if self._pool is None else self._pool.map)(self._read, self._parts, self._totals))
        for other in others:
            total.add_(other)
        return total, total.mT

    def _read(self, part: list[tuple[Tensor, Tensor]], into: Tensor) -> None:
        total = into.view(-1).zero_()
        for block, seen in part:
            total.addmv_(block.mT, torch.addmv(seen, block, self._vector, beta=-1))

    def train_loss(self, left: Tensor, right: Tensor) -> Tensor:
        """½ Σ_i (⟨A_i, W⟩ − y_i)²."""
        vector = torch.mm(left, right, out=self._product).view(-1)
        squares = (
            torch.addmv(seen, block, vector, beta=-1).square().sum() for block, seen in self._blocks
        )
        return torch.stack(list(squares)).sum() / 2

    def test_loss(self, left: Tensor, right: Tensor) -> Tensor:
        """‖W − M*‖_F / ‖M*‖_F."""
        assert self.target is not None
        difference = torch.addmm(self.target.dense, left, right, beta=-1)
        return difference.norm() / self.target.norm

    def operations(self, width: int) -> float:
        """Three products of rows × width × cols and two passes over the measurements."""
        rows, cols = self.shape
        return 6.0 * rows * cols * width + 4.0 * len(self.seen) * rows * cols

    def surrogate(self, count: int) -> tuple[Tensor, Tensor, Tensor]:
        """Singular triplets of Σ_i y_i A_i."""
        total = torch.zeros_like(self._product).view(-1)
        for block, seen in self._blocks:
            total.addmv_(block.mT, seen)
        left, values, right = torch.linalg.svd(total.view(self.shape), full_matrices=False)
        return left[:, :count], values[:count], right[:count]


def make(config: Config, like: Tensor) -> Problem:
    """A_i = G_i/m with Gaussian G_i; y_i = ⟨A_i, M*⟩, with noise on ⟨G_i, M*⟩."""
    count, (rows, cols) = config.measurements, config.shape
    need(count * rows * cols * 8 * 1.1, f"Sensing {rows} × {cols} by {count} dense measurements")
    target = low_rank(config)
    draw = generator("measurements", config.seed_data)
    sensing = torch.randn(count, rows, cols, generator=draw, dtype=torch.float64).div_(count)
    seen = sensing.view(count, -1) @ target.dense.reshape(-1)
    seen += noise(config, count) / count
    return Sensing(target.to(like), sensing.to(like), seen.to(like))
