"""Measuring: what is kept of a network; the costly part beside the training that goes on.

Losses are taken in line, at every record: they decide when to stop. All other measurements see a
copy of the factors, on one thread of their own, while the network trains towards its next record.
The numbers are the same; a core that is idle anyway pays for them.
"""

import dataclasses
import math
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future
from typing import Any

import numpy as np
import torch

from dynamics import registry
from dynamics.blocks import of_product
from dynamics.network import Network, State
from dynamics.problem import Problem
from dynamics.train import missing
from dynamics.trajectory import Array, Record

Values = dict[str, Array]
AHEAD = 2  # records that training may be ahead of measuring


class Measuring:
    """All measurements of ``measurements/`` that apply to a network, or ``only`` some."""

    def __init__(
        self, network: Network, problem: Problem, count: int, only: Sequence[str] = ()
    ) -> None:
        self._network, self._problem, self._count = network, problem, count
        self._start = State(_frozen(network), count)
        names = list(only or registry.options("measurements"))
        self._unknown = missing(self._take(network, names))
        self._names = list(self._unknown)
        self._inline = [name for name in self._names if _inline(name)]
        self._rest = [name for name in self._names if not _inline(name)]
        self._spent = 0.0

    def all(self) -> Values:
        """Everything, in line; NaN of a diverged network."""
        return self._guarded(self._network, self._names)

    def losses(self) -> Values:
        """What training needs to know at once; NaN of a diverged network."""
        values = self._take(self._network, self._inline)
        return values if math.isfinite(values["train_loss"]) else self._nothing(self._inline)

    def beside(
        self, records: Iterator[Record | None], side: Executor, memory: Callable[[], Any] = list
    ) -> Iterator[Record | None]:
        """The records with everything in them; training may be ahead of them by two.

        ``measuring_seconds`` is what training has lost to measuring: losses, copies and waiting.
        ``memory`` gives what the steps keep beside the factors: both are the record's ``state``.
        """
        waiting: deque[tuple[Record, Future[tuple[Values, Array]]]] = deque()
        for record in records:
            if record is None:  # a pause in a long stretch: what is ready need not wait longer
                ready = waiting and waiting[0][1].done()
                yield self._complete(*waiting.popleft()) if ready else None
                continue
            started = time.perf_counter()
            copy = _frozen(self._network)
            kept = dataclasses.replace(record, state={"factors": copy.factors, "memory": memory()})
            waiting.append((kept, side.submit(self._rest_of, copy)))
            self._spent += time.perf_counter() - started
            if len(waiting) > AHEAD or not record.step:  # the start is shown at once
                yield self._complete(*waiting.popleft())
        for each in waiting:
            yield self._complete(*each)

    def nothing(self, step: int, outcome: str = "") -> Record:
        """A record of a network that is not there yet."""
        values = self._nothing(self._names)
        return Record(step, math.nan, math.nan, math.nan, values, outcome)

    def _rest_of(self, network: Network) -> tuple[Values, Array]:
        """What is not taken in line, and the map."""
        cells = of_product(network.factors).detach().cpu().double()
        return self._guarded(network, self._rest), np.asarray(cells)

    def _complete(self, record: Record, rest: Future[tuple[Values, Array]]) -> Record:
        started = time.perf_counter()
        more, cells = rest.result()
        values = dict(record.values) | more
        self._spent += time.perf_counter() - started
        return dataclasses.replace(
            record,
            values={name: values[name] for name in self._names},
            cells=cells,
            measuring_seconds=record.measuring_seconds + self._spent,
        )

    def _guarded(self, network: Network, names: list[str]) -> Values:
        if not State(network, self._count).finite:
            return self._nothing(names)
        try:
            return self._take(network, names)
        # Finite factors, but a product beyond all numbers.
        except torch.linalg.LinAlgError:  # type: ignore[attr-defined]
            return self._nothing(names)

    def _take(self, network: Network, names: list[str]) -> Values:
        state = State(network, self._count, self._start)
        values = {}
        for name in names:
            found = registry.load("measurements", name).measure(state, self._problem)
            if found is not None:
                values[name] = np.asarray(found.detach().cpu().double())
        return values

    def _nothing(self, names: list[str]) -> Values:
        return {name: self._unknown[name] for name in names}


def _frozen(network: Network) -> Network:
    """A copy that training leaves alone."""
    return dataclasses.replace(network, factors=[factor.clone() for factor in network.factors])


def measurer(network: Network, problem: Problem, count: int) -> Callable[[], Values]:
    """A function that takes all measurements at once."""
    return Measuring(network, problem, count).all


def _inline(name: str) -> bool:
    return bool(registry.constant("measurements", name, "INLINE", False))
