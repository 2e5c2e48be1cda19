"""Target: the matrix M* that a recovery problem looks for, and what is seen of it."""

import functools
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from dynamics.core.finite import NotFiniteError, finite

Matrix = Float[Tensor, "rows cols"]
NEGLIGIBLE = 1e-12  # share of the largest singular value up to which rounding explains a value


@dataclass(frozen=True)
class Target:
    """M* and its first r singular triplets, M* ≈ left · diag(values) · right.

    ``exact`` says that these triplets are all of M*. Only then may ``full`` be missing, as it is
    for a matrix too large for memory.
    """

    left: Float[Tensor, "rows r"]
    values: Float[Tensor, " r"]
    right: Float[Tensor, "r cols"]
    full: Matrix | None = None
    exact: bool = True

    @classmethod
    def of(cls, matrix: Matrix, rank: int, exact: bool = True) -> "Target":
        """The target ``matrix`` with its first ``rank`` singular triplets."""
        left, values, right = torch.linalg.svd(finite(matrix), full_matrices=False)
        exact = exact and bool((values[rank:] <= NEGLIGIBLE * values[0]).all())
        return cls(left[:, :rank], values[:rank], right[:rank], matrix, exact)

    @functools.cached_property
    def dense(self) -> Matrix:
        """M* itself, computed from its triplets if ``full`` is missing."""
        return self.full if self.full is not None else self.left * self.values @ self.right

    @functools.cached_property
    def norm(self) -> Tensor:
        """‖M*‖_F."""
        return self.values.norm() if self.exact else self.dense.norm()

    def distance(self, left: Tensor, right: Tensor) -> Tensor:
        """‖left·right − M*‖_F of an exact target, from the parts inside and outside its subspaces.

        No array of rows × cols is made and, unlike with Gram matrices, no digits cancel. NaN if a
        part is not finite.
        """
        inside_left, inside_right = self.left.mT @ left, right @ self.right.mT
        outside_left = left - self.left @ inside_left
        outside_right = right - inside_right @ self.right
        # Only the norms of the outside parts count, and triangles of QR decompositions keep them.
        try:
            left_size = torch.linalg.qr(finite(outside_left), mode="r").R
            right_size = torch.linalg.qr(finite(outside_right.mT), mode="r").R.mT
        except NotFiniteError:
            return left.new_tensor(torch.nan)
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
    """Observed entries by rows: row i has ``places`` and ``values`` from starts[i] to starts[i+1].

    ``places`` are columns, and the entry at starts[i+1] is the first of the next row.
    """

    starts: Int[Tensor, " rows+1"]
    places: Int[Tensor, " entries"]
    values: Float[Tensor, " entries"]
