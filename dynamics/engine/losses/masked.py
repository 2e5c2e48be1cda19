"""Masked loss: half the mean square over the observed entries of a dense matrix."""

import functools

import torch
from jaxtyping import Bool
from torch import Tensor

from dynamics.core.finite import finite
from dynamics.engine.kernels.multiply import multiply
from dynamics.engine.problem import Recovery
from dynamics.engine.target import Matrix, Samples, Target


class Masked(Recovery):
    """½ mean over the observed entries of (W − Y)²; without a mask, all entries are observed.

    ``test_loss`` is ½ the mean square of W − M* over the unobserved entries, or over all entries if
    all are observed.
    """

    target: Target

    def __init__(
        self,
        target: Target,
        mask: Bool[Tensor, "rows cols"] | None = None,
        given: Matrix | None = None,
    ) -> None:
        self.target = target
        self.shape = (target.left.shape[0], target.right.shape[1])
        self._mask = None if mask is None else mask.to(target.left)
        self._whole = mask is None and given is None
        given = target.dense if given is None else given
        self._negative = -given if self._mask is None else -given * self._mask
        self.observed = float(given.numel() if mask is None else mask.sum())
        self.scale = 1 / self.observed
        self.curvature = 1 / given.numel()
        hidden = mask is not None and self.observed < given.numel()
        self._hidden = (1 - self._mask) if hidden and self._mask is not None else None
        self.measures = "½ mean square, " + ("unobserved" if hidden else "all") + " entries"
        self._residual = torch.empty_like(given)

    def residual(self, left: Tensor, right: Tensor) -> tuple[Tensor, Tensor]:
        """mask ∘ (left·right − Y)."""
        residual = self._residual
        if self._mask is None:
            multiply(left, right, out=residual).add_(self._negative)
        else:
            multiply(left, right, out=residual)
            torch.addcmul(self._negative, residual, self._mask, out=residual)
        return residual, residual.mT

    @property
    def whole(self) -> Target | None:
        """M*; None with a mask, with noise, or if the target's triplets are not all of M*."""
        return self.target if self._whole and self.target.exact else None

    @property
    def masked(self) -> tuple[Matrix, Matrix]:
        """The mask as numbers, and −mask ∘ Y; the residual is mask ∘ W − mask ∘ Y."""
        mask = torch.ones_like(self._negative) if self._mask is None else self._mask
        return mask, self._negative

    @functools.cached_property
    def samples(self) -> Samples:
        """The observed entries with their values; places are 32-bit integers."""
        rows, cols = self.masked[0].nonzero(as_tuple=True)
        starts = torch.searchsorted(rows, torch.arange(self.shape[0] + 1).to(rows))
        return Samples(starts.int(), cols.int(), -self._negative[rows, cols])

    def train_loss(self, left: Tensor, right: Tensor) -> Tensor:
        """½ mean square over the observed entries."""
        return _square(self.residual(left, right)[0]) * (self.scale / 2)

    def test_loss(self, left: Tensor, right: Tensor) -> Tensor:
        """½ mean square over the unobserved entries, or over all if all are observed."""
        difference = torch.addmm(self.target.dense, left, right, beta=-1)
        if self._hidden is not None:
            difference.mul_(self._hidden)
        hidden = difference.numel() - (0 if self._hidden is None else self.observed)
        return _square(difference) / (2 * hidden)

    def operations(self, width: int) -> float:
        """Operations of three products of rows × width × cols."""
        return 6.0 * self.shape[0] * self.shape[1] * width

    def surrogate(self, count: int) -> tuple[Tensor, Tensor, Tensor]:
        """Singular triplets of c · mask ∘ Y."""
        left, values, right = torch.linalg.svd(
            finite(-self.scale * self._negative), full_matrices=False
        )
        return left[:, :count], values[:count], right[:count]


def _square(matrix: Matrix) -> Tensor:
    """‖matrix‖_F²."""
    return torch.dot(matrix.view(-1), matrix.view(-1))
