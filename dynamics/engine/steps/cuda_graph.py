"""CUDA graph: steps on a GPU as a recorded graph of several steps, launched as one.

A small product on a GPU takes less time than its launch. A graph launches all products of several
steps at once. Nothing is read back between records. Its speed has not been measured yet: see
docs/performance.md.
"""

from collections.abc import Callable, Mapping
from types import ModuleType
from typing import final

import torch
from torch import Tensor

from dynamics.engine.network import Network
from dynamics.engine.problem import Recovery, Task
from dynamics.engine.steps.interface import Memory, Steps
from dynamics.engine.steps.plain import Descent

STEPS = 10  # gradient steps in one graph
WARM = 3  # steps in which libraries allocate their workspaces before a graph can be recorded


@final
class GraphDescent(Steps):
    """The steps of ``Descent``, whose buffers keep their addresses, as a graph needs."""

    def __init__(
        self, network: Network, problem: Task, optimizer: ModuleType, learning_rate: float
    ) -> None:
        super().__init__(network, problem, optimizer, learning_rate)
        self._plain = Descent(network, problem, optimizer, learning_rate)
        self._replay: Callable[[], object] | None = None
        self._recorded = (0.0, 0.0)  # the learning rate and the α that are part of the graph

    @classmethod
    def applies(cls, network: Network, problem: Task, optimizer: ModuleType) -> bool:
        """Whether the factors are on a GPU, and neither optimizer nor problem keeps a state."""
        plain = getattr(optimizer, "PLAIN", False)
        return network.factors[0].is_cuda and plain and isinstance(problem, Recovery)

    def step(self, count: int = 1) -> None:
        """Make ``count`` gradient steps and wait for them, because the caller measures the time."""
        rates = (self.learning_rate, self.alpha)
        if rates != self._recorded:
            self._plain.learning_rate, self._plain.alpha = rates
            self._replay = None
            self._recorded = rates
        if self._replay is None and count >= WARM + STEPS:
            self._warm()
            count -= WARM
            self._replay = self._record()
        if self._replay is not None:
            for _ in range(count // STEPS):
                self._replay()
            count %= STEPS
        self._plain.step(count)
        if self.network.factors[0].is_cuda:
            torch.cuda.synchronize()

    def _warm(self) -> None:
        if not self.network.factors[0].is_cuda:
            self._plain.step(WARM)
            return
        stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            self._plain.step(WARM)
        torch.cuda.current_stream().wait_stream(stream)

    def _record(self) -> Callable[[], object]:
        """Returns a function that makes STEPS steps; recording makes none."""
        if not self.network.factors[0].is_cuda:
            return lambda: self._plain.step(STEPS)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self._plain.step(STEPS)
        return graph.replay

    def loss(self) -> float:
        """Returns the training loss of the current factors."""
        return self._plain.loss()

    @property
    def memory(self) -> Memory:
        """The memory of ``Descent``."""
        return self._plain.memory

    def restore(self, memory: Mapping[str, Tensor]) -> None:
        """Continue from the network as it is now, and from the ``memory`` that belongs to it."""
        self._plain.restore(memory)

    @property
    def operations(self) -> float:
        """The operations of ``Descent``."""
        return self._plain.operations
