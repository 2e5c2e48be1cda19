"""Record and Trajectory: the numbers of a run, in NumPy alone.

A run is a table of float64 numbers: one row for each record, one group of columns for each network.
``Layout`` describes the columns; it is stored next to the rows.
"""

import functools
import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynamics.core.changes import LateStart

Array = NDArray[np.float64]
Shape = tuple[int, ...]
TAIL = 7  # last records over which an end value that fluctuates is averaged
HELD_OUT = 2000  # most held-out images that a record reads; a run's last one reads all
SMALL = 1e-6  # share of the largest value below which rounding decides a deviation
COUNTERS = ("seconds", "measuring_seconds", "operations")
NONE: Mapping[str, float] = {}


@dataclass(frozen=True)
class Record:
    """One network after ``step`` gradient steps.

    ``seconds`` of training and ``measuring_seconds`` are counted separately, both from the start.
    ``operations`` are the floating-point operations of the first factors (see ``cost.start``) and
    of the training steps, ``values`` the measurements by name. ``outcome`` is empty while training
    continues, else ``"done"`` or ``"diverged"``. ``cells`` is the end-to-end matrix as a heat map,
    and ``whole`` that matrix itself where it is a picture; neither is a column of the table.
    """

    step: int
    seconds: float
    measuring_seconds: float
    operations: float
    values: Mapping[str, Array]
    outcome: str = ""
    cells: Array | None = None
    whole: Array | None = None


MOST_COLUMNS = 1_000_000  # of a table of records


