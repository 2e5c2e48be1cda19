"""Entries: a masked loss that reads the observed entries only.

Memory is O(|Ω| + (rows + cols)·r̂) and a step O(|Ω|·r̂): no array of rows × cols is ever made.
"""

import functools
import math
from collections.abc import Callable, Iterable, Sequence

import numpy as np
import torch
from jaxtyping import Float, Int
from scipy.sparse import csr_matrix
from scipy.sparse.linalg import svds
from threadpoolctl import threadpool_limits
from torch import Tensor

from dynamics.core.config import Config
from dynamics.core.finite import finite
from dynamics.data.folder import DataError
from dynamics.engine.draws import apart, blocks
from dynamics.engine.problem import Recovery
from dynamics.engine.target import Samples, Target

Indices = Int[Tensor, "2 entries"]
Values = Float[Tensor, " entries"]


class Pattern:
    """Sparse matrices with the same nonzero places, stored by rows and, transposed, by columns."""

    def __init__(self, places: Indices, values: Values, shape: tuple[int, int]) -> None:
        rows, cols = places
        order = (rows * shape[1] + cols).argsort()
        rows, cols = rows[order], cols[order]
        self.values = values[order].contiguous()
        self.negative = _csr(rows, cols, -self.values, shape)
        self.residual = _csr(rows, cols, torch.empty_like(self.values), shape)
        self._transposition = (cols * shape[0] + rows).argsort()
        cols, rows = cols[self._transposition], rows[self._transposition]
        self.transposed = _csr(cols, rows, torch.empty_like(self.values), (shape[1], shape[0]))

    def misfit(self, left: Tensor, right: Tensor) -> Values:
        """left·right − values at the places, in new memory."""
        # Only the sampled entries of the product are computed.
        return torch.sparse.sampled_addmm(self.negative, left, right).values()

    def fill(self, left: Tensor, right: Tensor) -> Values:
        """Writes ``misfit`` into ``residual`` and returns the values."""
        torch.sparse.sampled_addmm(self.negative, left, right, out=self.residual)
        return self.residual.values()

    def fill_both(self, left: Tensor, right: Tensor) -> tuple[Tensor, Tensor]:
        """Writes ``misfit`` into ``residual`` and ``transposed``, and returns both."""
        values = self.fill(left, right)
        torch.index_select(values, 0, self._transposition, out=self.transposed.values())
        return self.residual, self.transposed


class Entries(Recovery):
    """½ mean over the observed entries of (W − Y)².

    ``test_loss`` is ½ the mean square over the held-out entries if any exist, otherwise over
    all unobserved entries, as ‖W − M*‖² minus the observed part.

    Args:
        shape: rows and columns.
        observed: places and values Y.
        held_out: places and values for ``test_loss``; None for all unobserved entries.
        target: M*, of which only the triplets are used; None if it is unknown.
        noise: Y − M* at the observed places, in their order; None without noise.
    """

    def __init__(
        self,
        shape: tuple[int, int],
        observed: tuple[Indices, Values],
        held_out: tuple[Indices, Values] | None = None,
        target: Target | None = None,
        noise: Values | None = None,
    ) -> None:
        self.shape = shape
        self.target = target
        self._noise = noise
        self.observed = Pattern(*observed, shape)
        self._held_out = None if held_out is None else Pattern(*held_out, shape)
        self.scale = 1 / len(self.observed.values)
        self.curvature = 1 / (shape[0] * shape[1])
        which = "unobserved" if held_out is None else "held-out"
        self.measures = f"½ mean square, {which} entries"

    @property
    def samples(self) -> Samples:
        """The observed entries."""
        pattern = self.observed.negative
        return Samples(pattern.crow_indices(), pattern.col_indices(), self.observed.values)

    def residual(self, left: Tensor, right: Tensor) -> tuple[Tensor, Tensor]:
        """Sparse: left·right − Y at the observed places."""
        return self.observed.fill_both(left, right)

    def train_loss(self, left: Tensor, right: Tensor) -> Tensor:
        """½ mean square over the observed entries."""
        return self.observed.fill(left, right).square().mean() / 2

    def test_loss(self, left: Tensor, right: Tensor) -> Tensor:
        """½ mean square over the held-out or the unobserved entries; NaN if none exist."""
        if self._held_out is not None:
            return self._held_out.misfit(left, right).square().mean() / 2
        assert self.target is not None
        residual = self.observed.misfit(left, right)
        error = residual if self._noise is None else residual + self._noise
        hidden = self.shape[0] * self.shape[1] - len(error)
        total = self.target.distance(left, right).square() - error.square().sum()
        return total.clamp(min=0) / hidden / 2 if hidden else total.new_tensor(torch.nan)

    def operations(self, width: int) -> float:
        """Operations of three passes over the observed entries, 2 · ``width`` for each entry."""
        return 6.0 * len(self.observed.values) * width

    def surrogate(self, count: int) -> tuple[Tensor, Tensor, Tensor]:
        """Singular triplets of c · Y, by Lanczos iteration from a fixed start on one thread."""
        left, values, right = self._triplets(count)
        return left, self.scale * values, right

    @functools.cached_property
    def _matrix(self) -> csr_matrix:
        """Y, zero where nothing was observed."""
        negative = self.observed.negative
        parts = (negative.values(), negative.col_indices(), negative.crow_indices())
        values, cols, rows = (part.cpu().numpy() for part in parts)
        return csr_matrix((-values.astype(float), cols, rows), shape=self.shape)

    @functools.cached_property
    def _triplets(self) -> Callable[[int], tuple[Tensor, Tensor, Tensor]]:
        """``_decomposed``, which remembers its last two results."""
        return functools.lru_cache(maxsize=2)(self._decomposed)

    def _decomposed(self, count: int) -> tuple[Tensor, Tensor, Tensor]:
        """The first ``count`` singular triplets of Y."""
        with threadpool_limits(1, "blas"):  # more threads would change the last digits
            if count >= min(self.shape) - 1:  # Lanczos iteration cannot find so many triplets
                left, values, right = np.linalg.svd(
                    finite(self._matrix.toarray()), full_matrices=False
                )
            else:
                left, values, right = svds(finite(self._matrix), k=count, rng=0)
        order = values.argsort()[::-1][:count]
        parts = (left[:, order], values[order], right[order])
        like = self.observed.values
        first, second, third = (torch.from_numpy(part).to(like) for part in parts)
        return first, second, third


