"""Maps: heat maps of the end-to-end matrix W, and the files of a run that keep them.

A map has at most 50 × 50 cells, and each cell is the exact mean of a block of W's entries.
``maps.f2`` has a row for about every record, at most a thousand rows: the step as float64, then
every network's cells as little-endian float16 (relative error 5e-4). ``goal.f2`` has the cells of
M*. Two networks of 100 × 100 take 10 kB a record.
"""

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from dynamics.core import traits
from dynamics.core.cells import Cells, block, shape
from dynamics.core.config import Config
from dynamics.core.machine import files
from dynamics.core.records import Array
from dynamics.core.words import count
from dynamics.runs import rows as stored

if TYPE_CHECKING:
    from dynamics.runs.run import Run


def goal(run: "Run") -> bytes:
    """The content of ``goal.f2``; empty for runs recorded before heat maps existed."""
    try:
        content = (run.folder / "goal.f2").read_bytes()
    except FileNotFoundError:
        return b""
    return content if len(content) == 2 * math.prod(shape(run.config)) else b""


def carried_over(origin: "Run", run: "Run", upto: float, networks: int) -> list[Array]:
    """Copy the maps of ``origin`` up to step ``upto`` into ``run``; returns the last copied map.

    The returned list has the cells of each network. It is empty if no map was copied, as for an
    origin recorded before heat maps existed.
    """
    rows = kept(origin, networks)
    if rows is None:
        return []
    rows = rows[rows["step"] <= upto]
    files.replace(run.folder / "maps.f2", rows.tobytes())
    return list(rows["cells"][-1].astype(float)) if len(rows) else []


def kept(run: "Run", networks: int) -> Any:
    """All maps of a run: ``step``, T numbers, and ``cells``, T × networks × rows × cols.

    None for runs recorded before heat maps existed.
    """
    cells = ("cells", "<f2", (networks, *shape(run.config)))
    kind = np.dtype([("step", "<f8"), cells])
    try:
        content = (run.folder / "maps.f2").read_bytes()
    except FileNotFoundError:
        return None
    return np.frombuffer(content, kind, len(content) // kind.itemsize)


def arrays(run: "Run") -> dict[str, Any]:
    """The run's maps as arrays for a file: ``map_steps``, ``<network>_map`` and ``goal_map``.

    The steps are float64, the cells float16.

    Empty for a run without maps.
    """
    networks = list(run.layout.shapes)
    rows = kept(run, len(networks))
    target = goal(run)
    if rows is None or not len(rows) or not target:
        return {}
    maps = {"map_steps": rows["step"]}
    maps |= {f"{name}_map": rows["cells"][:, number] for number, name in enumerate(networks)}
    return maps | {"goal_map": np.frombuffer(target, "<f2").reshape(shape(run.config))}


def described(run: "Run") -> str:
    """A paragraph on what ``arrays`` returns; empty for a run without maps."""
    maps = arrays(run)
    if not maps:
        return ""
    rows, cols = maps["goal_map"].shape
    height, width = map(block, run.config.shape)
    problem = traits.problem(run.config.problem)
    goal = "those of M*"
    if problem.classifies:
        goal = "NaN, as no matrix is to be found"
    elif not problem.target_known:
        goal = "those of the entries that are observed, NaN where none is"
    unit = "" if problem.classifies else ", in the unit of M*'s entries"
    content = (
        "an entry" if height == width == 1 else f"the mean of {height} × {width} entries at most"
    )
    moments = count(len(maps["map_steps"]), "moment")
    return (
        f"`records.npz` also has the heat maps, {moments} of them: "
        f"`map_steps` are their steps, `NETWORK_map` (moments × {rows} × {cols}) the cells of each "
        f"network's W, `goal_map` ({rows} × {cols}) {goal}. A cell is {content}{unit}, rounded to "
        "float16."
    )


def at(run: "Run", step: float, networks: int) -> bytes:
    """The row of the last map at or before a step, else of the first map; empty without maps."""
    size = 8 + 2 * networks * math.prod(shape(run.config))
    return stored.at(run.folder / "maps.f2", step, size)


def cells(config: Config, networks: int, target: bytes, row: bytes = b"") -> list[Cells]:
    """The heat map of each network in one row of ``maps.f2``; without values if the row is empty.

    Args:
        config: settings of the run.
        networks: how many networks the run has.
        target: content of ``goal.f2``, as ``goal`` returns it.
        row: one row of ``maps.f2``, as ``at`` returns it.
    """
    height, width = shape(config)
    known = traits.problem(config.problem).target_known
    goal_values = np.frombuffer(target, "<f2").astype(float).reshape(height, width)
    values = np.empty((networks, 0, 0))
    step = None
    if row:
        values = np.frombuffer(row, "<f2", offset=8).astype(float).reshape(-1, height, width)
        step = float(np.frombuffer(row, "<f8", count=1)[0])
    rows, cols = (block(length) for length in config.shape)
    return [Cells(step, own, goal_values, known, (rows, cols)) for own in values]


def cells_at(run: "Run", step: float = math.inf) -> list[Cells]:
    """The heat map of each network of the run ``at`` a step; empty for a run without maps."""
    networks = len(run.layout.shapes)
    target = goal(run)
    row = at(run, step, networks)
    return cells(run.config, networks, target, row) if target and row else []
