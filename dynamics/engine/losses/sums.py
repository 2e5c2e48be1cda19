"""Sums: losses that see weighted sums ⟨A_i, W⟩ of the entries of W, not the entries themselves."""

from abc import abstractmethod
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import torch
from jaxtyping import Float
from torch import Tensor

from dynamics.core import cost
from dynamics.core.finite import finite
from dynamics.engine.kernels.multiply import multiply
from dynamics.engine.problem import Pull, Recovery
from dynamics.engine.target import Matrix, Target

BLOCK_BYTES = 2**21  # bytes of A read together; the cache holds so many for a second use
WORTH_TWO = 2**24  # smallest count of numbers in A for which a second thread gains
Part = list[tuple[Tensor, Tensor]]  # blocks of rows of A, each with its part of y


class Sums(Recovery):
    """½ Σ_i (⟨A_i, W⟩ − y_i)²; ``test_loss`` is the relative Frobenius error."""

    target: Target
    measures = "‖W − M*‖_F / ‖M*‖_F"
    scale = 1.0

    def __init__(self, target: Target, shape: tuple[int, int], seen: Float[Tensor, " m"]) -> None:
        self.target = target
        self.shape = shape
        self.seen = seen
        self.curvature = 1 / len(seen)
        self._product = torch.empty(shape).to(seen)

    def test_loss(self, left: Tensor, right: Tensor) -> Tensor:
        """‖W − M*‖_F / ‖M*‖_F."""
        difference = torch.addmm(self.target.dense, left, right, beta=-1)
        return difference.norm() / self.target.norm

    def surrogate(self, count: int) -> tuple[Tensor, Tensor, Tensor]:
        """Singular triplets of Σ_i y_i A_i."""
        left, values, right = torch.linalg.svd(
            finite(self.weighted(self.seen)), full_matrices=False
        )
        return left[:, :count], values[:count], right[:count]

    @abstractmethod
    def weighted(self, weights: Float[Tensor, " m"]) -> Matrix:
        """Σ_i w_i A_i, in a buffer that the next call overwrites."""


