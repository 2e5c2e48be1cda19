"""Cells of heat maps: how many cells a map of a matrix has, and which records get a map."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from dynamics.core.config import Config
from dynamics.core.records import Array, Record

MOST_CELLS = 50  # most cells along a side of a map
MOST_MAPS = 1000  # most maps of a run


@dataclass(frozen=True)
class Cells:
    """A heat map: means over blocks of a network's end-to-end matrix at one moment, and its goal.

    Attributes:
        step: step of the moment; None before the first moment.
        values: rows × cols, the means of the blocks; empty before the first moment.
        goal: rows × cols, the means of M*, or of its observed entries.
        known: whether ``goal`` is M*.
        block: rows and columns of the matrix in one cell.
    """

    step: float | None
    values: Array
    goal: Array
    known: bool
    block: tuple[int, int]


def block(length: int) -> int:
    """How many of a matrix's ``length`` rows share one row of cells; the same for columns."""
    return -(-length // MOST_CELLS)


def shape(config: Config) -> tuple[int, int]:
    """Rows and columns of the config's maps."""
    rows, cols = (-(-length // block(length)) for length in config.shape)
    return rows, cols


def due(config: Config, number: int, records: Mapping[str, Record]) -> bool:
    """Whether the records that have this number in their run get a map."""
    every = -(-config.steps // (config.record_every * MOST_MAPS))
    return number % every == 0 or any(record.outcome for record in records.values())


def packed(step: float, cells: Sequence[Array]) -> bytes:
    """A row of ``maps.f2``: the step, then the cells of each network."""
    return np.array([step], "<f8").tobytes() + b"".join(halves(own) for own in cells)


def halves(cells: Array) -> bytes:
    """Cells as float16; beyond 65,504 they are infinite."""
    with np.errstate(over="ignore"):
        return cells.astype("<f2").tobytes()
