"""Lanes: networks trained in lockstep, each in a lane of its own, from the start or from a moment.

What the config's schedule says happens here: rates change between two steps of a lane, and a
compressed network may begin late, from the original's factors at that moment.
"""

from collections import deque
from collections.abc import Iterator, Mapping
from concurrent.futures import Executor
from functools import partial
from typing import Any

from dynamics.core import registry
from dynamics.core.config import Config
from dynamics.core.cost import AHEAD
from dynamics.core.rates import Rates, rates
from dynamics.core.records import Record
from dynamics.engine.factors import truncated
from dynamics.engine.measuring.measure import Measuring, Pending
from dynamics.engine.network import Network
from dynamics.engine.problem import Problem
from dynamics.engine.steps.fastest import fastest
from dynamics.engine.steps.interface import Steps
from dynamics.engine.training.loop import START, Escapes, train

Row = dict[str, Record]  # by network, at one step


class Lanes:
    """All networks of one run.

    Args:
        config: the settings.
        problem: what they learn.
        networks: by name, the original first.
        learning_rate: η itself at the start, whatever unit the config counts it in.
        side: measures beside the training, where that does not slow it.
        since: records from which to go on, of the networks that had not ended; none for a run from
            its start.
    """

    def __init__(
        self,
        config: Config,
        problem: Problem,
        networks: Mapping[str, Network],
        learning_rate: float,
        side: Executor,
        since: Mapping[str, Record],
    ) -> None:
        self._config, self._problem, self._networks = config, problem, networks
        self._learning_rate = learning_rate
        self._side, self._since = side, since
        self._row: dict[str, Pending] = {}  # the newest
        self._escapes = Escapes(config.record_every) if config.recording == "escapes" else None
        if self._escapes and since:  # the last network's are whole: others' losses were yet to come
            *_, last = since.values()
            self._escapes.restore(last.state["gaps"])

    def __iter__(self) -> Iterator[Row | None]:
        """One record of every lane after the other, until each has ended; None at times between.

        All networks are at the same record before one goes on to the next: what comes after a
        record never depends on how fast anything is. Measuring may be behind by two.
        """
        first = max((record.step for record in self._since.values()), default=0)
        lanes, rows = {}, deque[dict[str, Pending]]()
        for name in self._networks:
            if name == "compressed" and self._config.compress_at >= max(first, 1):
                lanes[name] = self._late(name)
            elif not self._since or name in self._since:
                lanes[name] = self._lane(name, self._since.get(name, START))
        while lanes:
            self._row = {}
            for name, lane in lanes.items():
                for pending in lane:
                    if pending is not None:
                        self._row[name] = pending
                        break
                    # In a long stretch: what is ready need not wait until it is over.
                    ready = rows and all(each.ready() for each in rows[0].values())
                    yield _complete(rows.popleft()) if ready else None
            rows.append(self._row)
            lanes = {n: lane for n, lane in lanes.items() if not self._row[n].record.outcome}
            if len(rows) > AHEAD:
                yield _complete(rows.popleft())
        while rows:
            yield _complete(rows.popleft())

    def _lane(self, name: str, since: Record) -> Iterator[Pending | None]:
        """A network's records from ``since`` on."""
        config, network = self._config, self._networks[name]
        optimizer = registry.load("optimizers", config.optimizer)
        descent = fastest(network, self._problem, optimizer, self._learning_rate)
        measuring = self._measuring(name)
        if since.state is not None:
            descent.restore(since.state["factors"], since.state["memory"])
            measuring.restore(since.state, self._rates(name, since.step - 1).alpha)
        self._turn(descent, measuring, name, since.step - 1)
        records = train(
            descent.step,
            descent.loss,
            config.steps,
            config.record_every,
            tolerance=config.tolerance,
            operations=descent.operations,
            after=partial(self._escapes.after, name) if self._escapes else None,
            turns={
                change.step: partial(self._turn, descent, measuring, name, change.step)
                for change in config.schedule
            },
            since=since,
        )
        side = self._side if descent.compiled or network.factors[0].is_cuda else None

        def kept() -> dict[str, Any]:
            return {"memory": descent.memory, "gaps": self._escapes and self._escapes.state}

        for record in records:
            yield record and measuring.begin(record, side, kept)

    def _measuring(self, name: str) -> Measuring:
        return Measuring(self._networks[name], self._problem, singular_value_count(self._config))

    def _turn(self, descent: Steps, measuring: Measuring, name: str, step: int) -> None:
        """Give a network the rates with which it goes on from a step."""
        now = self._rates(name, step)
        descent.learning_rate, descent.alpha = now.learning_rate, now.alpha
        measuring.turn(now.alpha)

    def _rates(self, name: str, step: int) -> Rates:
        return rates(self._config, name, self._learning_rate, step)

    def _late(self, name: str) -> Iterator[Pending | None]:
        """Records of nothing until the original is compressed; no more if it ends before that."""
        waiting, at = self._measuring(name), self._config.compress_at
        while (lead := self._row["original"].record).step < at and not lead.outcome:
            yield waiting.nothing(lead.step)
        if lead.step < at or lead.outcome == "diverged":
            yield waiting.nothing(lead.step, lead.outcome)
            return
        cut = truncated(lead.state["factors"], self._config.rank_bound)
        for factor, wanted in zip(self._networks[name].factors, cut, strict=True):
            factor.copy_(wanted)
        yield from self._lane(name, Record(at, 0.0, 0.0, 0.0, {}))


def _complete(row: Mapping[str, Pending]) -> Row:
    return {name: pending.complete() for name, pending in row.items()}


def singular_value_count(config: Config) -> int:
    """How many singular values of the product are recorded: past the rank, and all r̂."""
    return min(*config.shape, max(2 * config.rank + 2, config.rank_bound))