class Dense(Sums):
    """Measurements by any matrices A_i, all of which are kept.

    One pass over the measurements computes residuals and gradient: a block of rows of A is
    multiplied by vec(W) and, while it is in cache, its transpose by the residuals. The rows are cut
    into two halves, for two threads, if the measurements are many.

    Args:
        target: M*.
        sensing: A_1, …, A_m.
        seen: y_1, …, y_m.
        release: called with each block of A after reading it; see ``gaussian_matrices.Matrices``.
    """

    def __init__(
        self,
        target: Target,
        sensing: Float[Tensor, "m rows cols"],
        seen: Float[Tensor, " m"],
        release: Callable[[Tensor], None] | None = None,
    ) -> None:
        super().__init__(target, (sensing.shape[1], sensing.shape[2]), seen)
        rows = max(1, BLOCK_BYTES // (sensing[0].numel() * seen.element_size()))
        self.matrix = sensing.reshape(len(seen), -1)
        self._release = release
        blocks = list(zip(torch.split(self.matrix, rows), torch.split(seen, rows), strict=True))
        middle = len(blocks) // 2 if self.matrix.numel() >= WORTH_TWO else 0
        self._parts = [part for part in (blocks[:middle], blocks[middle:]) if part]
        self._totals = torch.empty(len(self._parts), *self.shape).to(seen)
        # Each thread of the pool has torch threads of its own: one each, to avoid four in all.
        two = len(self._parts) > 1 and not seen.is_cuda
        self._pool = ThreadPoolExecutor(2, "sensing", torch.set_num_threads, (1,)) if two else None

    def residual(self, left: Tensor, right: Tensor) -> tuple[Tensor, Tensor]:
        """Σ_i (⟨A_i, left·right⟩ − y_i) A_i."""
        self._vector = multiply(left, right, out=self._product).view(-1)
        total, *others = self._totals
        if self._pool is None:
            for part, part_total in zip(self._parts, self._totals, strict=True):
                self._read(part, part_total)
        else:
            list(self._pool.map(self._read, self._parts, self._totals))
        for other in others:
            total.add_(other)
        return total, total.mT

    def _read(self, part: Part, into: Tensor) -> None:
        total = into.view(-1).zero_()
        for block, seen in self._blocks(part):
            total.addmv_(block.mT, torch.addmv(seen, block, self._vector, beta=-1))

    def _blocks(self, part: Part) -> Iterator[tuple[Tensor, Tensor]]:
        """Yields the blocks of a part, and releases each one after its use."""
        for block, seen in part:
            yield block, seen
            if self._release is not None:
                self._release(block)

    def train_loss(self, left: Tensor, right: Tensor) -> Tensor:
        """½ Σ_i (⟨A_i, W⟩ − y_i)²."""
        vector = torch.mm(left, right, out=self._product).view(-1)
        squares = (
            torch.addmv(seen, block, vector, beta=-1).square().sum()
            for part in self._parts
            for block, seen in self._blocks(part)
        )
        return torch.stack(list(squares)).sum() / 2

    def operations(self, width: int) -> float:
        """Operations of three products of rows × width × cols and two passes over A."""
        return cost.dense_sums(self.shape, len(self.seen), width)

    def weighted(self, weights: Float[Tensor, " m"]) -> Matrix:
        """Σ_i w_i A_i."""
        total = self._product.view(-1).zero_()
        done = 0
        for part in self._parts:
            for block, _ in self._blocks(part):
                total.addmv_(block.mT, weights[done : done + len(block)])
                done += len(block)
        return self._product


class RankOne(Sums):
    """Measurements by A_i = a_i b_iᵀ, kept as vectors: m (rows + cols) numbers.

    A narrow network needs no residual matrix: with the vectors as rows of A and B,

        ⟨A_i, X Y⟩ = Σ_k (A X)_ik (B Yᵀ)_ik,  R Yᵀ = Aᵀ (e ∘ B Yᵀ),  Rᵀ X = Bᵀ (e ∘ A X)

    for the residual matrix R = Σ_i e_i A_i.

    Args:
        target: M*.
        left: a_1, …, a_m.
        right: b_1, …, b_m.
        seen: y_1, …, y_m.
    """

    def __init__(
        self,
        target: Target,
        left: Float[Tensor, "m rows"],
        right: Float[Tensor, "m cols"],
        seen: Float[Tensor, " m"],
    ) -> None:
        super().__init__(target, (left.shape[1], right.shape[1]), seen)
        self._left, self._right = left, right

    def pull(self, left: Tensor, right: Tensor) -> tuple[Pull, Pull]:
        """R·rightᵀ and Rᵀ·left, each as the two factors of a product."""
        if not self._thin(left):
            return super().pull(left, right)
        left_sums, right_sums = self._left @ left, self._right @ right.mT
        error = ((left_sums * right_sums).sum(1) - self.seen)[:, None]
        return (self._left.mT, right_sums.mul_(error)), (self._right.mT, left_sums.mul_(error))

    def residual(self, left: Tensor, right: Tensor) -> tuple[Tensor, Tensor]:
        """Σ_i (⟨A_i, left·right⟩ − y_i) A_i."""
        residual = self.weighted(self._sums(left, right) - self.seen)
        return residual, residual.mT

    def train_loss(self, left: Tensor, right: Tensor) -> Tensor:
        """½ Σ_i (⟨A_i, W⟩ − y_i)²."""
        return (self._sums(left, right) - self.seen).square().sum() / 2

    def operations(self, width: int) -> float:
        """Operations of the products with A and B, or of those that make R, whichever are fewer."""
        return cost.rank_one_sums(self.shape, len(self.seen), width)

    def weighted(self, weights: Float[Tensor, " m"]) -> Matrix:
        """Σ_i w_i a_i b_iᵀ."""
        return multiply((self._left * weights[:, None]).mT, self._right, out=self._product)

    def _sums(self, left: Tensor, right: Tensor) -> Float[Tensor, " m"]:
        """⟨A_i, left·right⟩."""
        if self._thin(left):
            return ((self._left @ left) * (self._right @ right.mT)).sum(1)
        product = multiply(left, right, out=self._product)
        return ((self._left @ product) * self._right).sum(1)

    def _thin(self, left: Tensor) -> bool:
        return cost.thin(self.shape, len(self.seen), left.shape[1])
