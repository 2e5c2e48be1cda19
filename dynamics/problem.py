"""Problem: a loss of the end-to-end matrix W = W_L ⋯ W_1, and the surrogate matrix −∇loss(0).

Every problem here is (c/2)·‖A(W) − y‖² with a linear map A. A file of ``problems/`` makes one from
a Config; it states in ``READS`` which settings it reads and, if its data fix it, its ``SHAPE``.
"""

import functools
import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import psutil
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from dynamics import published
from dynamics.config import Config
from dynamics.factors import orthonormal
from dynamics.products import multiply

Matrix = Float[Tensor, "rows cols"]
Pull = tuple[Tensor, Tensor]  # the two factors of a product that nobody has multiplied yet
NEGLIGIBLE = 1e-12  # of the largest singular value: what rounding leaves where the rank is exact
BLOCK = 2**23  # random numbers drawn at once: 64 MiB, which the allocator gives back at once


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


class Masked(Problem):
    """½ mean over observed entries of (W − Y)²; with no mask, all entries are observed.

    ``test_loss`` is ½ the mean square of W − M* over the entries that are not observed, over all
    entries if none is left out.
    """

    target: Target

    def __init__(
        self,
        target: Target,
        mask: Bool[Tensor, "rows cols"] | None = None,
        given: Matrix | None = None,
    ) -> None:
        self.target, self.shape = target, (target.left.shape[0], target.right.shape[1])
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
        """M*, unless a mask, noise or a full rank stand between it and the loss."""
        return self.target if self._whole and self.target.exact else None

    @property
    def masked(self) -> tuple[Matrix, Matrix]:
        """The mask, as numbers, and mask ∘ −Y: the residual is mask ∘ W plus the latter."""
        shown = torch.ones_like(self._negative) if self._mask is None else self._mask
        return shown, self._negative

    @functools.cached_property
    def samples(self) -> Samples:
        """The observed entries with their values, in 32-bit places."""
        rows, cols = self.masked[0].nonzero(as_tuple=True)
        starts = torch.searchsorted(rows, torch.arange(self.shape[0] + 1).to(rows))
        return Samples(starts.int(), cols.int(), -self._negative[rows, cols])

    def train_loss(self, left: Tensor, right: Tensor) -> Tensor:
        """½ mean square over the observed entries."""
        return _square(self.residual(left, right)[0]) * (self.scale / 2)

    def test_loss(self, left: Tensor, right: Tensor) -> Tensor:
        """½ mean square over the unobserved entries, or over all if none is hidden."""
        difference = torch.addmm(self.target.dense, left, right, beta=-1)
        if self._hidden is not None:
            difference.mul_(self._hidden)
        hidden = difference.numel() - (0 if self._hidden is None else self.observed)
        return _square(difference) / (2 * hidden)

    def operations(self, width: int) -> float:
        """Three products of rows × width × cols."""
        return 6.0 * self.shape[0] * self.shape[1] * width

    def surrogate(self, count: int) -> tuple[Tensor, Tensor, Tensor]:
        """Singular triplets of c · mask ∘ Y."""
        left, values, right = torch.linalg.svd(-self.scale * self._negative, full_matrices=False)
        return left[:, :count], values[:count], right[:count]


def _square(matrix: Matrix) -> Tensor:
    """‖matrix‖_F²."""
    return torch.dot(matrix.view(-1), matrix.view(-1))


def generator(purpose: str, seed: int) -> torch.Generator:
    """Random numbers for one purpose, so that adding a draw elsewhere never shifts these."""
    digest = hashlib.sha256(f"{purpose}/{seed}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "big") >> 1)


def low_rank(config: Config) -> Target:
    """A random target of the config's rank and spectrum, in float64.

    ``top`` and ``spread`` take singular triplets of a Gaussian matrix: the first r, or those with
    numbers 0, d/(2r), 2d/(2r), …; ``flat`` and ``power-law`` have Haar-random singular vectors and
    values s, or s/i, with s = √rows + √cols, a Gaussian matrix's largest. Published matrices bring
    their own.
    """
    if config.matrices != published.DRAWN:
        matrix = torch.from_numpy(published.arrays(config.matrices)["target"])
        return Target.of(matrix, config.rank)
    draw, rank = generator("target", config.seed_target), config.rank
    rows, cols = config.shape
    if config.spectrum in ("flat", "power-law"):
        index = torch.arange(1, rank + 1, dtype=torch.float64)
        values = torch.full_like(index, rows**0.5 + cols**0.5)
        values = values if config.spectrum == "flat" else values / index
        return Target(orthonormal(rows, rank, draw), values, orthonormal(rank, cols, draw))
    need(rows * cols * 8 * 5, f"The {config.spectrum} spectrum of a {rows} × {cols} matrix")
    gaussian = torch.randn(rows, cols, generator=draw, dtype=torch.float64)
    left, values, right = torch.linalg.svd(gaussian, full_matrices=False)
    stride = min(rows, cols) / (2 * rank) if config.spectrum == "spread" else 1
    kept = [int(i * stride) for i in range(rank)]
    return Target(left[:, kept].contiguous(), values[kept], right[kept].contiguous())


def mask(config: Config) -> Bool[Tensor, "rows cols"]:
    """Which entries are observed: each with probability p, at least one, or as published."""
    if config.matrices != published.DRAWN:
        return torch.from_numpy(published.arrays(config.matrices)["mask"]).bool()
    observed = torch.cat([block for _, block, _ in blocks(config)])
    if not observed.any():
        observed[0, 0] = True
    return observed


def blocks(config: Config) -> Iterator[tuple[int, Bool[Tensor, "some cols"], Matrix | float]]:
    """What whole matrices would hold, some rows at a time: first row, mask, noise (0. if none).

    The numbers are those of ``mask`` and ``noise``.
    """
    rows, cols = config.shape
    draw, draw_noise = generator("mask", config.seed_data), generator("noise", config.seed_noise)
    for start, stop in spans(rows, cols):
        shape = (stop - start, cols)
        observed = torch.rand(shape, generator=draw, dtype=torch.float64) < config.observed
        yield start, observed, _normal(config, shape, draw_noise) if config.noise else 0.0


def spans(rows: int, each: int) -> Iterator[tuple[int, int]]:
    """First row and end of blocks of about BLOCK numbers, in which rows of ``each`` are drawn.

    A generator gives the same normal numbers in blocks of 16 rows or a multiple as at once, if the
    last block is no smaller.
    """
    size = max(16, BLOCK // each // 16 * 16)
    return pairwise([*range(0, max(rows - size, 1), size), rows])


def noise(config: Config, *shape: int) -> Tensor:
    """Gaussian noise of the config's standard deviation."""
    return _normal(config, shape, generator("noise", config.seed_noise))


def _normal(config: Config, shape: tuple[int, ...], draw: torch.Generator) -> Tensor:
    return config.noise * torch.randn(shape, generator=draw, dtype=torch.float64)


def given(config: Config, target: Target, like: Tensor) -> Matrix | None:
    """M* with the config's noise on it, or None if there is no noise."""
    if not config.noise:
        return None
    return (target.dense + noise(config, *config.shape)).to(like)


def need(size: float, what: str) -> None:
    """Refuse what does not fit into memory before the machine starts to swap.

    Raises:
        MemoryError: with a sentence, if less than ``size`` bytes are free.
    """
    free = psutil.virtual_memory().available
    if size > free:
        raise MemoryError(
            f"{what} needs {size / 1e9:.1f} GB of memory, and {free / 1e9:.1f} GB are free; "
            "a smaller one would fit."
        )
