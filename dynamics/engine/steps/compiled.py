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

WIDEST = 64  # torch multiplies wider networks as fast
DENSEST = 0.8  # share of observed entries above which torch multiplies whole matrices as fast


class KernelDescent(Steps):
    """What the compiled steps share: padded arrays, of which the network's factors become views.

    Nothing is copied between steps and measurements, and other threads run during steps.
    """

    compiled = True
    function: str  # the name in ``kernels/descent.cpp``

    def __init__(
        self, network: Network, problem: Task, optimizer: ModuleType, learning_rate: float
    ) -> None:
        super().__init__(network, problem, optimizer, learning_rate)
        factors = network.factors
        like = network.factors[0]
        width = like.shape[0]
        inner = len(factors) - 2
        padded = -(-width // LANES) * LANES
        first = like.new_zeros(like.shape[1], padded)
        last = like.new_zeros(factors[-1].shape[0], padded)
        chain = like.new_zeros(inner, padded, padded)
        views = [first.mT[:width], *chain[:, :width, :width], last[:, :width]]
        for index, view in enumerate(views):
            factors[index] = view.copy_(factors[index])
        sizes, arrays, room = self._data(padded)
        work = like.new_zeros(inner * padded**2 + room)
        self._arrays = [*arrays, last, first, chain, work]  # kept alive for their addresses
        self._arguments = [
            len(last),
            len(first),
            inner,
            *sizes,
            *map(Tensor.data_ptr, self._arrays),
        ]
        self._library = library(width, like.dtype)
        self._function = getattr(self._library, self.function)

    @abstractmethod
    def _data(self, padded: int) -> tuple[list[int], list[Tensor], int]:
        """Returns sizes and arrays that describe the problem, and the numbers of work space."""

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
        """Whether the problem is of the kind that this code is made for."""

    def step(self, count: int = 1) -> None:
        """Make ``count`` gradient steps."""
        inner = self.learning_rate * self.problem.scale
        self._function(count, *self._arguments, inner * self.alpha, inner)

    @property
    def memory(self) -> Memory:
        """Nothing: plain gradient descent remembers nothing."""
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
        """Returns the training loss, from the observed entries alone."""
        squares = torch.empty(1, dtype=self.network.factors[0].dtype)
        assert self._library
        self._library.misfit(*self._arguments, squares.data_ptr())
        return float(squares) * self.problem.scale / 2

    @property
    def operations(self) -> float:
        """Those of ``by_products``."""
        return by_products(self.network, self.problem)

    def _data(self, padded: int) -> tuple[list[int], list[Tensor], int]:
        assert isinstance(self.problem, Recovery)
        samples = self.problem.samples
        columns = self.problem.shape[1]
        assert samples is not None
        # Every row is filled up to a multiple of LANES by zeros in a column after the last.
        counts = samples.starts.diff()
        starts = torch.nn.functional.pad((-(-counts // LANES) * LANES).cumsum(0), (1, 0)).int()
        where = torch.arange(len(samples.places)) + torch.repeat_interleave(
            starts[:-1] - samples.starts[:-1], counts
        )
        places = torch.full((int(starts[-1]),), columns, dtype=torch.int32)
        values = samples.values.new_zeros(len(places))
        places[where], values[where] = samples.places, samples.values
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
        """Those of the form that torch would take."""
        target = whole_of(self.problem)
        assert target is not None
        shape = self.problem.shape
        rank = len(target.values)
        width, depth = len(self.network.factors[0]), len(self.network.factors)
        if gains_by_factors(shape, width, rank):
            return by_factors(shape, width, rank, depth)
        return by_products(self.network, self.problem)
