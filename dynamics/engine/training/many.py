"""Many: the runs of a list of Configs, trained in one process, with the same numbers as alone.

Runs of one shape are one ``Batch``, as far as memory allows. Only what is asked for is measured;
heat maps are kept of the first and the last record.
"""

import contextlib
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from dynamics.core import cells, cost
from dynamics.core.config import Config
from dynamics.core.finite import NotFiniteError
from dynamics.core.machine import memory
from dynamics.core.records import Array, Layout, Record, Trained
from dynamics.data.folder import DataError
from dynamics.engine import device
from dynamics.engine.measuring.cells import of_goal, of_product
from dynamics.engine.training.batch import SHARED, Batch, together
from dynamics.engine.training.comparison import Comparison, alike, fetch, prepare

# What every run measures beside the training loss: what is cheap, and opens in a chart.
LEAN = ("test_loss", "recovery_error", "singular_values")
ROOM = 2**28  # most bytes of the runs of one batch
MOST = 64  # most runs of one batch
STACKS = 250**2  # runs of at most so many entries are trained side by side, larger ones in turn
Rows = list[Mapping[str, Record]]  # the records of one run, by network, in the order of their steps


def train(configs: Sequence[Config], more: Sequence[str] = ()) -> list[Trained]:
    """Train all runs; one that cannot be trained says why and harms no other.

    Args:
        configs: the settings; those of one shape gain by being neighbours.
        more: measurements beside ``LEAN``; runs that cannot be of a batch measure everything.
    """
    device.use_threads()
    found: dict[int, Trained] = {}
    for group in _groups(configs):
        found |= dict(zip(group, _batch([configs[each] for each in group], more), strict=True))
    return [found[place] for place in range(len(configs))]


def _groups(configs: Sequence[Config]) -> Iterator[list[int]]:
    """The places of the runs of one batch each."""
    shapes: dict[object, list[int]] = {}
    for place, config in enumerate(configs):
        shape = tuple(getattr(config, name) for name in (*SHARED, "networks"))
        small = config.shape[0] * config.shape[1] <= STACKS and together(config)
        shapes.setdefault(shape if small else place, []).append(place)
    for places in shapes.values():
        size = max(sum(cost.memory(configs[p], name) for name in configs[p].networks)
                   for p in places) if together(configs[places[0]]) else ROOM  # fmt: skip
        count = max(1, min(MOST, int(ROOM / size)))
        for start in range(0, len(places), count):
            yield places[start : start + count]


def _batch(configs: Sequence[Config], more: Sequence[str]) -> list[Trained]:
    """Train runs of one shape; if that fails, each alone, so that the others are harmed by none."""
    try:
        memory.check()
        comparisons = _prepared(configs)
        if together(configs[0]):
            return _together(comparisons, [*LEAN, *more])
        return [_alone(comparison) for comparison in comparisons]
    except (DataError, MemoryError, NotFiniteError, OSError, RuntimeError, ValueError) as error:
        if len(configs) == 1:
            lacking = memory.lacking(error) and not str(error).endswith(".")
            return [Trained(why="The machine ran out of memory." if lacking else str(error))]
        return [_batch([config], more)[0] for config in configs]


def _prepared(configs: Sequence[Config]) -> list[Comparison]:
    """The runs at their start; neighbours that learn one problem share it."""
    made: list[Comparison] = []
    for config in configs:
        fetch(config, lambda words: None)
        shared = made[-1].problem if made and alike(made[-1].config, config) else None
        made.append(prepare(config, shared))
    return made


def _together(comparisons: Sequence[Comparison], only: Sequence[str]) -> list[Trained]:
    rows: list[dict[int, dict[str, Record]]] = [{} for _ in comparisons]
    maps: list[dict[str, list[Array]]] = [{} for _ in comparisons]
    for name in comparisons[0].config.networks:
        for records in Batch(comparisons, name, only, threads=1):
            for run, record in records.items():
                rows[run].setdefault(record.step, {})[name] = record
                if record.outcome or not record.step:
                    network = comparisons[run].networks[name]
                    now = of_product(network.factors).cpu().double().numpy()
                    maps[run].setdefault(name, []).append(now)
    return [
        _trained(comparison, [of_run[step] for step in sorted(of_run)], of_maps)
        for comparison, of_run, of_maps in zip(comparisons, rows, maps, strict=True)
    ]


def _alone(comparison: Comparison) -> Trained:
    """A run that cannot be of a batch; all that applies is measured."""
    rows: Rows = []
    maps: dict[str, list[Array]] = {}
    with contextlib.closing(iter(comparison)) as records:  # type: ignore[type-var]
        for row in filter(None, records):
            rows.append({name: _plain(record) for name, record in row.items()})
            for name, record in row.items():
                if record.cells is not None and (record.outcome or name not in maps):
                    maps.setdefault(name, []).append(record.cells)
    return _trained(comparison, rows, maps)


def _plain(record: Record) -> Record:
    """The record without what training could continue from."""
    return Record(
        record.step,
        record.seconds,
        record.measuring_seconds,
        record.operations,
        record.values,
        record.outcome,
    )


def _trained(comparison: Comparison, rows: Rows, maps: Mapping[str, Sequence[Array]]) -> Trained:
    layout = Layout.of(rows[0], comparison.facts)
    last = {name: record for row in rows for name, record in row.items()}
    unknown = np.full(cells.shape(comparison.config), np.nan)
    steps = (0, max(record.step for record in last.values()))
    ends = [[(maps.get(name) or [unknown])[end] for name in layout.shapes] for end in (0, -1)]
    goal = cells.halves(of_goal(comparison.problem).cpu().double().numpy())
    return Trained(
        layout,
        np.stack([layout.row(row) for row in rows]),
        last,
        goal,
        b"".join(cells.packed(step, end) for step, end in zip(steps, ends, strict=True)),
        device.told(comparison.config),
    )
