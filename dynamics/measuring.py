"""Measuring: what is kept of a network; the costly part beside the training that goes on.

The training loss is taken in line, at every record: it decides when to stop. All else sees a copy
of the factors, on one thread of their own, while the network trains towards its next record.
The numbers are the same; a core that is idle anyway pays for them.
"""

import dataclasses
import math
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from functools import partial
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


@dataclass(frozen=True)
class Pending:
    """A record that is being measured.

    Attributes:
        record: what is known of it already.
        complete: waits for the rest and gives all of it.
        ready: whether that would take no waiting.
    """

    record: Record
    complete: Callable[[], Record]
    ready: Callable[[], bool]


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
        self._rest = [name for name in self._names if name != "train_loss"]
        self._spent = 0.0

    def all(self) -> Values:
        """Everything, in line; NaN of a diverged network."""
        return self._guarded(self._network, self._names)

    def beside(self, record: Record, side: Executor, memory: Callable[[], Any] = list) -> "Pending":
        """Begin to measure what belongs to a record of the training loss; training may go on.

        ``memory`` gives what the steps keep beside the factors: both are the record's ``state``.
        """
        started = time.perf_counter()
        copy = _frozen(self._network)
        kept = dataclasses.replace(record, state={"factors": copy.factors, "memory": memory()})
        rest = side.submit(self._rest_of, copy, record.outcome)
        self._spent += time.perf_counter() - started
        return Pending(kept, partial(self._complete, kept, rest), rest.done)

    def nothing(self, step: int, outcome: str = "") -> "Pending":
        """A record of a network that is not there yet."""
        values = self._nothing(self._names)
        record = Record(step, math.nan, math.nan, math.nan, values, outcome)
        return Pending(record, lambda: record, lambda: True)

    def _rest_of(self, network: Network, outcome: str) -> tuple[Values, Array]:
        """What is not taken in line, and the map."""
        cells = np.asarray(of_product(network.factors).detach().cpu().double())
        if outcome == "diverged":
            return self._nothing(self._rest), cells
        return self._guarded(network, self._rest), cells

    def _complete(self, record: Record, rest: Future[tuple[Values, Array]]) -> Record:
        """The record with all measurements, and with what training has lost to them so far."""
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
