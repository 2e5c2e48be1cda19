"""Invariants: what training conserves in theory, and how far it has drifted since the start.

Gradient flow conserves D_l = W_l W_lᵀ/α_l − W_(l+1)ᵀ W_(l+1)/α_(l+1) for every loss and any start;
a mode with outer value a and inner value b has D = (a² − αb²)/α. A step of size η changes it by
O(η²), so it drifts by O(η) over a run. Arora, Cohen and Hazan (2018). After a change of α the flow
conserves D of the new α, with the value that it has at the change.

An original network of square factors W_l(0) = ε_l Q_l with orthogonal Q_l keeps, on a full target
of rank r and by plain descent, the form W_l = C_l M_l C_(l−1)ᵀ + ρ_l (Q_l − C_l C_(l−1)ᵀ) with
d × 2r bases C_l (``Form``). A compressed network keeps the row space of W_1 and the column space of
W_L. A narrow network with a different start keeps these spans joined with the target's: the
gradient of W_1 is (W_L ⋯ W_2)ᵀ (W_L ⋯ W_1 − U S Vᵀ), whose rows are combinations of the rows of
W_1 and of Vᵀ, and the same holds for W_L. This says something only where r̂ + r < d. It holds for
momentum, too. The part outside is called the leak.
"""

import functools
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor

from dynamics.core.finite import finite
from dynamics.engine.factors import Factors, product
from dynamics.engine.measuring.state import State
from dynamics.engine.target import Target

ROUNDING = 1e-4  # deviation from orthogonality that rounding to float32 may cause
Scalar = Float[Tensor, ""]


def drift(state: State) -> Scalar:
    """√(Σ_l ‖D_l(t) − D_l(t₀)‖² / Σ_l ‖W_l W_lᵀ/α_l‖²), l = 1, …, L − 1.

    t₀ is the start, or the last change of α before t.
    """
    balances = zip(state.balances, state.turned.balances, strict=True)
    moved = [(now - before).norm() for now, before in balances]
    return torch.stack(moved).norm() / state.squares


def leak(state: State, target: Target | None) -> Scalar | None:
    """The share of the factors' norm outside the form that theory says they keep.

    None if no theorem covers the start, the shape or the target.
    """
    if state.narrow:
        return _outside_spans(state, target)
    form = None if target is None else state.start.once(_form, target)
    return None if form is None else form.leak(state.factors)


def _outside_spans(state: State, target: Target | None) -> Scalar | None:
    """The share of W_1 outside the rows of W_1(0), and of W_L outside the columns of W_L(0)."""
    spans = state.start.once(_spans, target)
    parts = (state.factors[-1], state.factors[0].mT)
    if spans is None:
        return None
    outside = [
        (part - basis @ (basis.mT @ part)).norm() for part, basis in zip(parts, spans, strict=True)
    ]
    return torch.stack(outside).norm() / torch.stack([part.norm() for part in parts]).norm()


def _spans(start: State, target: Target | None) -> list[Tensor] | None:
    """Bases of both spans, joined with the target's for a random start.

    None if the target is unknown to a random start, or if a joined span would be the whole space.
    """
    spans = [basis for basis, _ in start.triangles]
    if not start.adrift:
        return spans
    if target is None or spans[0].shape[1] + len(target.values) >= min(map(len, spans)):
        return None
    pairs = zip(spans, (target.left, target.right.mT), strict=True)
    return [torch.linalg.qr(finite(torch.cat(pair, dim=1))).Q for pair in pairs]


class Form:
    """W_l = C_l M_l C_(l−1)ᵀ + ρ_l (Q_l − C_l C_(l−1)ᵀ), from W_l(0) = ε_l Q_l.

    C_0 is an orthonormal basis of [V, (Q_L ⋯ Q_1)ᵀ U] and C_l = Q_l C_(l−1).

    Attributes:
        sizes: ε_1, …, ε_L.
        turns: Q_1, …, Q_L.
        bases: C_0, …, C_L, each d × 2r.
    """

    def __init__(self, sizes: list[float], turns: Factors, target: Target) -> None:
        self.sizes = sizes
        self.turns = turns
        turned = product(turns).mT @ target.left
        self.bases = [torch.linalg.qr(finite(torch.cat([target.right.mT, turned], dim=1))).Q]
        for turn in turns:
            self.bases.append(turn @ self.bases[-1])

    @functools.cached_property
    def _rests(self) -> Factors:
        """Q_l − C_l C_(l−1)ᵀ."""
        return [
            turn - after @ before.mT
            for turn, (before, after) in zip(self.turns, pairwise(self.bases), strict=True)
        ]

    def leak(self, factors: Factors) -> Scalar:
        """The Frobenius norm of the part outside this form, over that of all factors."""
        places = zip(factors, self._rests, pairwise(self.bases), strict=True)
        outside = []
        for factor, rest, (before, after) in places:
            beside = factor - after @ (after.mT @ factor @ before) @ before.mT
            # ρ_l by least squares; ``rest`` is 0 if the 2r directions are the whole space.
            share = (beside * rest).sum() / (rest * rest).sum().clamp(
                min=torch.finfo(rest.dtype).tiny
            )
            outside.append((beside - share * rest).norm())
        sizes = torch.stack([factor.norm() for factor in factors])
        return torch.stack(outside).norm() / sizes.norm()


def _form(start: State, target: Target) -> Form | None:
    return form_of(start.factors, target)


def form_of(factors: Factors, target: Target) -> Form | None:
    """The form that a network with these first factors keeps.

    None unless the factors are ε_l Q_l, as large as the target and at least 2r wide.
    """
    side = len(target.left)
    rank = len(target.values)
    if not all(factor.shape == (side, side) for factor in factors) or 2 * rank > side:
        return None
    sizes = [float(factor.norm()) / side**0.5 for factor in factors]
    turns = [factor / size for factor, size in zip(factors, sizes, strict=True)]
    identity = torch.eye(side).to(target.left)
    if not all(torch.allclose(turn @ turn.mT, identity, atol=ROUNDING) for turn in turns):
        return None
    return Form(sizes, turns, target)
