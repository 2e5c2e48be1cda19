"""Thin: steps of a W with few columns, by products that all have that many columns."""

from types import ModuleType
from typing import final

import torch

from dynamics.engine.kernels.multiply import multiply
from dynamics.engine.network import Network
from dynamics.engine.problem import Recovery, Task
from dynamics.engine.steps.plain import Moving


@final
class ThinDescent(Moving):
    """Steps of a network at least as wide as W has columns, also of a single factor.

    With X_l = W_l ⋯ W_1 (X_0 the identity), R the gradient at W = W_L X_(L−1) divided by c, and
    Z_l = (W_L ⋯ W_(l+1))ᵀ R, all of them with the columns of W:

        G_L = c R X_(L−1)ᵀ,  G_l = c Z_l X_(l−1)ᵀ.

    No product of two factors is made, so a wide network needs 6 cols operations for each parameter.
    """

    def __init__(
        self, network: Network, problem: Task, optimizer: ModuleType, learning_rate: float
    ) -> None:
        super().__init__(network, problem, optimizer, learning_rate)
        first, *more = network.factors
        cols = first.shape[1]
        # X_1 is W_1 itself, which moves in place; a single factor needs X_0 alone.
        self._rights = [first] if more else [torch.eye(cols).to(first)]
        self._rights += [factor.new_empty(len(factor), cols) for factor in more[:-1]]
        self._backs = [torch.empty_like(right) for right in self._rights]

    @classmethod
    def applies(cls, network: Network, problem: Task, optimizer: ModuleType) -> bool:
        """Whether W has no more columns than any factor, in a task that recovers no matrix."""
        cols, *hidden, _ = network.widths
        return not isinstance(problem, Recovery) and all(cols <= width for width in hidden)

    def _step(self) -> None:
        factors = self.network.factors
        rights, backs = self._rights, self._backs
        for number in range(1, len(rights)):
            multiply(factors[number], rights[number - 1], rights[number])
        onto_last, pulled_back = self.problem.pull(factors[-1], rights[-1])
        if len(factors) > 1:
            multiply(*pulled_back, backs[-1].mT)
        self._moves.move(len(factors) - 1, *onto_last)
        for number in range(len(factors) - 2, 0, -1):
            multiply(factors[number].mT, backs[number], backs[number - 1])
            self._moves.move(number, backs[number], rights[number - 1].mT)
        if len(factors) > 1:
            self._moves.move(0, None, backs[0])
        self._moves.move_backbone()

    @property
    def operations(self) -> float:
        """Floating-point operations of one step, two for each multiplication of its products."""
        factors = self.network.factors
        if len(factors) == 1:
            return self.problem.operations(0)
        cols = self.problem.shape[1]
        inner = sum(6.0 * factor.numel() * cols for factor in factors[1:-1])
        return inner + self.problem.operations(factors[-1].shape[1])
