"""The singular values of every factor."""

import torch
from torch import Tensor

from dynamics.network import State
from dynamics.problem import Problem


def measure(state: State, problem: Problem) -> Tensor | None:
    """σ_i(W_l), one row a factor, largest first; NaN where a factor has fewer than another."""
    matrices = list(state.factors)
    if state.narrow:
        (_, last), (_, first) = state.triangles
        matrices[0], matrices[-1] = first, last
    values = [torch.linalg.svdvals(matrix) for matrix in matrices]
    longest = max(map(len, values))
    pad = torch.nn.functional.pad
    return torch.stack([pad(each, (0, longest - len(each)), value=torch.nan) for each in values])
