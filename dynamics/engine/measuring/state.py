"""State: a network at one moment, and what several measurements compute from it."""

import functools
import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any, TypeVar, TypeVarTuple

import torch
from jaxtyping import Float
from torch import Tensor

from dynamics.core.finite import finite
from dynamics.engine.factors import halves, product
from dynamics.engine.measuring.leading import error, leading
from dynamics.engine.measuring.matching import known
from dynamics.engine.network import Network
from dynamics.engine.target import Target
from dynamics.theory.matching import LOW, Matching

WIDE = 200  # a factor behind a backbone, both of whose sides are longer, is not decomposed whole
T = TypeVar("T")
Values = TypeVarTuple("Values")


class State:
    """A network at one moment, as measurements see it; what they share is computed once.

    Args:
        network: must not be trained while the State is in use.
        count: number of singular values of the product to compute.
        start: the State at step 0, against which invariants are held; this one if None.
        turned: the State in which α last changed, with the new α; the start if None.
        before: which singular value was which mode at the record before; None at the first.
        step: gradient steps since the start; -1 if nothing costly is to be measured.
        gap: steps since the record before; more than ``step`` if everything is to be measured.
    """

    def __init__(
        self,
        network: Network,
        count: int,
        start: "State | None" = None,
        turned: "State | None" = None,
        before: Matching | None = None,
        step: int = 0,
        gap: int = 0,
    ) -> None:
        self.factors = network.factors
        self.count = count
        self.alpha = network.alpha
        self.backbone = network.backbone
        self.start = start or self
        self.turned = turned or self.start
        self.before = before
        self.matching: Matching | None = None  # set by ``by_mode``
        self.step = step
        self.gap = gap
        self._once: dict[Any, Any] = {}
        rows, cols = self.factors[-1].shape[-2], self.factors[0].shape[-1]
        self.narrow = max(network.widths[1:-1], default=rows) < min(rows, cols)
        self.adrift = network.adrift

    def once(self, compute: Callable[["State", *Values], T], *arguments: *Values) -> T:
        """Returns ``compute(self, *arguments)``, computed at the first call only."""
        key = (compute, *arguments)
        if key not in self._once:
            self._once[key] = compute(self, *arguments)
        return self._once[key]

    def due(self, count: int, steps: int) -> bool:
        """Whether it is time for what is measured ``count`` times in ``steps`` steps.

        That is so at the start, and at the first record at or after each such moment. It follows
        from the steps of two records alone, so that a run that continues measures the same.
        """
        before = self.step - self.gap
        return not self.step or self.step * count // steps > before * count // steps

    @functools.cached_property
    def finite(self) -> bool:
        """Whether all entries of all factors are finite."""
        # A sum is not finite if an entry is not, and takes a tenth of the time of testing all.
        return all(math.isfinite(float(factor.sum())) for factor in self.factors)

    @functools.cached_property
    def right(self) -> Float[Tensor, "width cols"]:
        """W_(L−1) ⋯ W_1, the identity if L = 1: the end-to-end matrix is W_L times this."""
        return halves(self.factors)[1]

    @property
    def left(self) -> Float[Tensor, "rows width"]:
        """W_L."""
        return self.factors[-1]

    @functools.cached_property
    def product(self) -> Float[Tensor, "rows cols"]:
        """The end-to-end matrix W_L ⋯ W_1."""
        return self.left @ self.right

    @functools.cached_property
    def triangles(self) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
        """QR decompositions of W_L and of W_1ᵀ: the triangles have the singular values."""
        return torch.linalg.qr(finite(self.factors[-1])), torch.linalg.qr(
            finite(self.factors[0].mT)
        )

    @functools.cached_property
    def svd(self) -> tuple[Tensor, Tensor, Tensor]:
        """The first ``count`` singular triplets (left, values, right) of the product.

        A narrow network needs only the decomposition of a small matrix, made of the triangles of
        its outer factors; the result is exact. Values beyond its width are 0.
        """
        if not self.narrow:
            left, values, right = torch.linalg.svd(finite(self.product), full_matrices=False)
            return left[:, : self.count], values[: self.count], right[: self.count]
        (outer_left, upper), (outer_right, lower) = self.triangles
        middle = product([lower.mT, *self.factors[1:-1], upper])
        left, values, right = torch.linalg.svd(finite(middle), full_matrices=False)
        values = torch.nn.functional.pad(values, (0, max(0, self.count - len(values))))
        return outer_left @ left, values[: self.count], right @ outer_right.mT

    @property
    def values(self) -> Float[Tensor, " count"]:
        """The first ``count`` singular values of the product, from its vectors if they are known.

        Without the vectors they cost a quarter.
        """
        if "svd" in vars(self):
            return self.svd[1]
        if not self.narrow:
            return torch.linalg.svdvals(finite(self.product))[: self.count]
        upper, lower = (
            torch.linalg.qr(finite(factor), mode="r")[1]
            for factor in (self.factors[-1], self.factors[0].mT)
        )
        values = torch.linalg.svdvals(finite(product([lower.mT, *self.factors[1:-1], upper])))
        return torch.nn.functional.pad(values, (0, max(0, self.count - len(values))))[: self.count]

    @functools.cached_property
    def factor_values(self) -> Float[Tensor, "depth most"]:
        """σ_i(W_l), one row per factor, largest first; NaN where a factor has fewer values."""
        matrices = list(self.factors)
        if self.narrow:
            (_, last), (_, first) = self.triangles
            matrices[0], matrices[-1] = first, last
        values = [torch.linalg.svdvals(finite(matrix)) for matrix in matrices]
        longest = max(map(len, values))
        pad = torch.nn.functional.pad
        return torch.stack([pad(row, (0, longest - len(row)), value=torch.nan) for row in values])

    @property
    def wide(self) -> bool:
        """Whether a factor is too wide to be decomposed whole at each record.

        That is so only behind a backbone: theory of a matrix needs all singular values.
        """
        return self.backbone is not None and any(map(_wide, self.factors))

    @functools.cached_property
    def spectra(self) -> tuple[Float[Tensor, "depth most"], Float[Tensor, " depth"]]:
        """``factor_values`` and how far those of each factor are too small at most.

        If the network is ``wide``: the first 2 cols of each factor, as far as it has them.
        """
        if not self.wide:
            return self.factor_values, self.factors[0].new_zeros(len(self.factors))
        most = 2 * self.factors[0].shape[1]
        rows, errors = [], []
        for factor in self.factors:
            found = leading(factor, most) if _wide(factor) else None
            values = torch.linalg.svdvals(finite(factor)) if found is None else found.values
            row = values[:most]
            rows.append(torch.nn.functional.pad(row, (0, most - len(row)), value=torch.nan))
            errors.append(error(factor, found, most) if found else factor.new_zeros(()))
        return torch.stack(rows), torch.stack(errors)

    @functools.cached_property
    def squares(self) -> Float[Tensor, ""]:
        """√(Σ_l ‖W_l W_lᵀ/α_l‖²), l = 1, …, L − 1."""
        if self.wide:
            norms = torch.stack([(each @ each.mT).norm() for each in self.factors[:-1]])
            norms[0] /= self.alpha
            return norms.norm()
        squares = self.factor_values[:-1].nan_to_num() ** 2
        squares[0] /= self.alpha
        return squares.norm()

    @functools.cached_property
    def balances(self) -> list[Tensor]:
        """D_l = W_l W_lᵀ/α_l − W_(l+1)ᵀ W_(l+1)/α_(l+1), l = 1, …, L − 1.

        Gradient flow conserves them.
        """
        speeds = [self.alpha, *[1.0] * (len(self.factors) - 2), self.alpha]
        moving = zip(self.factors, speeds, strict=True)
        return [
            first @ first.mT / slow - second.mT @ second / fast
            for (first, slow), (second, fast) in pairwise(moving)
        ]


