"""Replay: the steps of ``Descent`` written down once, and made by compiled code, many in one call.

Between two records Python has nothing to do, and its lock is free for whoever measures meanwhile.
"""

from types import ModuleType

import torch
from torch import Tensor

from dynamics.engine.kernels import products
from dynamics.engine.kernels.multiply import THIN, WORTH_TWO, product
from dynamics.engine.losses.masked import Masked
from dynamics.engine.network import Network
from dynamics.engine.problem import Problem, Pull
from dynamics.engine.steps.plain import OUTER, Descent

ADD, MASK, SQUARE = 0, -1, -2  # of ``kernels/products.cpp``


class Tape:
    """Operations on buffers that stay where they are."""

    def __init__(self, like: Tensor) -> None:
        self._functions, self._like = products(like.dtype), like
        self._operations: list[list[int]] = []
        self._rates: list[tuple[float, float]] = []
        self._arrays: list[Tensor] = []

    def multiply(self, left: Tensor, right: Tensor, out: Tensor, alpha: float, beta: float) -> None:
        """Note out ← beta · out + alpha · left · right."""
        self._note(product(left, right, out), alpha, beta)

    def each(self, kind: int, out: Tensor, *sides: Tensor, alpha: float = 1.0) -> None:
        """Note an operation on one number after the other."""
        first, last = sides[0].contiguous(), sides[-1].contiguous()
        assert first is sides[0] and last is sides[-1] and out.is_contiguous()
        addresses = [first.data_ptr(), 0, 0, last.data_ptr(), 0, 0, out.data_ptr(), 0]
        self._note([*first.shape, kind, *addresses], alpha, 1.0)

    def play(self, count: int) -> None:
        """Make all operations, in order, ``count`` times."""
        if not self._arrays:
            rates = torch.tensor(self._rates, dtype=self._like.dtype).mT.contiguous()
            self._arrays = [torch.tensor(self._operations), *rates]
        assert self._functions
        addresses = (array.data_ptr() for array in self._arrays)
        self._functions.replay(count, len(self._operations), *addresses)

    def _note(self, operation: list[int], alpha: float, beta: float) -> None:
        self._operations.append(operation)
        self._rates.append((alpha, beta))


class ReplayedDescent(Descent):
    """The steps of ``Descent`` for wide networks on whole matrices."""

    compiled = True

    def __init__(
        self, network: Network, problem: Problem, optimizer: ModuleType, learning_rate: float
    ) -> None:
        super().__init__(network, problem, optimizer, learning_rate)
        assert isinstance(problem, Masked)
        self._masked = problem.masked
        self._residual, self._sum = torch.empty_like(self._masked[0]), self._right.new_empty(1)
        self._written = (0.0, 0.0)  # the rates that are on the tape
        self._tape = self._loss = Tape(self._sum)

    @staticmethod
    def applies(network: Network, problem: Problem, optimizer: ModuleType) -> bool:
        """Whether there is compiled code for these steps, which are made by one thread."""
        like, sides = network.factors[0], network.widths
        return (
            getattr(optimizer, "PLAIN", False)
            and like.device.type == "cpu"
            and isinstance(problem, Masked)
            and min(sides) >= THIN
            and (torch.get_num_threads() == 1 or max(sides) < WORTH_TWO)
            and products(like.dtype) is not None
        )

    def step(self, count: int = 1) -> None:
        """Make ``count`` gradient steps."""
        self._write()
        self._tape.play(count)

    def loss(self) -> float:
        """The training loss of the factors as they are."""
        self._write()
        self._loss.play(1)
        return float(self._sum) * self.problem.scale / 2

    def _write(self) -> None:
        """Go through the loss and through one step; every operation is noted and none made."""
        rates = (self.learning_rate, self.alpha)
        if rates != self._written:
            self._tape = self._loss = Tape(self._sum)
            self._forward()
            self._pull(self.network.factors[-1], self._right)
            self._tape.each(SQUARE, self._sum, self._residual)
            self._tape = Tape(self._sum)
            self._step()
            self._written = rates

    def _multiply(self, left: Tensor, right: Tensor, out: Tensor) -> Tensor:
        self._tape.multiply(left, right, out, 1.0, 0.0)
        return out

    def _pull(self, left: Tensor, right: Tensor) -> tuple[Pull, Pull]:
        residual = self._multiply(left, right, self._residual)
        self._tape.each(MASK, residual, *self._masked)
        return (residual, right.mT), (residual.mT, left)

    def _update(self, index: int, left: Tensor | None, right: Tensor) -> None:
        factor = self.network.factors[index]
        rate = self.learning_rate * (self.alpha if index in OUTER else 1) * self.problem.scale
        if left is None:
            self._tape.each(ADD, factor, right, alpha=-rate)
        else:
            self._tape.multiply(left, right, factor, -rate, 1.0)
