"""Cells: means over blocks of a matrix's entries, from its factors, for heat maps."""

import torch
from torch import Tensor

from dynamics.core.cells import block
from dynamics.engine.factors import Factors
from dynamics.engine.problem import Recovery, Task, target_of


def averaged(matrix: Tensor) -> Tensor:
    """Means of each ``block`` neighbouring rows; the last mean is of the remaining rows."""
    size = block(len(matrix))
    if size == 1:
        return matrix
    pool = torch.nn.functional.avg_pool2d
    return pool(matrix[None], (size, 1), ceil_mode=True)[0]


def of_product(factors: Factors) -> Tensor:
    """The cells of W_L ⋯ W_1 from means of W_L's rows and of W_1's columns, without the product."""
    left = averaged(factors[-1])
    if len(factors) == 1:
        return averaged(left.mT).mT
    for factor in reversed(factors[1:-1]):
        left = left @ factor
    return left @ averaged(factors[0].mT).mT


def of_goal(problem: Task) -> Tensor:
    """The cells of M*; if M* is unknown, means of the observed entries, NaN in an empty cell."""
    target = target_of(problem)
    if not isinstance(problem, Recovery):
        rows, cols = problem.shape
        return torch.full((-(-rows // block(rows)), -(-cols // block(cols))), torch.nan)
    if target is None:
        return _observed(problem)
    if target.full is not None:
        return averaged(averaged(target.full).mT).mT
    return averaged(target.left) * target.values @ averaged(target.right.mT).mT


def _observed(problem: Recovery) -> Tensor:
    samples = problem.samples
    rows, cols = problem.shape
    assert samples is not None
    counts = samples.starts.diff()
    row = torch.arange(rows, device=counts.device).repeat_interleave(counts) // block(rows)
    width = -(-cols // block(cols))
    place = row * width + samples.places // block(cols)
    cells = width * -(-rows // block(rows))
    sums = samples.values.new_zeros(cells).index_add_(0, place, samples.values)
    return (sums / place.bincount(minlength=cells)).view(-1, width)
