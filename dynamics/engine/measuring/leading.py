"""Leading: the first singular triplets of a wide matrix by a randomized method, and their error.

Block power iteration from a fixed random start, with a few more columns than values are asked for.
Halko, Martinsson and Tropp (2011), algorithm 4.4. The same matrix has the same numbers each time;
with what was known of it some steps before, one pass is enough, and passes add up over a run.
"""

import functools
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from dynamics.core.finite import finite
from dynamics.engine.draws import generator

MORE = 10  # columns beyond the values that are asked for
ITERATIONS = 2  # products with AᵀA before the projection
FRESH = 4  # random columns beside those that were known before, for what is new
PROBES = 6  # random columns that look for what the triplets miss
CHECKS = 3  # most products with the rest and its transpose
RESTS = 0.005  # share by which that estimate may grow where another product is not worth it
MARGIN = 0.01  # share by which the estimate of the rest's norm may be too small


class Triplets(NamedTuple):
    """The first singular triplets of a matrix A: A ≈ left · diag(values) · right."""

    left: Float[Tensor, "rows n"]
    values: Float[Tensor, " n"]
    right: Float[Tensor, "n cols"]

    def first(self, count: int) -> "Triplets":
        """The first ``count`` of them."""
        return Triplets(self.left[:, :count], self.values[:count], self.right[:count])


def leading(
    matrix: Float[Tensor, "rows cols"], count: int, before: Triplets | None = None
) -> Triplets:
    """The first ``count`` singular triplets and MORE that are less exact; all of a thin matrix.

    No value is larger than the true one of its place, but for rounding. Values that stand out from
    those after them are exact at once; a slow decay makes them too small, see ``error``.

    Args:
        matrix: A.
        count: how many.
        before: what this function found for a matrix that was hardly different, such as the same
            weights some steps ago. It saves two thirds of the work, and a matrix that rests has
            better values each time.

    Raises:
        NotFiniteError: if an entry is not finite.
    """
    width = count + MORE
    rows, cols = matrix.shape
    if width >= min(rows, cols):
        return Triplets(*torch.linalg.svd(finite(matrix), full_matrices=False))
    # Without zeros: a product with it is finite only if the matrix is.
    random = _random(cols, width).to(matrix)
    if before is None:
        block = matrix @ random
        for _ in range(ITERATIONS):
            block = matrix @ _basis(matrix.mT @ _basis(block))
    else:
        known = before.right[: width - FRESH].mT.to(matrix)
        block = matrix @ torch.cat([known, random[:, :FRESH]], dim=1)
    basis = _basis(block)
    inner, triangle = torch.linalg.qr(finite(matrix.mT @ basis))
    right, values, left = torch.linalg.svd(finite(triangle), full_matrices=False)
    return Triplets(basis @ left.mT, values, (inner @ right).mT)


def error(matrix: Float[Tensor, "rows cols"], triplets: Triplets, count: int) -> Float[Tensor, ""]:
    """How far the first ``count`` values are too small at most, of a ``leading`` matrix.

    With first = U S Vᵀ and Uᵀ A = S Vᵀ, in bases that begin with U and V, A is [[S, 0], [Y, Z]]
    with Y = (A − U S Vᵀ) V. By Weyl's inequality σ_i(A) − s_i ≤ ‖Y‖ + max(0, ‖Z‖ − s_i), and
    σ_i(A)² − s_i² ≤ ‖Y‖² + ‖Z‖². ‖Y‖ is exact; ‖Z‖ is estimated from the triplets beyond and random
    columns of its own, from below but for MARGIN: equal values are told to be so to 1 %.
    """
    if len(triplets.values) == min(matrix.shape):
        return matrix.new_zeros(())
    left, values, _ = triplets.first(count)
    known = triplets.right.mT
    random = _random(len(known), min(PROBES, len(known) - known.shape[1]), "probes").to(matrix)
    probes = _basis(random - known @ (known.mT @ random))
    image = matrix @ torch.cat([known, probes], dim=1)
    outside = image[:, :count] - left * values
    coupling = _norm(outside)
    rest = _norm_of_rest(matrix, triplets, count, image[:, count:])
    linear = coupling + (rest - values).clamp(min=0)
    together = (values**2 + coupling**2 + rest**2).sqrt() - values
    return torch.minimum(linear, together).max()


def _norm_of_rest(
    matrix: Tensor, triplets: Triplets, count: int, image: Float[Tensor, "rows n"]
) -> Tensor:
    """‖(I − U Uᵀ) A (I − V Vᵀ)‖, by block power iteration until it hardly grows.

    It begins at the next value, which is no larger, and to which a norm that is known has grown.
    ``image`` is that of some unit vectors orthogonal to V and to one another.
    """
    left, _, right = triplets.first(count)
    size = triplets.values[count]
    for check in range(1, CHECKS + 1):
        image = image - left @ (left.mT @ image)
        grown = _norm(image)
        if check == CHECKS or grown <= size * (1 + RESTS):
            return torch.maximum(size, grown) * (1 + MARGIN)
        size = torch.maximum(size, grown)
        block = matrix.mT @ image
        image = matrix @ _basis(block - right.mT @ (right @ block))
    raise AssertionError


def _norm(block: Float[Tensor, "rows n"]) -> Tensor:
    """The largest singular value of a thin matrix."""
    return torch.linalg.eigvalsh(finite(block.mT @ block))[-1].clamp(min=0).sqrt()


def _basis(block: Tensor) -> Tensor:
    return torch.linalg.qr(finite(block)).Q


@functools.lru_cache(maxsize=16)
def _random(rows: int, cols: int, purpose: str = "leading") -> Tensor:
    return torch.randn(rows, cols, generator=generator(purpose, 0), dtype=torch.float64)
