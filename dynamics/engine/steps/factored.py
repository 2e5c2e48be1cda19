"""Factored: steps towards a full target by its factors, without any product of rows × cols."""

from collections.abc import Mapping
from types import ModuleType
from typing import final

import torch
from torch import Tensor

from dynamics.core.cost import by_factors, gains_by_factors
from dynamics.engine.kernels.multiply import multiply
from dynamics.engine.network import Network
from dynamics.engine.problem import Task, whole_of
from dynamics.engine.steps.interface import Memory, loss_of
from dynamics.engine.steps.plain import Chained, Moves


@final
class FactoredDescent(Chained):
    """Steps towards M* = U S Vᵀ, in O((rows + cols) r̂ (r̂ + r)) operations.

    The residual R = W_L K W_1 − U S Vᵀ is a product of thin matrices. Therefore two small matrices
    of shape (r̂ + r) × r̂,

        A = [W_L, −U S]ᵀ W_L,  B = [W_1; Vᵀ] W_1ᵀ,

    with the upper parts A', B' and the lower parts A'', B'', are enough for the gradients

        G_L = c [W_L, −U S] · (diag(K, I) B Kᵀ),  G_1 = c (diag(Kᵀ, I) A K)ᵀ · [W_1; Vᵀ],
        H = A' K B' + A''ᵀ B''.

    The network's outer factors become views of the stacked matrices.
    """

    def __init__(
        self, network: Network, problem: Task, optimizer: ModuleType, learning_rate: float
    ) -> None:
        super().__init__(network, problem, optimizer, learning_rate)
        target = whole_of(problem)
        factors = network.factors
        assert target is not None
        self._moves = Moves(self, optimizer)
        self._width = factors[0].shape[0]
        self._right_stack = torch.cat([factors[0], target.right])
        self._left_stack = torch.cat([factors[-1].mT, -target.values[:, None] * target.left.mT])
        factors[0] = self._right_stack[: self._width]
        factors[-1] = self._left_stack[: self._width].mT

    @classmethod
    def applies(cls, network: Network, problem: Task, optimizer: ModuleType) -> bool:
        """Whether the target's factors are known and the network is narrow enough to gain."""
        target = whole_of(problem)
        hidden = set(network.widths[1:-1])
        if target is None or len(hidden) > 1:
            return False
        return gains_by_factors(problem.shape, max(hidden), len(target.values))

    def step(self, count: int = 1) -> None:
        """Make ``count`` gradient steps."""
        for _ in range(count):
            self._step()

    def loss(self) -> float:
        """Returns the training loss of the current factors."""
        return loss_of(self.network, self.problem)

    def _step(self) -> None:
        factors = self.network.factors
        width = self._width
        chain = self._chain()
        left, right = self._left_stack, self._right_stack
        left_gram, right_gram = left @ factors[-1], right @ factors[0].mT
        left_part, right_part = left_gram, right_gram
        if chain is not None:
            left_part, right_part = left_gram @ chain, right_gram @ chain.mT
            down = torch.mm(left_part[:width], right_gram[:width], out=self._ladder[0])
            down.addmm_(left_gram[width:].mT, right_gram[width:])
            left_part = _upper(chain.mT, left_part, width)
            right_part = _upper(chain, right_part, width)
        # An outer factor's gradient is a product with that factor, so it is made before the update.
        last = len(factors) - 1
        self._update(last, None, self._moves.product(last, left.mT, right_part))
        self._update(0, None, self._moves.product(0, left_part.mT, right))
        if chain is not None:
            self._descend(down)

    def _multiply(self, left: Tensor, right: Tensor, out: Tensor) -> Tensor:
        return multiply(left, right, out)

    def _update(self, index: int, left: Tensor | None, right: Tensor) -> None:
        self._moves.move(index, left, right)

    @property
    def memory(self) -> Memory:
        """What the optimizer keeps between steps."""
        return self._moves.memory

    def restore(self, memory: Mapping[str, Tensor]) -> None:
        """Continue from the network as it is now, and from the ``memory`` that belongs to it."""
        self._moves.restore(memory)

    @property
    def operations(self) -> float:
        """Operations of four products with a stack, and of the small products."""
        rank = len(self._right_stack) - self._width
        depth = len(self.network.factors)
        return by_factors(self.problem.shape, self._width, rank, depth)


def _upper(factor: Tensor, matrix: Tensor, width: int) -> Tensor:
    """diag(factor, I) · matrix."""
    return torch.cat([factor @ matrix[:width], matrix[width:]])
