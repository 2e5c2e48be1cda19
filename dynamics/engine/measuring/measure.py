"""Measuring: all measurements of a network, the costly ones beside its training.

The training loss is measured in line at every record, since it decides when to stop. All other
measurements read a copy of the network, on a thread of their own, while the network trains towards
its next record. The numbers are the same, and a core that would be idle computes them. This needs
gradient steps that release Python's lock: others would slow down, and count that as training.
"""

import copy
import dataclasses
import math
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch

from dynamics.core import registry
from dynamics.core.finite import NotFiniteError
from dynamics.core.records import Array, Record, missing
from dynamics.engine.factors import product
from dynamics.engine.measuring.cells import of_product
from dynamics.engine.measuring.moment import Moment, Resumable
from dynamics.engine.measuring.state import State
from dynamics.engine.network import Network
from dynamics.engine.problem import Task
from dynamics.engine.steps.interface import Steps
from dynamics.engine.training.record_spacing import Gaps
from dynamics.theory.matching import Matching

Values = dict[str, Array]


@dataclass(frozen=True)
class Rest:
    """What is measured beside the training loss.

    Attributes:
        values: the measurements.
        cells: the heat map.
        matching: the modes that were known before.
        whole: W itself if it is a picture.
    """

    values: Values
    cells: Array
    matching: Matching | None
    whole: Array | None


@dataclass(frozen=True)
class Pending:
    """A record that is being measured.

    Attributes:
        record: what is known already.
        complete: waits for the measurements and returns the whole record.
        ready: returns whether ``complete`` would not wait.
    """

    record: Resumable
    complete: Callable[[], Resumable]
    ready: Callable[[], bool]


