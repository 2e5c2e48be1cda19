"""Replayed: the products of a step are listed once, and compiled code repeats the list.

One call makes many steps. Python's lock is free during the call, so that other threads can measure
meanwhile.
"""

from collections.abc import Mapping
from types import ModuleType
from typing import final

import torch
from torch import Tensor

from dynamics.engine.kernels import products
from dynamics.engine.kernels.multiply import THIN, WORTH_TWO, arguments
from dynamics.engine.losses.masked import Masked
from dynamics.engine.network import Network
from dynamics.engine.problem import Pull, Task
from dynamics.engine.steps.interface import Memory
from dynamics.engine.steps.plain import Chained, by_products

ADD, MASK, SQUARE = 0, -1, -2  # kinds of operations in ``kernels/products.cpp``


class Tape:
    """A list of operations on fixed buffers."""

    def __init__(self, like: Tensor) -> None:
        self._functions = products(like.dtype)
        self._like = like
        self._operations: list[list[int]] = []
        self._rates: list[tuple[float, float]] = []
        self._arrays: list[Tensor] = []

    def multiply(self, left: Tensor, right: Tensor, out: Tensor, alpha: float, beta: float) -> None:
        """Add to the list: out ← beta · out + alpha · left · right."""
        self._note(arguments(left, right, out), alpha, beta)

    def entrywise(self, kind: int, out: Tensor, *sides: Tensor, alpha: float = 1.0) -> None:
        """Add to the list: an operation of one ``kind`` on each entry."""
        first, last = sides[0].contiguous(), sides[-1].contiguous()
        assert first is sides[0] and last is sides[-1] and out.is_contiguous()
        addresses = [first.data_ptr(), 0, 0, last.data_ptr(), 0, 0, out.data_ptr(), 0]
        self._note([*first.shape, kind, *addresses], alpha, 1.0)

    def play(self, count: int) -> None:
        """Run all operations in order, ``count`` times."""
        if not self._arrays:
            rates = torch.tensor(self._rates, dtype=self._like.dtype).mT.contiguous()
            self._arrays = [torch.tensor(self._operations), *rates]
        assert self._functions
        addresses = (array.data_ptr() for array in self._arrays)
        self._functions.replay(count, len(self._operations), *addresses)

    def _note(self, operation: list[int], alpha: float, beta: float) -> None:
        self._operations.append(operation)
        self._rates.append((alpha, beta))


@final
class ReplayedDescent(Chained):
    """The steps of ``Descent`` for wide networks on whole matrices, by plain gradient descent."""

    compiled = True

    def __init__(
        self, network: Network, problem: Task, optimizer: ModuleType, learning_rate: float
    ) -> None:
        super().__init__(network, problem, optimizer, learning_rate)
        assert isinstance(problem, Masked)
        self._masked = problem.masked
        self._residual = torch.empty_like(self._masked[0])
        self._sum = self._right.new_empty(1)
        self._written = (0.0, 0.0)  # the learning rate and the α that are on the tape
        self._tape = self._loss = Tape(self._sum)

    @classmethod
    def applies(cls, network: Network, problem: Task, optimizer: ModuleType) -> bool:
        """Whether compiled code can make these steps, and no product is worth a second thread."""
        like = network.factors[0]
        sides = network.widths
        layers = zip(sides, sides[1:], sides[2:], strict=False)
        return (
            getattr(optimizer, "PLAIN", False)
            and like.device.type == "cpu"
            and isinstance(problem, Masked)
            and min(sides) >= THIN
            and all(a * b * c < WORTH_TWO for a, b, c in layers)
            and products(like.dtype) is not None
        )

    def step(self, count: int = 1) -> None:
        """Make ``count`` gradient steps."""
        self._write()
        self._tape.play(count)

    def loss(self) -> float:
        """Returns the training loss of the current factors."""
        self._write()
        self._loss.play(1)
        return float(self._sum) * self.problem.scale / 2

    def _write(self) -> None:
        """List the operations of the loss and of one step, unless the listed rates still hold."""
        rates = (self.learning_rate, self.alpha)
        if rates != self._written:
            self._tape = self._loss = Tape(self._sum)
            self._forward()
            self._pull()
            self._tape.entrywise(SQUARE, self._sum, self._residual)
            self._tape = Tape(self._sum)
            self._backward(self._forward(), *self._pull())
            self._written = rates

    def _multiply(self, left: Tensor, right: Tensor, out: Tensor) -> Tensor:
        self._tape.multiply(left, right, out, 1.0, 0.0)
        return out

    def _pull(self) -> tuple[Pull, Pull]:
        left, right = self.network.factors[-1], self._right
        residual = self._multiply(left, right, self._residual)
        self._tape.entrywise(MASK, residual, *self._masked)
        return (residual, right.mT), (residual.mT, left)

    def _update(self, index: int, left: Tensor | None, right: Tensor) -> None:
        factor = self.network.factors[index]
        rate = self.rate(index) * self.problem.scale
        if left is None:
            self._tape.entrywise(ADD, factor, right, alpha=-rate)
        else:
            self._tape.multiply(left, right, factor, -rate, 1.0)

    @property
    def memory(self) -> Memory:
        """Empty, because plain gradient descent remembers nothing."""
        return {}

    def restore(self, memory: Mapping[str, Tensor]) -> None:
        """Continue from the network as it is now, and from the ``memory`` that belongs to it."""

    @property
    def operations(self) -> float:
        """Floating-point operations of one step, as in ``by_products``."""
        return by_products(self.network, self.problem)
