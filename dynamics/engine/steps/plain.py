"""Plain: gradient steps of one deep linear network, in closed form and in buffers made once."""

from abc import abstractmethod
from collections.abc import Mapping
from types import ModuleType
from typing import final

import torch
from torch import Tensor

from dynamics.engine.kernels.multiply import add_product, multiply
from dynamics.engine.network import Network
from dynamics.engine.problem import Pull, Task
from dynamics.engine.steps.interface import Memory, Steps, loss_of


class Chained(Steps):
    """Steps by the products of a chain of factors.

    With K = W_(L−1) ⋯ W_2, X = K W_1 and R the problem's residual at W_L X:

        G_L = c R Xᵀ,  Z = W_Lᵀ R,  G_1 = c Kᵀ Z,  H = Z W_1ᵀ,
        G_l = c (W_(L−1) ⋯ W_(l+1))ᵀ H (W_(l−1) ⋯ W_2)ᵀ for the inner factors.

    A wide network needs 3(L − 1) products. In a narrow one only six skinny products have a side of
    rows or cols. Every product with an old factor is made before that factor's update.
    """

    def __init__(
        self, network: Network, problem: Task, optimizer: ModuleType, learning_rate: float
    ) -> None:
        super().__init__(network, problem, optimizer, learning_rate)
        first, *inner, last = network.factors
        width = last.shape[1]
        size = len(first)
        # prefixes[i] is W_(i+2) ⋯ W_2: the first prefix is W_2 itself, and the last one is K.
        self._prefixes = inner[:1] + [factor.new_empty(len(factor), size) for factor in inner[1:]]
        self._right = first.new_empty(width, first.shape[1]) if inner else first
        self._back = torch.empty_like(self._right)
        self._ladder = [factor.new_empty(len(factor), size) for factor in reversed(inner)]

    @abstractmethod
    def _multiply(self, left: Tensor, right: Tensor, out: Tensor) -> Tensor:
        """out ← left · right; returns ``out``."""

    @abstractmethod
    def _update(self, index: int, left: Tensor | None, right: Tensor) -> None:
        """Move a factor against its gradient c · left · right; ``left`` None is the identity."""

    def _forward(self) -> Tensor | None:
        """Returns K, or None at depth 2, and leaves X in its buffer."""
        chain = self._chain()
        if chain is not None:
            self._multiply(chain, self.network.factors[0], self._right)
        return chain

    def _chain(self) -> Tensor | None:
        """Returns K = W_(L−1) ⋯ W_2 and keeps all shorter products; None at depth 2."""
        factors = self.network.factors
        prefixes = self._prefixes
        for i in range(1, len(prefixes)):
            self._multiply(factors[i + 1], prefixes[i - 1], prefixes[i])
        return prefixes[-1] if prefixes else None

    def _backward(self, chain: Tensor | None, onto_last: Pull, pulled_back: Pull) -> None:
        """Update all factors from K and from the two products with the residual."""
        first = self.network.factors[0]
        back = self._back
        self._multiply(*pulled_back, back.mT)
        self._update(len(self.network.factors) - 1, *onto_last)
        if chain is None:
            self._update(0, None, back)
            return
        down = self._multiply(back, first.mT, self._ladder[0])
        self._update(0, chain.mT, back)
        self._descend(down)

    def _descend(self, down: Tensor) -> None:
        """Update the inner factors from H, the last one first."""
        factors = self.network.factors
        prefixes = self._prefixes
        for i in range(len(prefixes) - 1, 0, -1):
            above = down
            down = self._multiply(factors[i + 1].mT, above, self._ladder[len(prefixes) - i])
            self._update(i + 1, above, prefixes[i - 1].mT)
        self._update(1, None, down)


class Moving(Steps):
    """Steps made one after another, each factor moved by the optimizer."""

    def __init__(
        self, network: Network, problem: Task, optimizer: ModuleType, learning_rate: float
    ) -> None:
        super().__init__(network, problem, optimizer, learning_rate)
        self._moves = Moves(self, optimizer)

    @abstractmethod
    def _step(self) -> None:
        """Make one gradient step."""

    def step(self, count: int = 1) -> None:
        """Make ``count`` gradient steps."""
        for _ in range(count):
            self._step()

    def loss(self) -> float:
        """Returns the training loss of the current factors."""
        return loss_of(self.network, self.problem)

    @property
    def memory(self) -> Memory:
        """What the optimizer keeps between steps."""
        return self._moves.memory

    def restore(self, memory: Mapping[str, Tensor]) -> None:
        """Continue from the network as it is now, and from the ``memory`` that belongs to it."""
        self._moves.restore(memory)