def _csr(rows: Tensor, cols: Tensor, values: Values, shape: tuple[int, int]) -> Tensor:
    starts = torch.zeros(shape[0] + 1, dtype=torch.int32, device=rows.device)
    starts[1:] = torch.bincount(rows, minlength=shape[0]).cumsum(0)
    return torch.sparse_csr_tensor(starts, cols.int(), values, shape, check_invariants=False)


def sampled(config: Config, target: Target, like: Tensor) -> Entries:
    """The completion problem of ``draws.mask`` and ``draws.noise``, as a list of observed entries.

    It is drawn in blocks of rows, so no array of rows × cols is made.
    """
    rows, cols, exact, added = _listed(blocks(config), target)
    if not len(rows):  # at least one entry is observed, as in ``mask``
        rows, cols = torch.zeros(1).long(), torch.zeros(1).long()
        added = torch.zeros(1).double()
        exact = (target.left[0] * target.values * target.right[:, 0]).sum()[None]
    seen = (torch.stack([rows, cols]).to(like.device), (exact + added).to(like))
    seen_noise = added.to(like) if config.noise else None
    return Entries(config.shape, seen, None, target.to(like), seen_noise)


def kept_apart(config: Config, target: Target, like: Tensor) -> Pattern | None:
    """The observed entries that are kept apart for validation; None if there are none."""
    if not config.validation:
        return None
    rows, cols, exact, added = _listed(apart(config), target)
    if not len(rows):
        raise DataError(
            f"validation {config.validation:g} keeps none of the "
            f"{config.observed * math.prod(config.shape):,.0f} observed entries apart; a larger "
            "share would."
        )
    places = torch.stack([rows, cols]).to(like.device)
    return Pattern(places, (exact + added).to(like), config.shape)


def _listed(
    masks: Iterable[tuple[int, Tensor, Tensor | float]], target: Target
) -> Sequence[Tensor]:
    """Rows, columns, values of M* and noise of all entries that blocks of rows name."""
    parts: list[tuple[Tensor, ...]] = []
    for start, named, noise in masks:
        rows, cols = named.nonzero(as_tuple=True)
        exact = (target.left[rows + start] * target.values * target.right.mT[cols]).sum(1)
        added = noise[rows, cols] if isinstance(noise, Tensor) else torch.zeros_like(exact)
        parts.append((rows + start, cols, exact, added))
    return [torch.cat(part) for part in zip(*parts, strict=True)]
