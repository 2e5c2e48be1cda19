"""Reduced: exact simulations of a descent on a full target; a step costs the same for any size.

The start makes them exact. From an orthogonal start, one number per factor describes all but 2r
directions. Factors made of the target's singular vectors stay diagonal. Tests compare other forms
with them, and networks with names of their own use them. Comparisons of time do not: they are about
the steps on whole factors.
"""

from abc import abstractmethod
from collections.abc import Mapping
from types import ModuleType
from typing import final

import numpy as np
import torch
from torch import Tensor

from dynamics.engine.measuring.invariants import ROUNDING, form_of
from dynamics.engine.network import Network
from dynamics.engine.problem import Task, whole_of
from dynamics.engine.steps.interface import Memory, Steps, loss_of
from dynamics.engine.target import Target
from dynamics.theory.original import Cores, rates_of


class Reduced(Steps):
    """Steps of a reduction, each followed by an update of the network's factors.

    Raises:
        ValueError: if the target's factors are not known, the optimizer is not plain gradient
            descent, or the first factors are not what the reduction assumes.
    """

    def __init__(
        self, network: Network, problem: Task, optimizer: ModuleType, learning_rate: float
    ) -> None:
        super().__init__(network, problem, optimizer, learning_rate)
        target = whole_of(problem)
        if target is None or not self.applies(network, problem, optimizer):
            raise ValueError(
                "An exact reduction is known for factorization without noise, by plain gradient "
                "descent; choose those, or a network without reduction."
            )
        self._start(target)

    @classmethod
    def applies(cls, network: Network, problem: Task, optimizer: ModuleType) -> bool:
        """Whether the problem and the optimizer are those of a reduction."""
        return whole_of(problem) is not None and getattr(optimizer, "PLAIN", False)

    def step(self, count: int = 1) -> None:
        """Make ``count`` gradient steps."""
        for _ in range(count):
            self._step()
        self._write()

    def loss(self) -> float:
        """Returns the training loss of the current factors."""
        return loss_of(self.network, self.problem)

    @abstractmethod
    def _step(self) -> None:
        """Make one step of the reduction."""

    @abstractmethod
    def _start(self, target: Target) -> None:
        """Compute what the reduction needs from the first factors."""

    @abstractmethod
    def _write(self) -> None:
        """Bring the network's factors up to date."""


@final
class CoreReduction(Reduced):
    """A square network with orthogonal start: a core 2r wide, and one number ρ_l for the rest.

    Its factors always have the form of ``invariants.Form``, in which M_l and ρ_l follow the steps
    of ``original.Cores`` with the goal C_Lᵀ M* C_0.
    """

    def _start(self, target: Target) -> None:
        form = form_of(self.network.factors, target)
        if form is None:
            raise ValueError(
                "The original network's reduction needs a square matrix, at least 2 r wide, and "
                "orthogonal first factors of the same width."
            )
        self._form = form
        first, last = form.bases[0], form.bases[-1]
        goal = (last.mT @ target.left * target.values) @ (target.right @ first)
        self._core = Cores(goal.numpy(force=True).astype(float), np.array(form.sizes))

    def _step(self) -> None:
        depth = len(self._form.turns)
        rate = self.learning_rate * self.problem.scale
        with np.errstate(all="ignore"):  # a run that diverges is a result and not an error
            self._core.step(rates_of(depth, self.alpha, rate))

    @property
    def memory(self) -> Memory:
        """The cores and the numbers ρ_l."""
        memory: Memory = {}
        for index, (core, rest) in enumerate(zip(self._core.cores, self._core.rest, strict=True)):
            memory |= {f"{index}.core": torch.tensor(core), f"{index}.rest": torch.tensor(rest)}
        return memory

    def restore(self, memory: Mapping[str, Tensor]) -> None:
        """Continue from the network as it is now, and from the ``memory`` that belongs to it."""
        places = range(len(self._form.turns))
        self._core.cores = np.stack([memory[f"{index}.core"].numpy() for index in places])
        self._core.rest = np.array([float(memory[f"{index}.rest"]) for index in places])
        self._write()

    def _write(self) -> None:
        identity = np.eye(self._core.cores.shape[1])
        for index, (turn, core, rest) in enumerate(
            zip(self._form.turns, self._core.cores, self._core.rest.tolist(), strict=True)
        ):
            before, after = self._form.bases[index], self._form.bases[index + 1]
            shift = after @ torch.from_numpy(core - rest * identity).to(turn)
            torch.addmm(turn, shift, before.mT, beta=rest, out=self.network.factors[index])

    @property
    def operations(self) -> float:
        """Operations of the 3 (L − 1) products of the cores."""
        depth, side, _ = self._core.cores.shape
        return 6.0 * (depth - 1) * side**3


@final
class DiagonalReduction(Reduced):
    """A network that starts at the target's singular vectors: r̂ recursions of two numbers.

    W_1 = diag(a) V̂ᵀ, inner factors diag(b) and W_L = Û diag(a) at all times, with w = a² b^(L−2),
    e = c (w − s): a ← a − αη e a b^(L−2), b ← b − η e a² b^(L−3), both from the old values.
    """

    def _start(self, target: Target) -> None:
        factors = self.network.factors
        size = float(factors[0].norm(dim=1)[0])
        width = len(factors[0])
        self._left, self._right = factors[-1] / size, factors[0] / size
        turned = (self._left.mT @ target.left * target.values) @ (target.right @ self._right.mT)
        scaled = size * torch.eye(width).to(turned)
        aligned = turned.diagonal().norm() >= (1 - ROUNDING) * target.values[:width].norm()
        scalar = all(torch.allclose(factor, scaled, atol=0) for factor in factors[1:-1])
        orthonormal = torch.allclose(self._left.mT @ self._left, scaled / size, atol=ROUNDING)
        if not (aligned and scalar and orthonormal):
            raise ValueError(
                "The compressed network's reduction needs spectral first factors: ε times the "
                "target's singular vectors, and ε times the identity between them."
            )
        self._values = turned.diagonal().double().numpy().copy()
        self._outer = np.full_like(self._values, size)
        self._inner = np.full_like(self._values, size)

    def _step(self) -> None:
        outer, inner = self._outer, self._inner
        count = len(self.network.factors) - 2  # inner factors
        power = inner ** (count - 1) if count > 1 else 1.0
        chain = power * inner if count else 1.0
        square = outer * outer
        error = self.learning_rate * self.problem.scale * (square * chain - self._values)
        if count:
            self._inner = inner - error * square * power
        self._outer = outer - self.alpha * error * outer * chain

    @property
    def memory(self) -> Memory:
        """The outer and the inner values."""
        return {"0.outer": torch.tensor(self._outer), "0.inner": torch.tensor(self._inner)}

    def restore(self, memory: Mapping[str, Tensor]) -> None:
        """Continue from the network as it is now, and from the ``memory`` that belongs to it."""
        self._outer = memory["0.outer"].numpy()
        self._inner = memory["0.inner"].numpy()
        self._write()

    def _write(self) -> None:
        outer, inner = (
            torch.from_numpy(values).to(self._left) for values in (self._outer, self._inner)
        )
        factors = self.network.factors
        torch.mul(self._right, outer[:, None], out=factors[0])
        factors[-1].copy_(self._left * outer)
        for factor in factors[1:-1]:
            factor.copy_(torch.diag(inner))

    @property
    def operations(self) -> float:
        """About ten operations for each of the r̂ recursions."""
        return 10.0 * len(self._values)


REDUCTIONS: dict[str, type[Reduced]] = {"core": CoreReduction, "diagonal": DiagonalReduction}
