"""Measuring: what is kept of a network; the costly part beside the training that goes on.

The training loss is taken in line, at every record: it decides when to stop. All else sees a copy
of the factors, on one thread of their own, while the network trains towards its next record.
The numbers are the same; a core that is idle anyway pays for them. That needs steps which leave
Python's lock alone: others would be slowed, and it would be counted as training.
"""

import dataclasses
import math
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch

from dynamics.core import registry
from dynamics.core.records import Array, Record, missing
from dynamics.engine.measuring.cells import of_product
from dynamics.engine.measuring.matching import Matching
from dynamics.engine.measuring.state import State
from dynamics.engine.network import Network
from dynamics.engine.problem import Problem

Values = dict[str, Array]
Rest = tuple[Values, Array, Any]  # measurements, the map, which modes were known before


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
        self._start = self._turned = State(_frozen(network), count)
        names = list(only or registry.options("measurements"))
        self._unknown = missing(self._take(network, names, self._start))
        self._names = list(self._unknown)
        self._rest = [name for name in self._names if name != "train_loss"]
        self._spent = 0.0

    def all(self) -> Values:
        """Everything, in line; NaN of a diverged network."""
        return self._guarded(self._network, self._names, self._start)

    def turn(self, alpha: float) -> None:
        """From now on the outer factors move by another α, and another balance is conserved."""
        if alpha != self._turned.alpha:
            self._turned = State(_frozen(self._network, alpha), self._count)

    def restore(self, state: Mapping[str, Any], alpha: float) -> None:
        """Go on from a record's ``state``: with its α, the balance of then and its modes."""
        if state.get("turned"):
            self._turned = State(Network(list(state["turned"]), alpha), self._count)
        if state.get("matching"):
            order, named = state["matching"]
            self._start.latest = Matching(tuple(order), frozenset(named))

    def begin(
        self, record: Record, side: Executor | None, kept: Callable[[], Mapping[str, Any]]
    ) -> "Pending":
        """Begin to measure what belongs to a record of the training loss; training may go on.

        Without ``side`` all of it is measured at once. ``kept`` gives what training goes on
        from beside the factors. Both are in the record's ``state``, with what ``restore`` wants:
        the factors when α last changed, and which modes were known before this record.
        """
        started = time.perf_counter()
        turned = self._turned
        copy = _frozen(self._network, turned.alpha)
        state = {"factors": copy.factors, **kept()}
        state["turned"] = None if turned is self._start else turned.factors
        begun = dataclasses.replace(record, state=state)
        rest = Future[Rest]()
        if side is None:
            rest.set_result(self._rest_of(copy, turned, record.outcome))
        else:
            rest = side.submit(self._rest_of, copy, turned, record.outcome)
        self._spent += time.perf_counter() - started
        return Pending(begun, partial(self._complete, begun, rest), rest.done)

    def nothing(self, step: int, outcome: str = "") -> "Pending":
        """A record of a network that is not there yet."""
        values = self._nothing(self._names)
        record = Record(step, math.nan, math.nan, math.nan, values, outcome)
        return Pending(record, lambda: record, lambda: True)

    def _rest_of(self, network: Network, turned: State, outcome: str) -> Rest:
        """What is not taken in line, the map, and which modes were known before."""
        known = self._start.latest
        matching = known and (list(known.order), sorted(known.named))
        cells = np.asarray(of_product(network.factors).detach().cpu().double())
        if outcome == "diverged":
            return self._nothing(self._rest), cells, matching
        return self._guarded(network, self._rest, turned), cells, matching

    def _complete(self, record: Record, rest: Future[Rest]) -> Record:
        """The record with all measurements, and with what training has lost to them so far."""
        started = time.perf_counter()
        more, cells, matching = rest.result()
        values = dict(record.values) | more
        self._spent += time.perf_counter() - started
        return dataclasses.replace(
            record,
            values={name: values[name] for name in self._names},
            cells=cells,
            state=record.state | {"matching": matching},
            measuring_seconds=record.measuring_seconds + self._spent,
        )

    def _guarded(self, network: Network, names: list[str], turned: State) -> Values:
        if not State(network, self._count).finite:
            return self._nothing(names)
        try:
            return self._take(network, names, turned)
        # Finite factors, but a product beyond all numbers.
        except torch.linalg.LinAlgError:  # type: ignore[attr-defined]
            return self._nothing(names)

    def _take(self, network: Network, names: list[str], turned: State) -> Values:
        state = State(network, self._count, self._start, turned)
        values = {}
        for name in names:
            found = registry.load("measurements", name).measure(state, self._problem)
            if found is not None:
                values[name] = np.asarray(found.detach().cpu().double())
        return values

    def _nothing(self, names: list[str]) -> Values:
        return {name: self._unknown[name] for name in names}


def _frozen(network: Network, alpha: float | None = None) -> Network:
    """A copy that training leaves alone, with another α if one is given."""
    factors = [factor.clone() for factor in network.factors]
    return dataclasses.replace(
        network, factors=factors, alpha=network.alpha if alpha is None else alpha
    )


def measurer(network: Network, problem: Problem, count: int) -> Callable[[], Values]:
    """A function that takes all measurements at once."""
    return Measuring(network, problem, count).all