def _wide(factor: Tensor) -> bool:
    return min(factor.shape) > WIDE


def angles(basis: Float[Tensor, "n r"], goal: Float[Tensor, "n r"]) -> Float[Tensor, " r"]:
    """Principal angles between two column spaces, in radians, largest first.

    Cosines lose angles below 1e-8, and sines lose angles near 90°, so each angle is taken from the
    better of the two. Björck and Golub (1973); Knyazev and Argentati (2002).
    """
    overlap = basis.mT @ goal
    cosines = torch.linalg.svdvals(finite(overlap)).clamp(0, 1).flip(0)
    sines = torch.linalg.svdvals(finite(goal - basis @ overlap)).clamp(0, 1)
    sines = torch.nn.functional.pad(sines, (0, max(0, len(cosines) - len(sines))))
    return torch.where(sines**2 < 0.5, sines[: len(cosines)].asin(), cosines.acos())


def subspace_angles(basis: Tensor, goal: Tensor) -> Tensor:
    """``angles``, with 90° for each dimension that ``basis`` lacks."""
    rank = goal.shape[1]
    if basis.shape[1] >= rank:
        return angles(basis[:, :rank], goal)
    right_angle = goal.new_full((rank - basis.shape[1],), math.pi / 2)
    # With the larger subspace first, the number of sines is the dimension of the smaller subspace.
    return torch.cat([right_angle, angles(goal, basis)])


def overlaps(vectors: Tensor, goal: Tensor) -> Float[Tensor, " r"]:
    """|⟨vectors_i, goal_i⟩| for each column of ``goal``; 0 where ``vectors`` has no such column."""
    shared = min(vectors.shape[1], goal.shape[1])
    values = (vectors[:, :shared] * goal[:, :shared]).sum(0).abs()
    return torch.nn.functional.pad(values, (0, goal.shape[1] - shared))


def by_mode(state: State, target: Target) -> tuple[Tensor, Tensor, Tensor]:
    """``state.svd`` in the order of the target's modes, then the remaining triplets, largest first.

    Vectors that a narrow network lacks are 0.
    """
    left, values, right = state.svd
    if state.matching is None:
        before = state.before or Matching(tuple(range(len(values))))
        goals = torch.nn.functional.pad(target.values, (0, len(values)))[: len(values)]
        low = (LOW * goals - values).tolist()
        state.matching = before.followed(known(left, values, right, target), low)
    order = list(state.matching.order)
    if order == sorted(order):
        return left, values, right
    lacking = len(values) - left.shape[1]
    pad = torch.nn.functional.pad
    wide_left, wide_right = pad(left, (0, lacking)), pad(right, (0, 0, 0, lacking))
    return wide_left[:, order], values[order], wide_right[order]
