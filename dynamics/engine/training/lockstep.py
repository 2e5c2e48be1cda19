"""Lockstep: several networks trained together, each in a lane of its own.

The changes of the config's schedule happen here: rates change between two steps of a lane, and a
network may start late, from another network's factors at that moment.
"""

import time
from collections import deque
from collections.abc import Iterator, Mapping
from concurrent.futures import Executor
from functools import partial

from dynamics.core import registry, traits
from dynamics.core.changes import LateStart
from dynamics.core.config import Config
from dynamics.core.cost import AHEAD, start
from dynamics.core.rates import Rates, rates
from dynamics.engine.factors import truncated
from dynamics.engine.measuring.measure import Measuring, Pending
from dynamics.engine.measuring.moment import Resumable
from dynamics.engine.network import Network
from dynamics.engine.problem import Task
from dynamics.engine.steps.fastest import fastest
from dynamics.engine.steps.interface import Steps
from dynamics.engine.training.loop import train
from dynamics.engine.training.record_spacing import Spacing

Row = dict[str, Resumable]  # by network, at one step
Lane = Iterator[Pending | None]  # a network's records; None at times between them


class Lanes:
    """All networks of one run.

    Args:
        config: the settings.
        problem: what the networks learn.
        networks: by name, the original first.
        learning_rate: η at the start, in absolute terms whatever unit the config counts it in.
        side: an executor that measures beside the training where that does not slow the training.
        since: records to continue from, of the networks that had not ended; empty at a run's start.
        begun: seconds that the first factors took, by network.
    """

    def __init__(
        self,
        config: Config,
        problem: Task,
        networks: Mapping[str, Network],
        learning_rate: float,
        side: Executor,
        since: Mapping[str, Resumable],
        begun: Mapping[str, float],
    ) -> None:
        self._config = config
        self._problem = problem
        self._networks = networks
        self._learning_rate = learning_rate
        self._side = side
        self._since = since
        self._begun = begun
        self._spacing = Spacing(config)
        for record in since.values():
            # The last network's gaps stay: they were noted when all had reached the record.
            if record.moment and record.moment.gaps:
                self._spacing.restore(record.moment.gaps)

    def __iter__(self) -> Iterator[Row | None]:
        """Yields a row of records, one of each lane that has not ended; None at times between.

        All networks reach the same record before any continues to the next one, so that what
        follows a record never depends on speed. Measuring may be AHEAD rows behind training.
        """
        first = max((record.step for record in self._since.values()), default=0)
        late = self._config.late
        if late and late.step < max(first, 1):
            late = None  # the late network has started already
        waiting = late and self._measuring(late.network)
        lanes = self._lanes(late)
        rows = deque[dict[str, Pending]]()
        while lanes:
            row: dict[str, Pending] = {}
            for name in list(lanes):
                if late and waiting and name == late.network:
                    lead = row[late.source].record
                    lanes[name] = self._late(late, lead, waiting)
                    late = late if lead.step < late.step else None
                for pending in lanes[name]:
                    if pending is not None:
                        row[name] = pending
                        break
                    # In a long stretch, a row that is ready need not wait for the stretch's end.
                    yield _complete(rows.popleft()) if rows and _ready(rows[0]) else None
            rows.append(row)
            lanes = {name: lane for name, lane in lanes.items() if not row[name].record.outcome}
            while rows and (len(rows) > AHEAD or _ready(rows[0])):
                yield _complete(rows.popleft())
        while rows:
            yield _complete(rows.popleft())

    def _lanes(self, late: LateStart | None) -> dict[str, Lane]:
        """The lanes to begin with: of all networks that have not ended, empty for the late one."""
        lanes: dict[str, Lane] = {}
        for name in self._networks:
            if late and name == late.network:
                lanes[name] = iter(())
            elif not self._since or name in self._since:
                operations = begun(self._config, self._problem, name)
                first = Resumable(0, self._begun.get(name, 0.0), 0.0, operations, {})
                lanes[name] = self._lane(name, self._since.get(name, first))
        return lanes

    def _lane(self, name: str, since: Resumable) -> Lane:
        """A network's records, from ``since`` on."""
        config = self._config
        network = self._networks[name]
        optimizer = registry.load("optimizers", config.optimizer)
        steps = fastest(network, self._problem, optimizer, self._learning_rate)
        steps.problem.next_step = since.step
        measuring = self._measuring(name)
        if since.moment is not None:
            network.restore(since.moment.factors, since.moment.backbone)
            steps.restore(since.moment.memory)
            measuring.restore(since.moment, self._rates(name, since.step - 1).alpha)
        self._turn(steps, measuring, name, since.step - 1)
        records = train(
            steps.step,
            steps.loss,
            config.steps,
            config.record_every,
            tolerance=config.tolerance,
            operations=steps.operations,
            after=partial(self._spacing.after, name),
            turns={
                change.step: partial(self._turn, steps, measuring, name, change.step)
                for change in config.schedule
            },
            since=since,
        )
        side = self._side if steps.compiled or network.factors[0].is_cuda else None
        for record in records:
            yield record and measuring.begin(record, side, steps, self._spacing.gaps)

    def _measuring(self, name: str) -> Measuring:
        return Measuring(self._networks[name], self._problem, singular_value_count(self._config))

    def _turn(self, steps: Steps, measuring: Measuring, name: str, step: int) -> None:
        """Give a network the rates with which it continues from ``step``."""
        now = self._rates(name, step)
        steps.learning_rate = now.learning_rate
        steps.alpha = now.alpha
        measuring.turn(now.alpha)

    def _rates(self, name: str, step: int) -> Rates:
        return rates(self._config, name, self._learning_rate, step)

    def _late(self, late: LateStart, lead: Resumable, waiting: Measuring) -> Lane:
        """The lane of a network that starts late, when its source has reached the record ``lead``.

        Before its start it yields one record without numbers, which is its last if the source has
        ended.
        """
        if lead.step < late.step or lead.outcome == "diverged":
            yield waiting.nothing(lead.step, lead.outcome)
            return
        assert lead.moment is not None
        began = time.perf_counter()
        cut = truncated(lead.moment.factors, self._config.rank_bound)
        seconds = lead.seconds + time.perf_counter() - began
        self._networks[late.network].restore(cut, lead.moment.backbone)
        operations = lead.operations + start(self._config, late.network)
        before = Resumable(late.step, seconds, lead.measuring_seconds, operations, values={})
        yield from self._lane(late.network, before)


def _ready(row: Mapping[str, Pending]) -> bool:
    """Whether nothing of a row is still being measured."""
    return all(pending.ready() for pending in row.values())


def _complete(row: Mapping[str, Pending]) -> Row:
    return {name: pending.complete() for name, pending in row.items()}


def begun(config: Config, problem: Task, name: str) -> float:
    """Floating-point operations of a network before its first step."""
    look = problem.look if traits.network(name).spectral else 0.0
    return start(config, name) + problem.before + look


def singular_value_count(config: Config) -> int:
    """Number of recorded singular values of the product: 2r + 2, or r̂ if that is more.

    It is at most the smaller side. Where K classes are told apart it is K, or for a hidden layer 2K
    or r̂ if that is more.
    """
    if known := config.contents:
        return min(*config.shape, max(2 * known.classes, config.rank_bound))
    return min(*config.shape, max(2 * config.rank + 2, config.rank_bound))
