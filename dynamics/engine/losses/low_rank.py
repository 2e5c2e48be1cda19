"""Loss on all entries of a target that is kept as two thin factors."""

import torch
from torch import Tensor

from dynamics.core.finite import finite
from dynamics.engine.draws import generator
from dynamics.engine.problem import Recovery
from dynamics.engine.target import Target


class Whole(Recovery):
    """½ mean((W − M*)²) for a target known by its factors, without an array of rows × cols."""

    target: Target

    def __init__(self, target: Target) -> None:
        self.target = target
        self.shape = (len(target.left), target.right.shape[1])
        self.scale = self.curvature = 1 / (self.shape[0] * self.shape[1])
        self.measures = "½ mean square, all entries"

    @property
    def whole(self) -> Target:
        """M*."""
        return self.target

    def residual(self, left: Tensor, right: Tensor) -> tuple[Tensor, Tensor]:
        """left·right − M* as a whole matrix; only a network as wide as the target needs it."""
        residual = torch.addmm(self.target.dense, left, right, beta=-1)
        return residual, residual.mT

    def train_loss(self, left: Tensor, right: Tensor) -> Tensor:
        """½ mean square over all entries."""
        return self.target.distance(left, right).square() * (self.scale / 2)

    def test_loss(self, left: Tensor, right: Tensor) -> Tensor:
        """The training loss, because every entry is observed."""
        return self.train_loss(left, right)

    def operations(self, width: int) -> float:
        """Operations of three products of rows × width × cols."""
        return 6.0 * self.shape[0] * self.shape[1] * width

    def surrogate(self, count: int) -> tuple[Tensor, Tensor, Tensor]:
        """Singular triplets of c M*; beyond its rank, values 0 and any orthonormal vectors."""
        left, right = (_completed(side, count) for side in (self.target.left, self.target.right.mT))
        values = self.target.values[:count] * self.scale
        return left, torch.nn.functional.pad(values, (0, count - len(values))), right.mT


def _completed(columns: Tensor, count: int) -> Tensor:
    """Returns ``count`` orthonormal columns, of which the first are the given ``columns``."""
    given = columns.shape[1]
    more = torch.randn(len(columns), max(0, count - given), generator=generator("complement", 0))
    basis = torch.linalg.qr(finite(torch.cat([columns, more.to(columns)], dim=1))).Q
    return torch.cat([columns, basis[:, given:]], dim=1)[:, :count]
