"""Factors W_1, …, W_L of a deep linear network: their product and their start values."""

from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Generator, Tensor
from torch.nn.functional import pad

from dynamics.core.finite import finite

Factors = list[Tensor]  # [W_1, …, W_L]; the shape of W_l is (*runs, width_l, width_(l-1))


def product(factors: Factors) -> Float[Tensor, "*runs rows cols"]:
    """The end-to-end matrix W_L ⋯ W_1, multiplied from the narrower side."""
    if len(factors) == 1:
        return factors[0]
    if factors[0].shape[-1] < factors[-1].shape[-2]:
        right = factors[0]
        for factor in factors[1:]:
            right = factor @ right
        return right
    left = factors[-1]
    for factor in reversed(factors[:-1]):
        left = left @ factor
    return left


def halves(factors: Factors) -> tuple[Tensor, Tensor]:
    """W_L, and W_(L−1) ⋯ W_1 or, for a single factor, the identity: their product is W."""
    *before, last = factors
    if before:
        return last, product(before)
    return last, torch.eye(last.shape[-1]).to(last)


def drawn(widths: list[int], scale: float, distribution: str, generator: Generator) -> Factors:
    """Original network: ε times random m × n matrices with E‖·‖²_F = min(m, n).

    ``widths`` are cols, the hidden widths and rows. ``orthogonal``: the first rows or columns of a
    Haar-orthogonal matrix with max(m, n) rows. ``normal`` and ``uniform``: independent entries of
    variance min(m, n)/(mn), so the norm is the same in the mean square. Kwon et al. (2024),
    section 4.

    Raises:
        ValueError: if the distribution is unknown.
    """
    if distribution not in DISTRIBUTIONS:
        raise ValueError(f"{distribution!r} is not one of {', '.join(DISTRIBUTIONS)}.")
    draw = DISTRIBUTIONS[distribution]
    return [scale * draw(rows, cols, generator) for cols, rows in pairwise(widths)]


def spectral(
    left: Float[Tensor, "rows count"],
    right: Float[Tensor, "count cols"],
    depth: int,
    scale: float,
    width: int = 0,
) -> Factors:
    """Compressed network: spectral initialization from the surrogate's first singular vectors.

    W_1 = ε V̂ᵀ, inner factors ε I and W_L = ε Û: (rows + cols) r̂ + (L − 2) r̂² parameters. Only the
    singular subspaces matter, so the surrogate's scale does not. Kwon et al. (2024), section 4.

    A ``width`` above the number of singular vectors adds hidden units that start at zero on both
    sides. Their gradients are zero, so they stay there.

    Raises:
        ValueError: if ``depth`` is below 2 or the sides do not share one width.
    """
    count = left.shape[-1]
    if depth < 2 or right.shape[-2] != count:
        raise ValueError(f"no {depth} factors between {tuple(left.shape)} and {tuple(right.shape)}")
    spare = max(0, width - count)
    left, right = pad(left, (0, spare)), pad(right, (0, 0, 0, spare))
    inner = [torch.eye(count + spare).to(left) for _ in range(depth - 2)]
    return [scale * factor for factor in (right, *inner, left)]


def truncated(factors: Factors, width: int) -> Factors:
    """Factors of ``width`` with which a compressed network continues from these wider factors.

    Let V be the first right singular vectors of W = W_L ⋯ W_1, let B_0 = V, and let
    W_l B_(l−1) = B_l R_l be QR decompositions. The factors are R_1 Vᵀ, R_2, …, R_(L−1) and B_L R_L.

    Their product is W V Vᵀ, exactly the best approximation of W of this rank, whatever the factors
    are. Each has the singular values of the wide factor on the kept directions. If all wide factors
    share their modes, as after an orthogonal start and for a full target, the R_l are diagonal and
    hold the values of the modes. Gradient descent with the same α then follows the wide network up
    to the part that was cut off: singular values of about ε^L once all modes have risen. Modes
    that have not risen yet lose a part of their start.

    Raises:
        ValueError: if a factor is narrower than ``width``.
    """
    narrowest = min(side for factor in factors for side in factor.shape)
    if width > narrowest:
        raise ValueError(f"factors {narrowest} wide cannot be compressed to {width}")
    right = torch.linalg.svd(finite(product(factors)), full_matrices=False)[2][:width]
    basis = right.mT
    kept = []
    for factor in factors:
        basis, triangle = torch.linalg.qr(finite(factor @ basis))
        signs = torch.where(triangle.diagonal() < 0, -1.0, 1.0).to(triangle)
        basis = basis * signs
        kept.append(signs[:, None] * triangle)
    return [kept[0] @ right, *kept[1:-1], basis @ kept[-1]]


def orthonormal(rows: int, cols: int, generator: Generator) -> Float[Tensor, "rows cols"]:
    """The first rows or columns of a Haar-orthogonal matrix, in float64.

    The columns of a thin QR decomposition of a Gaussian matrix, with their signs fixed, have the
    same distribution as the first columns of a full decomposition.
    """
    gaussian = _gaussian(max(rows, cols), min(rows, cols), generator)
    columns, triangle = torch.linalg.qr(finite(gaussian))
    columns = columns * torch.sign(torch.diagonal(triangle))
    return columns if rows >= cols else columns.mT


def _normal(rows: int, cols: int, generator: Generator) -> Tensor:
    return _gaussian(rows, cols, generator) * (min(rows, cols) / (rows * cols)) ** 0.5


def _uniform(rows: int, cols: int, generator: Generator) -> Tensor:
    entries = 2 * torch.rand(rows, cols, generator=generator, dtype=torch.float64) - 1
    return entries * (3 * min(rows, cols) / (rows * cols)) ** 0.5


def _gaussian(rows: int, cols: int, generator: Generator) -> Tensor:
    return torch.randn(rows, cols, generator=generator, dtype=torch.float64)


DISTRIBUTIONS = {"orthogonal": orthonormal, "normal": _normal, "uniform": _uniform}
