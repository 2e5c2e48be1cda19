"""Compiled: steps of narrow networks on the CPU, made by compiled code."""

from abc import abstractmethod
from collections.abc import Mapping
from types import ModuleType
from typing import final

import torch
from torch import Tensor

from dynamics.core.cost import by_factors, gains_by_factors
from dynamics.engine.kernels import LANES, NUMBERS, library
from dynamics.engine.network import Network
from dynamics.engine.problem import Recovery, Task, whole_of
from dynamics.engine.steps.interface import Memory, Steps, loss_of
from dynamics.engine.steps.plain import by_products

WIDEST = 64  # largest hidden width; torch is as fast for wider networks
DENSEST = 0.8  # largest share of observed entries; above it, torch is as fast with whole matrices


class KernelDescent(Steps):
    """What the compiled steps share: padded arrays, and the network's factors as views of them.

    Nothing is copied between steps and measurements. Other Python threads run during the steps.
    """

    compiled = True
    function: str  # name of the compiled function in ``kernels/descent.cpp``

    def __init__(
        self, network: Network, problem: Task, optimizer: ModuleType, learning_rate: float
    ) -> None:
        super().__init__(network, problem, optimizer, learning_rate)
        width = len(network.factors[0])
        padded = -(-width // LANES) * LANES
        first, chain, last = self._padded_factors(padded)
        sizes, arrays, room = self._data(padded)
        work = first.new_zeros(len(chain) * padded**2 + room)
        # The arrays must stay alive, because compiled code has their addresses.
        self._arrays = [*arrays, last, first, chain, work]
        addresses = map(Tensor.data_ptr, self._arrays)
        self._arguments = [len(last), len(first), len(chain), *sizes, *addresses]
        self._library = library(width, first.dtype)
        self._function = getattr(self._library, self.function)

    def _padded_factors(self, padded: int) -> tuple[Tensor, Tensor, Tensor]:
        """Returns W_1ᵀ, the inner factors and W_L in rows of ``padded`` numbers.

        The network's factors become views of them.
        """
        factors = self.network.factors
        like = factors[0]
        width = len(like)
        first = like.new_zeros(like.shape[1], padded)
        last = like.new_zeros(len(factors[-1]), padded)
        chain = like.new_zeros(len(factors) - 2, padded, padded)
        views = [first.mT[:width], *chain[:, :width, :width], last[:, :width]]
        for index, view in enumerate(views):
            factors[index] = view.copy_(factors[index])
        return first, chain, last

    @abstractmethod
    def _data(self, padded: int) -> tuple[list[int], list[Tensor], int]:
        """Returns sizes and arrays that describe the problem, and how many numbers to work in."""

    @classmethod
    def applies(cls, network: Network, problem: Task, optimizer: ModuleType) -> bool:
        """Whether compiled code for these steps exists and is faster."""
        like = network.factors[0]
        hidden = set(network.widths[1:-1])
        return (
            getattr(optimizer, "PLAIN", False)
            and like.device.type == "cpu"
            and like.dtype in NUMBERS
            and len(hidden) == 1
            and max(hidden) <= min(WIDEST, *problem.shape)
            and isinstance(problem, Recovery)
            and cls._gains(problem)
            and library(max(hidden), like.dtype) is not None
        )

    @staticmethod
    @abstractmethod
    def _gains(problem: Recovery) -> bool:
        """Whether this code can read the problem, and is faster on it."""

    def step(self, count: int = 1) -> None:
        """Make ``count`` gradient steps."""
        inner = self.learning_rate * self.problem.scale
        self._function(count, *self._arguments, inner * self.alpha, inner)

    @property
    def memory(self) -> Memory:
        """Empty, because plain gradient descent remembers nothing."""
        return {}

    def restore(self, memory: Mapping[str, Tensor]) -> None:
        """Continue from the network as it is now, and from the ``memory`` that belongs to it."""


@final
class EntriesKernel(KernelDescent):
    """Steps that read the observed entries only: O(|Ω| r̂) operations, O(|Ω|) memory."""

    function = "entries"

    @staticmethod
    def _gains(problem: Recovery) -> bool:
        entries = problem.shape[0] * problem.shape[1]
        samples = problem.samples
        return samples is not None and len(samples.places) <= min(DENSEST * entries, 2**31 - 1)

    def loss(self) -> float:
        """Returns the training loss, computed from the observed entries alone."""
        squares = torch.empty(1, dtype=self.network.factors[0].dtype)
        assert self._library
        self._library.misfit(*self._arguments, squares.data_ptr())
        return float(squares) * self.problem.scale / 2

    @property
    def operations(self) -> float:
        """Floating-point operations of one step, as in ``by_products``."""
        return by_products(self.network, self.problem)

    def _data(self, padded: int) -> tuple[list[int], list[Tensor], int]:
        assert isinstance(self.problem, Recovery)
        samples = self.problem.samples
        columns = self.problem.shape[1]
        assert samples is not None
        # Each row is padded to a multiple of LANES by zeros that belong to a column after the last.
        counts = samples.starts.diff()
        starts = torch.nn.functional.pad((-(-counts // LANES) * LANES).cumsum(0), (1, 0)).int()
        positions = torch.arange(len(samples.places)) + torch.repeat_interleave(
            starts[:-1] - samples.starts[:-1], counts
        )
        places = torch.full((int(starts[-1]),), columns, dtype=torch.int32)
        values = samples.values.new_zeros(len(places))
        places[positions] = samples.places
        values[positions] = samples.values
        return [], [starts, places, values], 2 * (columns + 1) * padded


@final
class FactoredKernel(KernelDescent):
    """The steps of ``FactoredDescent``, by the same formulas."""

    function = "factored"

    def loss(self) -> float:
        """Returns the training loss of the current factors."""
        return loss_of(self.network, self.problem)

    @staticmethod
    def _gains(problem: Recovery) -> bool:
        return problem.whole is not None and 2 * len(problem.whole.values) <= min(problem.shape)

    def _data(self, padded: int) -> tuple[list[int], list[Tensor], int]:
        target = whole_of(self.problem)
        assert target is not None
        rank = len(target.values)
        sides = [-target.left * target.values, target.right.mT]
        room = 2 * padded**2 + 2 * (rank + LANES) * padded
        pad = -rank % LANES
        arrays = [torch.nn.functional.pad(side, (0, pad)).contiguous() for side in sides]
        return [rank + pad], arrays, room

    @property
    def operations(self) -> float:
        """Operations of the equivalent torch step, so the count does not depend on a compiler."""
        target = whole_of(self.problem)
        assert target is not None
        shape = self.problem.shape
        rank = len(target.values)
        depth = len(self.network.factors)
        width = len(self.network.factors[0])
        if gains_by_factors(shape, width, rank):
            return by_factors(shape, width, rank, depth)
        return by_products(self.network, self.problem)