class Measuring:
    """All measurements of ``measurements/`` that apply to a network, or ``only`` some."""

    def __init__(
        self, network: Network, problem: Task, count: int, only: Sequence[str] = ()
    ) -> None:
        self._network = network
        self._problem = problem
        self._count = count
        self._start = self._turned = State(_frozen(network), count)
        self._matching: Matching | None = None  # of the last record that was measured
        names = list(only or registry.options("measurements"))
        self._measures = {name: registry.load("measurements", name).measure for name in names}
        self._unknown = missing(self._take(network, names, self._start, problem, -1, 0))
        self._names = list(self._unknown)
        self._rest = [name for name in self._names if name != "train_loss"]
        self._spent = 0.0

    def all(self) -> Values:
        """All measurements, in line; NaN if the network has diverged."""
        return self._guarded(self._network, self._names, self._start, self._problem)

    def beside(self, record: Record) -> Values:
        """All values of a record of the training loss, measured in line."""
        if record.outcome == "diverged":
            return self._nothing(self._names)
        more = self._guarded(
            self._network, self._rest, self._turned, self._problem, record.step, record.step + 1
        )
        values = dict(record.values) | more
        return {name: values[name] for name in self._names}

    def turn(self, alpha: float) -> None:
        """From now on the outer factors move by a new α, which conserves a different balance."""
        if alpha != self._turned.alpha:
            self._turned = State(_frozen(self._network, alpha), self._count)

    def restore(self, moment: Moment, alpha: float) -> None:
        """Continue from a moment, at which the outer factors moved by this α."""
        if moment.turned is not None:
            self._turned = State(Network(list(moment.turned), alpha), self._count)
        if moment.matching is not None:
            self._matching = moment.matching

    def begin(self, record: Record, side: Executor | None, steps: Steps, gaps: Gaps) -> Pending:
        """Begin to measure what belongs to a record of the training loss; training may continue.

        Args:
            record: of the training loss.
            side: an executor that measures; None to measure everything now.
            steps: the network's gradient steps, whose memory belongs to the moment.
            gaps: what the step of the next record follows from.
        """
        started = time.perf_counter()
        turned = self._turned
        frozen = _frozen(self._network, turned.alpha, deep=side is not None)
        backbone = {} if frozen.backbone is None else frozen.backbone.state_dict()
        moment = Moment(
            frozen.factors,
            steps.memory,
            gaps,
            {name: value.clone() for name, value in backbone.items()},
            None if turned is self._start else turned.factors,
        )
        begun = Resumable(**vars(record), moment=moment)
        rest = Future[Rest]()
        if side is None:
            rest.set_result(self._rest_of(frozen, turned, steps.problem, record, gaps.gap))
        else:
            problem = self._problem.behind(frozen.backbone)
            rest = side.submit(self._rest_of, frozen, turned, problem, record, gaps.gap)
        self._spent += time.perf_counter() - started
        return Pending(begun, partial(self._complete, begun, moment, rest), rest.done)

    def nothing(self, step: int, outcome: str = "") -> Pending:
        """A record without numbers, for a network that has not started yet."""
        values = self._nothing(self._names)
        record = Resumable(step, math.nan, math.nan, math.nan, values, outcome)
        return Pending(record, lambda: record, lambda: True)

    def _rest_of(
        self, network: Network, turned: State, problem: Task, record: Record, gap: int
    ) -> Rest:
        """All measurements but the training loss."""
        matching = self._matching
        cells = np.asarray(of_product(network.factors).detach().cpu().double())
        whole = None
        if problem.pictured:
            whole = np.asarray(product(network.factors).detach().cpu().double())
        if record.outcome == "diverged":
            return Rest(self._nothing(self._rest), cells, matching, whole)
        step = record.step
        if record.outcome:
            problem, gap = problem.at_end(), step + 1
        values = self._guarded(network, self._rest, turned, problem, step, gap)
        return Rest(values, cells, matching, whole)

    def _complete(self, record: Resumable, moment: Moment, rest: Future[Rest]) -> Resumable:
        """The record with all measurements, and with the time that training lost to them."""
        started = time.perf_counter()
        measured = rest.result()
        values = dict(record.values) | measured.values
        self._spent += time.perf_counter() - started
        return dataclasses.replace(
            record,
            values={name: values[name] for name in self._names},
            cells=measured.cells,
            whole=measured.whole,
            moment=dataclasses.replace(moment, matching=measured.matching),
            measuring_seconds=record.measuring_seconds + self._spent,
        )

    def _guarded(
        self,
        network: Network,
        names: list[str],
        turned: State,
        problem: Task,
        step: int = 0,
        gap: int = 0,
    ) -> Values:
        if not State(network, self._count).finite:
            return self._nothing(names)
        try:
            return self._take(network, names, turned, problem, step, gap)
        # The factors are finite, but their product is not, or LAPACK has found no solution.
        except (NotFiniteError, torch.linalg.LinAlgError):  # type: ignore[attr-defined]
            return self._nothing(names)

    def _take(
        self,
        network: Network,
        names: list[str],
        turned: State,
        problem: Task,
        step: int,
        gap: int,
    ) -> Values:
        state = State(network, self._count, self._start, turned, self._matching, step, gap)
        values = {}
        for name in names:
            value = self._measures[name](state, problem)
            if value is not None:
                values[name] = value.detach().cpu().numpy().astype(np.float64)
        self._matching = state.matching or self._matching
        return values

    def _nothing(self, names: list[str]) -> Values:
        return {name: self._unknown[name] for name in names}


def _frozen(network: Network, alpha: float | None = None, deep: bool = True) -> Network:
    """A copy that training does not change, with a different α if one is given.

    If it is not ``deep``, it has the network's own backbone, and is one until the next step.
    """
    return dataclasses.replace(
        network,
        factors=[factor.clone() for factor in network.factors],
        alpha=network.alpha if alpha is None else alpha,
        backbone=copy.deepcopy(network.backbone) if deep else network.backbone,
    )


def measurer(network: Network, problem: Task, count: int) -> Callable[[], Values]:
    """Returns a function that takes all measurements at once."""
    return Measuring(network, problem, count).all