@final
class Descent(Moving, Chained):
    """The plain form, which always applies: one step after another, each product by itself."""

    @classmethod
    def applies(cls, network: Network, problem: Task, optimizer: ModuleType) -> bool:
        """Always."""
        return True

    def _step(self) -> None:
        chain = self._forward()
        self._backward(chain, *self.problem.pull(self.network.factors[-1], self._right))
        self._moves.move_backbone()

    def _multiply(self, left: Tensor, right: Tensor, out: Tensor) -> Tensor:
        return multiply(left, right, out)

    def _update(self, index: int, left: Tensor | None, right: Tensor) -> None:
        self._moves.move(index, left, right)

    @property
    def operations(self) -> float:
        """Floating-point operations of one step, as in ``by_products``."""
        return by_products(self.network, self.problem)


class Moves:
    """Moves factors and backbone by an optimizer, and keeps what it remembers of each."""

    def __init__(self, steps: Steps, optimizer: ModuleType) -> None:
        factors = steps.network.factors
        self._steps = steps
        self._direction = None if getattr(optimizer, "PLAIN", False) else optimizer.direction
        self._backbone = steps.network.paces
        self._gradients = [torch.empty_like(factor) for factor in factors]
        self._memories: list[Memory] = [{} for _ in (*factors, *self._backbone)]

    def move(self, index: int, left: Tensor | None, right: Tensor) -> None:
        """W_l ← W_l − η_l · direction(c · left · right); ``left`` None is the identity."""
        factor = self._steps.network.factors[index]
        scale = self._steps.problem.scale
        rate = self._steps.rate(index)
        if self._direction is not None:
            gradient = self._gradients[index]
            if left is None:
                torch.mul(right, scale, out=gradient)
            else:
                multiply(left, right, out=gradient).mul_(scale)
            factor.sub_(self._direction(gradient, self._memories[index]), alpha=rate)
        elif left is None:
            factor.sub_(right, alpha=rate * scale)
        else:
            add_product(factor, left, right, -rate * scale)

    def move_backbone(self) -> None:
        """θ ← θ − ρη · direction(∂loss/∂θ) for each parameter θ of the backbone, ρ its rate.

        The backbone's first matrix moves by α₁ρη.
        """
        rate = self._steps.learning_rate * self._steps.network.backbone_rate
        memories = self._memories[len(self._gradients) :]
        for (parameter, pace), memory in zip(self._backbone, memories, strict=True):
            assert parameter.grad is not None
            gradient = parameter.grad
            step = gradient if self._direction is None else self._direction(gradient, memory)
            parameter.data.sub_(step, alpha=rate * pace)

    def product(self, index: int, left: Tensor, right: Tensor) -> Tensor:
        """Returns left · right in the buffer of a factor's gradient."""
        return torch.mm(left, right, out=self._gradients[index])

    @property
    def memory(self) -> Memory:
        """A copy of all it keeps: ``0.mean`` is the ``mean`` of W_1; the backbone follows W_L."""
        return {
            f"{index}.{name}": value.clone()
            for index, memory in enumerate(self._memories)
            for name, value in memory.items()
        }

    def restore(self, memory: Mapping[str, Tensor]) -> None:
        """Continue from a copy that ``memory`` returned."""
        self._memories = [{} for _ in self._memories]
        for key, value in memory.items():
            index, _, name = key.partition(".")
            self._memories[int(index)][name] = value.clone()


def by_products(network: Network, problem: Task) -> float:
    """Floating-point operations of one step by the products of ``Chained``."""
    cols, *hidden, _ = network.widths
    first, last = hidden[0], hidden[-1]
    total = problem.operations(last)
    if len(hidden) > 1:
        total += 6.0 * first * last * cols
        for i in range(1, len(hidden) - 1):
            total += 6.0 * hidden[i + 1] * hidden[i] * first
    return total
