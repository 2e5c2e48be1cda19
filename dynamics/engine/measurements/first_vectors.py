"""How far the outer factors' first singular vectors point along the target's."""

import torch
from torch import Tensor

from dynamics.core.finite import finite
from dynamics.engine.measuring.state import State
from dynamics.engine.problem import Task, target_of

BESIDE = 1e-11  # distance of inverse iteration's shift from σ_1², as a share of σ_1²
ITERATIONS = 3  # each one scales all other vectors by BESIDE divided by their relative gap


def measure(state: State, task: Task) -> Tensor | None:
    """|⟨u_1(W_L), u_1*⟩| and |⟨v_1(W_1), v_1*⟩|, from 0 to 1; None if the target is unknown.

    While all singular values of a factor are equal, any of its vectors can be the first.
    """
    target = target_of(task)
    if target is None:
        return None
    largest = state.factor_values[..., 0]
    left = _first(state.factors[-1], largest[-1])
    right = _first(state.factors[0].mT, largest[0])
    return torch.stack([left @ target.left[:, 0], right @ target.right[0]]).abs()


def _first(factor: Tensor, largest: Tensor) -> Tensor:
    """The first left singular vector, by inverse iteration near its known singular value.

    A decomposition would find all vectors, at ten times the cost.
    """
    tall = factor.shape[0] > factor.shape[1]
    gram = (factor.mT @ factor if tall else factor @ factor.mT).double()
    shift = largest.double() ** 2 * (1 + BESIDE)
    shifted, pivots, _ = torch.linalg.lu_factor_ex(
        finite(gram - shift * torch.eye(len(gram), dtype=gram.dtype, device=gram.device))
    )
    vector = torch.linspace(1, 2, len(gram), dtype=gram.dtype, device=gram.device)[:, None]
    for _ in range(ITERATIONS):
        vector = torch.linalg.lu_solve(shifted, pivots, vector)
        vector = vector / vector.norm()
    vector = factor @ vector[:, 0].to(factor) if tall else vector[:, 0].to(factor)
    return vector / vector.norm()
