"""Graphs: descent on a GPU as a recorded graph of several steps, launched as one.

A small product on a GPU takes less time than asking for it does; a graph asks once for all the
products of K steps. Nothing is read back between records. Not yet measured: see
docs/performance.md.
"""

from collections.abc import Callable
from types import ModuleType

import torch

from dynamics.engine.network import Network
from dynamics.engine.problem import Problem
from dynamics.engine.steps.plain import Descent

STEPS = 10  # of a graph
WARM = 3  # steps that libraries need for their workspaces before anything can be recorded


class GraphDescent(Descent):
    """The steps of ``Descent``, whose buffers are made once, as a graph needs them."""

    def __init__(
        self, network: Network, problem: Problem, optimizer: ModuleType, learning_rate: float
    ) -> None:
        super().__init__(network, problem, optimizer, learning_rate)
        self._replay: Callable[[], object] | None = None
        self._recorded = (0.0, 0.0)  # the rates that are written into the graph

    @staticmethod
    def applies(network: Network, problem: Problem, optimizer: ModuleType) -> bool:
        """Whether the factors are on a GPU and the optimizer keeps no count on the host."""
        return network.factors[0].is_cuda and getattr(optimizer, "PLAIN", False)

    def step(self, count: int = 1) -> None:
        """Make ``count`` gradient steps, and wait for them: the caller looks at the clock."""
        rates = (self.learning_rate, self.alpha)
        if rates != self._recorded:
            self._replay, self._recorded = None, rates
        if self._replay is None and count >= WARM + STEPS:
            self._warm()
            count -= WARM
            self._replay = self._record()
        if self._replay is not None:
            for _ in range(count // STEPS):
                self._replay()
            count %= STEPS
        super().step(count)
        if self.network.factors[0].is_cuda:
            torch.cuda.synchronize()

    def _warm(self) -> None:
        if not self.network.factors[0].is_cuda:
            super().step(WARM)
            return
        aside = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        aside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(aside):
            super().step(WARM)
        torch.cuda.current_stream().wait_stream(aside)

    def _record(self) -> Callable[[], object]:
        """A function that makes STEPS steps; recording makes none."""
        if not self.network.factors[0].is_cuda:
            return lambda: Descent.step(self, STEPS)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            super().step(STEPS)
        return graph.replay
