"""How far the outer factors' first singular vectors point along the target's."""

import contextlib

import torch
from torch import Tensor

from dynamics.network import State
from dynamics.problem import Problem


def measure(state: State, problem: Problem) -> Tensor | None:
    """|⟨u_1(W_L), u_1*⟩| and |⟨v_1(W_1), v_1*⟩|, from 0 to 1; None where the target is unknown.

    While all of a factor's singular values are equal its first vector is any of them.
    """
    target = problem.target
    if target is None:
        return None
    left, right = _first(state.factors[-1]), _first(state.factors[0].mT)
    return torch.stack([left @ target.left[:, 0], right @ target.right[0]]).abs()


def _first(factor: Tensor) -> Tensor:
    """The first left singular vector, from the Gram matrix of the factor's smaller side."""
    tall = factor.shape[0] > factor.shape[1]
    gram = factor.mT @ factor if tall else factor @ factor.mT
    if not gram.isfinite().all():
        return torch.full_like(factor[:, 0], torch.nan)
    found = _top(gram.cpu().double()).to(factor)
    found = factor @ found if tall else found
    return found / found.norm()


def _top(gram: Tensor) -> Tensor:
    """The last eigenvector: by SciPy, which need not compute the others, up to 14 times faster."""
    import scipy.linalg  # here: only a run that measures needs it

    last = len(gram) - 1
    with contextlib.suppress(scipy.linalg.LinAlgError):
        vectors = scipy.linalg.eigh(gram.numpy(), subset_by_index=(last, last))[1]
        if vectors.size:
            return torch.from_numpy(vectors[:, 0])
    return torch.linalg.eigh(gram)[1][:, -1]  # LAPACK may find none where all values are tied
