"""Recovery error ‖W − M*‖_F / ‖M*‖_F."""

import torch
from torch import Tensor

from dynamics.network import State
from dynamics.problem import Problem, Target

DENSE_SIDE = 150  # up to here the dense difference is the cheaper one


def measure(state: State, problem: Problem) -> Tensor | None:
    """‖W − M*‖_F / ‖M*‖_F, a single number; None where M* is unknown."""
    target = problem.target
    if target is None:
        return None
    if state.narrow and target.exact and max(problem.shape) > DENSE_SIDE:
        return _projected(state.left, state.right, target) / target.norm
    return (state.product - target.dense).norm() / target.norm


def _projected(left: Tensor, right: Tensor, target: Target) -> Tensor:
    """‖left·right − M*‖_F from its parts inside and outside the target's singular subspaces.

    No array of rows × cols is made and, unlike with Gram matrices, no digits cancel.
    """
    inside_left, inside_right = target.left.mT @ left, right @ target.right.mT
    outside_left = left - target.left @ inside_left
    outside_right = right - inside_right @ target.right
    # Only the sizes of the outer parts count: triangles of their QR decompositions carry them.
    left_size = torch.linalg.qr(outside_left, mode="r").R
    right_size = torch.linalg.qr(outside_right.mT, mode="r").R.mT
    parts = (
        inside_left @ inside_right - torch.diag(target.values),
        inside_left @ right_size,
        left_size @ inside_right,
        left_size @ right_size,
    )
    return torch.stack([part.norm() for part in parts]).norm()
