"""How far the outer factors' first singular vectors point along the target's."""

import torch
from torch import Tensor

from dynamics.engine.measuring.state import State
from dynamics.engine.problem import Task, target_of

BESIDE = 1e-11  # share of σ_1² by which the shift of inverse iteration lies beside it
ITERATIONS = 3  # each reduces other vectors to BESIDE divided by the relative gap


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
    beside, pivots, _ = torch.linalg.lu_factor_ex(
        gram - shift * torch.eye(len(gram), dtype=gram.dtype, device=gram.device)
    )
    found = torch.linspace(1, 2, len(gram), dtype=gram.dtype, device=gram.device)[:, None]
    for _ in range(ITERATIONS):
        found = torch.linalg.lu_solve(beside, pivots, found)
        found = found / found.norm()
    found = factor @ found[:, 0].to(factor) if tall else found[:, 0].to(factor)
    return found / found.norm()