def _length(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MOST_COLUMNS:
        raise ValueError(f"{value!r} is no length of an array.")
    return value


@dataclass(frozen=True)
class Layout:
    """The columns of a row: the step, then for each network its counters and measurements.

    ``shapes[network][measurement]`` is a measurement's shape, ``()`` for a single number.
    ``facts`` describe the whole run; each is a list, such as the target's singular values.
    """

    shapes: Mapping[str, Mapping[str, Shape]]
    facts: Mapping[str, Sequence[Any]] = field(default_factory=dict)

    @classmethod
    def of(cls, records: Mapping[str, Record], facts: Mapping[str, Sequence[Any]]) -> "Layout":
        """The layout of a run, from the first record of each network."""
        shapes = {
            network: {name: np.shape(value) for name, value in record.values.items()}
            for network, record in records.items()
        }
        return cls(shapes, facts)

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> "Layout":
        """The inverse of ``to_dict``.

        Raises:
            AttributeError, KeyError, TypeError or ValueError: if it describes no run's columns.
        """
        shapes = {
            network: {name: tuple(map(_length, shape)) for name, shape in measurements.items()}
            for network, measurements in stored["shapes"].items()
        }
        facts = dict(stored["facts"])
        for fact in facts.values():
            if not isinstance(fact, list) or np.array(fact).dtype.kind not in "Uif":
                raise ValueError("A fact is a list of texts, of numbers or of rows of numbers.")
        layout = cls(shapes, facts)
        if layout.width > MOST_COLUMNS:
            raise ValueError(f"No run has more than {MOST_COLUMNS} columns.")
        return layout

    def to_dict(self) -> dict[str, Any]:
        """The layout, ready for JSON."""
        return {"shapes": self.shapes, "facts": self.facts}

    @functools.cached_property
    def slices(self) -> dict[tuple[str, str], slice]:
        """The columns of each network's counters and measurements; column 0 is the step."""
        places = {}
        start = 1
        for network, measurements in self.shapes.items():
            for name, shape in [*((counter, ()) for counter in COUNTERS), *measurements.items()]:
                places[network, name] = slice(start, start := start + math.prod(shape))
        return places

    @property
    def width(self) -> int:
        """Number of columns."""
        return max((place.stop for place in self.slices.values()), default=1)

    def columns(self, network: str, name: str) -> list[str]:
        """The names of a measurement's columns, such as ``compressed.singular_values.1``."""
        if name in COUNTERS:
            return [f"{network}.{name}"]
        indices = np.ndindex(*self.shapes[network][name])
        return [".".join([network, name, *(str(i + 1) for i in index)]) for index in indices]

    @property
    def names(self) -> list[str]:
        """The names of all columns of a row, in order."""
        return ["step", *(column for place in self.slices for column in self.columns(*place))]

    def row(self, records: Mapping[str, Record | None]) -> Array:
        """One row of the table; NaN in the columns of a network that has ended."""
        row = np.full(self.width, np.nan)
        for (network, name), place in self.slices.items():
            record = records.get(network)
            if record is not None:
                value = getattr(record, name) if name in COUNTERS else record.values[name]
                row[place] = np.ravel(value)
                row[0] = record.step
        return row

    def records(self, row: Array) -> dict[str, Record]:
        """The inverse of ``row``, without outcomes and heat maps, which a row does not keep."""
        records = {}
        places = self.slices
        for network, shapes in self.shapes.items():
            seconds, measuring, operations = (
                float(row[places[network, counter]][0]) for counter in COUNTERS
            )
            if np.isfinite(seconds):
                values = {
                    name: row[places[network, name]].reshape(shape)
                    for name, shape in shapes.items()
                }
                records[network] = Record(int(row[0]), seconds, measuring, operations, values)
        return records

    def trajectories(self, rows: Array, starts: Mapping[str, float] = NONE) -> "list[Trajectory]":
        """One Trajectory for each network, up to the network's own last record.

        ``starts`` are the operations of each network's first factors, which are added where an
        older run did not count them.
        """
        return [
            self._trajectory(network, rows, self.carried(network, rows, starts.get(network, 0.0)))
            for network in self.shapes
        ]

    def only(self, names: Collection[str]) -> "tuple[Layout, list[int]]":
        """The layout of the step, the counters and these measurements, and where they stand."""
        shapes = {
            network: {name: shape for name, shape in measured.items() if name in names}
            for network, measured in self.shapes.items()
        }
        smaller = Layout(shapes, self.facts)
        places = [range(self.width)[self.slices[place]] for place in smaller.slices]
        return smaller, [0, *(column for columns in places for column in columns)]

    def part(
        self, network: str, tables: Iterable[Array], start: float = 0.0
    ) -> "Iterator[Trajectory]":
        """A network's trajectory, a part of the records at a time.

        Args:
            network: its name.
            tables: the rows of the run from its first one on, in order, some at a time.
            start: the operations of the network's first factors, as for ``trajectories``.
        """
        added: Mapping[str, float] | None = None
        for rows in tables:
            if added is None and np.isfinite(rows[:, self.slices[network, "seconds"].start]).any():
                added = self.carried(network, rows, start)
            yield self._trajectory(network, rows, added or {})

    def carried(self, network: str, rows: Array, start: float = 0.0) -> dict[str, float]:
        """What to add to each counter of a network, because older runs did not count it.

        That is the operations ``start`` of its first factors and, after a late start, what the
        original did before. Empty if the counters are right as they stand. ``rows`` are the run's,
        from the first one on or from the network's first one on.
        """
        places = self.slices
        own = np.flatnonzero(np.isfinite(rows[:, places[network, "seconds"].start]))
        if not len(own):
            return {}
        first = rows[own[0]]
        source = LateStart.source
        before = dict.fromkeys(COUNTERS, 0.0)
        if first[0] > 0 and source in self.shapes:
            before = {counter: float(first[places[source, counter].start]) for counter in COUNTERS}
        counted = first[places[network, "operations"].start]
        if counted > before["operations"]:
            return {}
        if counted:  # the original's share is there, the network's own start is not
            before = dict.fromkeys(COUNTERS, 0.0)
        before["operations"] += start
        return {counter: more for counter, more in before.items() if more}

    def _trajectory(self, network: str, rows: Array, added: Mapping[str, float]) -> "Trajectory":
        places = self.slices
        rows = rows[np.isfinite(rows[:, places[network, "seconds"].start])]
        counters: dict[str, Any] = {
            counter: rows[:, places[network, counter].start] for counter in COUNTERS
        }
        for counter, before in added.items():
            counters[counter] = counters[counter] + before
        series = {
            name: rows[:, places[network, name]].reshape(-1, *shape)
            for name, shape in self.shapes[network].items()
        }
        return Trajectory(network, rows[:, 0], series=series, facts=self.facts, **counters)


@dataclass(frozen=True)
class Trajectory:
    """One network's records: each counter an array over T records, each series T × its shape.

    ``facts`` are the facts of the Layout.
    """

    network: str
    steps: Array
    seconds: Array
    measuring_seconds: Array
    operations: Array
    series: Mapping[str, Array] = field(default_factory=dict)
    facts: Mapping[str, Sequence[Any]] = field(default_factory=dict)

    def since(self, step: float) -> "Trajectory":
        """The records from a step on."""
        kept = self.steps >= step
        counters = {name: getattr(self, name)[kept] for name in ("steps", *COUNTERS)}
        series = {name: values[kept] for name, values in self.series.items()}
        return replace(self, series=series, **counters)

    def first_at(self, name: str, level: float) -> int | None:
        """The index of the first record whose ``name`` is at most ``level``; None if none is."""
        below = np.flatnonzero(self.series[name] <= level)
        return int(below[0]) if len(below) else None

    def reached(self, name: str, level: float, counter: str = "steps") -> float:
        """The steps, seconds or operations until ``name`` is at most ``level``; NaN if it never is.

        The value comes from the first record whose ``name`` is that low.
        """
        index = self.first_at(name, level)
        return np.nan if index is None else float(getattr(self, counter)[index])

    def lowest(self, name: str) -> int | None:
        """The index of the record whose ``name`` is lowest; None if no value is finite."""
        values = self.series.get(name, np.empty(0))
        return int(np.nanargmin(values)) if np.isfinite(values).any() else None


def followed(series: Mapping[str, Any]) -> str:
    """The name of the series with a column for each mode.

    If modes cannot be distinguished, it is the series of sorted singular values.
    """
    return "mode_values" if "mode_values" in series else "singular_values"


def tail_mean(values: Array) -> float | None:
    """The mean of the last TAIL numbers, or of all if they are fewer; None if the last is NaN.

    The live page computes the same: ``tail`` of ``pages/shared/live/browser/panel/line.js``.
    """
    if not len(values) or not np.isfinite(values[-1]):
        return None
    return float(np.mean(values[-TAIL:]))


def deviations(values: Array, reference: Array) -> Array:
    """|x − y| / max(|y|, 10⁻⁶ max|y|) of two arrays of one shape; |x − y| where all y are 0.

    A |y| below SMALL = 10⁻⁶ of the largest counts as that much, because rounding decides there.
    """
    scale = np.maximum(np.abs(reference), SMALL * np.abs(reference).max())
    return np.asarray(np.abs(values - reference) / np.where(scale > 0, scale, 1))


def missing(values: dict[str, Array]) -> dict[str, Array]:
    """The same measurements, all NaN, as a diverged network has them."""
    return {name: np.full_like(value, np.nan) for name, value in values.items()}


@dataclass(frozen=True)
class Trained:
    """What the folder of a run holds once it has ended.

    Attributes:
        layout: the columns.
        rows: the records.
        last: the last record of each network, with its outcome.
        goal: the content of ``goal.f2``.
        maps: the content of ``maps.f2``: the first and the last heat map.
        machine: the hardware.
        why: one sentence if the run could not be trained; then all others are empty.
    """

    layout: Layout = field(default_factory=lambda: Layout({}))
    rows: Array = field(default_factory=lambda: np.empty((0, 1)))
    last: Mapping[str, Record] = field(default_factory=dict)
    goal: bytes = b""
    maps: bytes = b""
    machine: str = ""
    why: str = ""
