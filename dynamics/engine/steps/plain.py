"""Descent: gradient steps of one deep linear network, in closed form and in buffers made once."""

from types import ModuleType

import torch
from torch import Tensor

from dynamics.engine.factors import Factors, product
from dynamics.engine.kernels.multiply import add_product, multiply
from dynamics.engine.network import Network
from dynamics.engine.problem import Problem, Pull

OUTER = (0, -1)  # the first and the last factor
Memory = list[dict[str, Tensor]]  # by factor, what an optimizer keeps between steps


class Descent:
    """Steps W_l ← W_l − η_l · direction(∂loss/∂W_l), η_l = αη for the outer factors, η within.

    With K = W_(L−1) ⋯ W_2, X = K W_1 and R the problem's residual at W_L X:

        G_L = c R Xᵀ,  Z = W_Lᵀ R,  G_1 = c Kᵀ Z,  H = Z W_1ᵀ,
        G_l = c (W_(L−1) ⋯ W_(l+1))ᵀ H (W_(l−1) ⋯ W_2)ᵀ for the inner factors.

    These are 3(L − 1) products for a wide network, and for a narrow one all that touches rows or
    cols is six skinny products. Every product with an old factor comes before its update.

    Args:
        network: its factors are updated in place.
        problem: gives the residual; may be shared with other networks.
        optimizer: a module of ``optimizers/``.
        learning_rate: η; it and ``alpha``, which is the network's, may be set anew between steps.
    """

    compiled = False  # whether the steps are made by compiled code, beside which Python is free

    def __init__(
        self, network: Network, problem: Problem, optimizer: ModuleType, learning_rate: float
    ) -> None:
        self.network, self.problem = network, problem
        self.learning_rate, self.alpha = learning_rate, network.alpha
        self._direction = None if getattr(optimizer, "PLAIN", False) else optimizer.direction
        factors = network.factors
        self._memories: Memory = [{} for _ in factors]
        self._gradients = [torch.empty_like(factor) for factor in factors]
        first, *inner, last = factors
        width, into = last.shape[1], first.shape[0]
        # prefixes[i] is W_(i+2) ⋯ W_2, so that the last of them is K; the first is W_2 itself.
        self._prefixes = inner[:1] + [factor.new_empty(len(factor), into) for factor in inner[1:]]
        self._right = first.new_empty(width, first.shape[1]) if inner else first
        self._back = torch.empty_like(self._right)
        self._ladder = [factor.new_empty(len(factor), into) for factor in reversed(inner)]

    def step(self, count: int = 1) -> None:
        """Make ``count`` gradient steps."""
        for _ in range(count):
            self._step()

    def loss(self) -> float:
        """The training loss of the factors as they are, in the buffers of the steps."""
        factors = self.network.factors
        return float(self.problem.train_loss(factors[-1], product(factors[:-1])))

    def _step(self) -> None:
        first, last = self.network.factors[0], self.network.factors[-1]
        chain, right, back = self._forward(), self._right, self._back
        onto_last, pulled_back = self._pull(last, right)
        self._multiply(*pulled_back, back.mT)
        self._update(-1, *onto_last)
        if chain is None:
            self._update(0, None, back)
            return
        down = self._multiply(back, first.mT, self._ladder[0])
        self._update(0, chain.mT, back)
        self._descend(down)

    def _forward(self) -> Tensor | None:
        """K, or None at depth 2; X is in its buffer then."""
        chain = self._chain()
        if chain is not None:
            self._multiply(chain, self.network.factors[0], self._right)
        return chain

    def _chain(self) -> Tensor | None:
        """K = W_(L−1) ⋯ W_2, with all shorter products on the way; None at depth 2."""
        factors, prefixes = self.network.factors, self._prefixes
        for i in range(1, len(prefixes)):
            self._multiply(factors[i + 1], prefixes[i - 1], prefixes[i])
        return prefixes[-1] if prefixes else None

    def _descend(self, down: Tensor) -> None:
        """Update the inner factors from H, the last one first."""
        factors, prefixes = self.network.factors, self._prefixes
        for i in range(len(prefixes) - 1, 0, -1):
            above = down
            down = self._multiply(factors[i + 1].mT, above, self._ladder[len(prefixes) - i])
            self._update(i + 1, above, prefixes[i - 1].mT)
        self._update(1, None, down)

    def _multiply(self, left: Tensor, right: Tensor, out: Tensor) -> Tensor:
        """out ← left · right; gives ``out``."""
        return multiply(left, right, out)

    def _pull(self, left: Tensor, right: Tensor) -> tuple[Pull, Pull]:
        """The two products with the residual."""
        return self.problem.pull(left, right)

    def _update(self, index: int, left: Tensor | None, right: Tensor) -> None:
        """Move a factor against the gradient c · left · right; no left stands for the identity."""
        factor, scale = self.network.factors[index], self.problem.scale
        rate = self.learning_rate * (self.alpha if index in OUTER else 1)
        if self._direction is not None:
            gradient = self._gradients[index]
            if left is None:
                torch.mul(right, scale, out=gradient)
            else:
                multiply(left, right, out=gradient).mul_(scale)
            direction = self._direction(gradient, self._memories[index])
            factor.sub_(direction, alpha=rate)
        elif left is None:
            factor.sub_(right, alpha=rate * scale)
        else:
            add_product(factor, left, right, -rate * scale)

    @property
    def memory(self) -> Memory:
        """A copy of what the steps keep beside the factors, for ``restore``."""
        return [{name: kept.clone() for name, kept in each.items()} for each in self._memories]

    def restore(self, factors: Factors, memory: Memory) -> None:
        """Go on from these factors and from what was kept beside them."""
        for factor, wanted in zip(self.network.factors, factors, strict=True):
            factor.copy_(wanted)
        self._memories = [dict(each) for each in memory]

    @property
    def operations(self) -> float:
        """Floating-point operations of one step: two for each multiplication of its products."""
        cols, *hidden, _ = self.network.widths
        first, last = hidden[0], hidden[-1]
        total = self.problem.operations(last)
        if len(hidden) > 1:
            total += 6.0 * first * last * cols
            for i in range(1, len(hidden) - 1):
                total += 6.0 * hidden[i + 1] * hidden[i] * first
        return total
