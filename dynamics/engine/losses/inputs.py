"""Loss on a whole matrix of which the columns are seen through inputs that are correlated."""

import torch
from jaxtyping import Float
from torch import Tensor

from dynamics.core.finite import finite
from dynamics.engine.kernels.multiply import multiply
from dynamics.engine.problem import Recovery
from dynamics.engine.target import Matrix, Target


class Correlated(Recovery):
    """½ mean of ((W − Y) X)² for inputs X with XXᵀ = Σ; ``test_loss`` is the same with X = I.

    Args:
        target: M*.
        inputs: Σ, with ones on its diagonal.
        given: Y; M* if None.
    """

    target: Target

    def __init__(
        self,
        target: Target,
        inputs: Float[Tensor, "cols cols"],
        given: Matrix | None = None,
    ) -> None:
        self.target = target
        self.shape = (target.left.shape[0], target.right.shape[1])
        self.scale = self.curvature = 1 / (self.shape[0] * self.shape[1])
        self.measures = "½ mean square, all entries of W"
        self._inputs = inputs
        self._given = target.dense if given is None else given
        self._difference = torch.empty_like(self._given)
        self._residual = torch.empty_like(self._given)

    def residual(self, left: Tensor, right: Tensor) -> tuple[Tensor, Tensor]:
        """(left·right − Y) Σ."""
        difference = multiply(left, right, out=self._difference).sub_(self._given)
        residual = multiply(difference, self._inputs, out=self._residual)
        return residual, residual.mT

    def train_loss(self, left: Tensor, right: Tensor) -> Tensor:
        """½ mean of ((W − Y) X)²."""
        residual = self.residual(left, right)[0]
        return torch.dot(self._difference.view(-1), residual.view(-1)) * (self.scale / 2)

    def test_loss(self, left: Tensor, right: Tensor) -> Tensor:
        """½ mean of (W − M*)², each column for itself."""
        difference = torch.addmm(self.target.dense, left, right, beta=-1)
        return difference.square().mean() / 2

    def operations(self, width: int) -> float:
        """Operations of three products of rows × width × cols, and of one with Σ."""
        rows, cols = self.shape
        return 6.0 * rows * cols * width + 2.0 * rows * cols**2

    def surrogate(self, count: int) -> tuple[Tensor, Tensor, Tensor]:
        """Singular triplets of c Y Σ."""
        left, values, right = torch.linalg.svd(
            finite(self.scale * self._given @ self._inputs), full_matrices=False
        )
        return left[:, :count], values[:count], right[:count]
