"""Problem: a loss of the end-to-end matrix W = W_L ⋯ W_1, and the surrogate matrix −∇loss(0).

Every problem here is (c/2)·‖A(W) − y‖² with a linear map A. A file of ``problems/`` makes one from
a Config; it states in ``READS`` which settings it reads and, if its data fix it, its ``SHAPE``.
"""

import functools
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

Matrix = Float[Tensor, "rows cols"]
Pull = tuple[Tensor, Tensor]  # the two factors of a product that nobody has multiplied yet
NEGLIGIBLE = 1e-12  # of the largest singular value: what rounding leaves where the rank is exact


@dataclass(frozen=True)
class Target:
    """M* and its first r singular triplets, M* ≈ left · diag(values) · right.

    ``exact`` says that these triplets are all of M*; only then may ``full`` be left out, which
    a matrix too large to hold needs.
    """

    left: Float[Tensor, "rows r"]
    values: Float[Tensor, " r"]
    right: Float[Tensor, "r cols"]
    full: Matrix | None = None
    exact: bool = True

    @classmethod
    def of(cls, matrix: Matrix, rank: int, exact: bool = True) -> "Target":
        """The target ``matrix`` with its first ``rank`` singular triplets."""
        left, values, right = torch.linalg.svd(matrix, full_matrices=False)
        exact = exact and bool((values[rank:] <= NEGLIGIBLE * values[0]).all())
        return cls(left[:, :rank], values[:rank], right[:rank], matrix, exact)

    @functools.cached_property
    def dense(self) -> Matrix:
        """M* itself; made from its factors where it was not kept."""
        return self.full if self.full is not None else self.left * self.values @ self.right

    @functools.cached_property
    def norm(self) -> Tensor:
        """‖M*‖_F."""
        return self.values.norm() if self.exact else self.dense.norm()

    def distance(self, left: Tensor, right: Tensor) -> Tensor:
        """‖left·right − M*‖_F of an exact target, from the parts in and outside its subspaces.

        No array of rows × cols is made and, unlike with Gram matrices, no digits cancel.
        """
        inside_left, inside_right = self.left.mT @ left, right @ self.right.mT
        outside_left = left - self.left @ inside_left
        outside_right = right - inside_right @ self.right
        # Only the sizes of the outer parts count: triangles of their QR decompositions carry them.
        left_size = torch.linalg.qr(outside_left, mode="r").R
        right_size = torch.linalg.qr(outside_right.mT, mode="r").R.mT
        parts = (
            inside_left @ inside_right - torch.diag(self.values),
            inside_left @ right_size,
            left_size @ inside_right,
            left_size @ right_size,
        )
        return torch.stack([part.norm() for part in parts]).norm()

    def to(self, like: Tensor) -> "Target":
        """The same target with the dtype and on the device of ``like``."""
        full = None if self.full is None else self.full.to(like)
        left, values, right = (part.to(like) for part in (self.left, self.values, self.right))
        return Target(left, values, right, full, self.exact)


@dataclass(frozen=True)
class Samples:
    """Observed entries row by row: row i has ``places`` and ``values`` starts[i] to starts[i+1]."""

    starts: Int[Tensor, " rows+1"]
    places: Int[Tensor, " entries"]
    values: Float[Tensor, " entries"]


class Problem(ABC):
    """What every problem offers to training and measuring; W is given as left · right.

    Attributes:
        shape: rows and columns of W.
        scale: c, so that ∇loss(W) = c · residual(W).
        curvature: c times what AᵀA multiplies a matrix by on average: −∇loss(0) ≈ curvature · M*.
        target: M*, or None where nobody knows it.
        measures: which held-out quantity ``test_loss`` is, in words.
    """

    shape: tuple[int, int]
    scale: float
    curvature: float
    target: Target | None
    measures: str

    @abstractmethod
    def residual(self, left: Tensor, right: Tensor) -> tuple[Tensor, Tensor]:
        """Aᵀ(A(left·right) − y) and its transpose, in buffers that the next call overwrites."""

    def pull(self, left: Tensor, right: Tensor) -> tuple[Pull, Pull]:
        """residual·rightᵀ and residualᵀ·left, each as the two factors of a product.

        A problem that can do without the residual matrix has others than these.
        """
        residual, transposed = self.residual(left, right)
        return (residual, right.mT), (transposed, left)

    @abstractmethod
    def train_loss(self, left: Tensor, right: Tensor) -> Tensor:
        """(c/2)·‖A(left·right) − y‖²: what gradient descent minimizes."""

    @abstractmethod
    def test_loss(self, left: Tensor, right: Tensor) -> Tensor:
        """The authors' held-out quantity, in memory of its own: steps may go on beside it."""

    @abstractmethod
    def operations(self, width: int) -> float:
        """Operations of ``residual`` and of its two products with factors of this width."""

    @abstractmethod
    def surrogate(self, count: int) -> tuple[Tensor, Tensor, Tensor]:
        """The first ``count`` singular triplets (left, values, right) of −∇loss(0)."""

    @property
    def samples(self) -> Samples | None:
        """The observed entries, where the loss is a mean over entries that can be listed."""
        return None

    @property
    def whole(self) -> Target | None:
        """M*, where the loss is (c/2)·‖W − M*‖² and the factors of M* are all of it."""
        return None

    @property
    def facts(self) -> dict[str, list[Any]]:
        """What charts and summaries say of the problem: a few numbers, and words in a list."""
        facts: dict[str, list[Any]] = {"test_loss": [self.measures]}
        if self.target is not None:
            facts["target_singular_values"] = self.target.values.tolist()
        return facts
