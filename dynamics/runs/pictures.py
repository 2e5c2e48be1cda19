"""Pictures: the files of a run that keep a picture with holes and what its networks make of it.

``still.u1`` has what does not change, as grey values. ``pictures.f2`` has a row for up to 200
moments: the step as float64, then every network's W as little-endian float16. Two networks of
80 × 120 pixels take 38 kB a moment.
"""

import math
from typing import TYPE_CHECKING

import numpy as np

from dynamics.core.config import Config
from dynamics.core.machine import files
from dynamics.core.pictures import Picture, Still, completed, of_modes
from dynamics.core.records import Array
from dynamics.runs.rows import at

if TYPE_CHECKING:
    from dynamics.runs.run import Run


def content(run: "Run") -> bytes:
    """The content of ``still.u1``; empty for runs without a picture, or older than this file."""
    try:
        return (run.folder / "still.u1").read_bytes()
    except FileNotFoundError:
        return b""


def still(run: "Run") -> Still | None:
    """What does not change; None for runs without pictures."""
    return Still.from_bytes(content(run), run.config.shape)


def matrices(run: "Run", step: float, networks: int) -> tuple[float, Array] | None:
    """The last moment at or before a step, else the first: its step, and every network's W.

    None without pictures.
    """
    shape = (networks, *run.config.shape)
    row = at(run.folder / "pictures.f2", step, 8 + 2 * math.prod(shape))
    if not row:
        return None
    (moment,) = np.frombuffer(row, "<f8", count=1)
    return float(moment), np.frombuffer(row, "<f2", offset=8).astype(float).reshape(shape)


def at_step(run: "Run", step: float = math.inf) -> list[Picture]:
    """The completed picture of each network of the run at a step; empty without pictures."""
    known = still(run)
    found = matrices(run, step, len(run.layout.shapes))
    if known is None or found is None:
        return []
    moment, given = found
    return [Picture(moment, completed(matrix, known), known) for matrix in given]


def unmoved(config: Config, networks: int, content: bytes) -> list[Picture]:
    """What every network's picture is compared with, before the first moment.

    Args:
        config: settings of the run.
        networks: how many networks the run has.
        content: content of ``still.u1``.
    """
    known = Still.from_bytes(content, config.shape)
    if known is None:
        return []
    return [Picture(None, np.empty((0, 0), np.uint8), known)] * networks


def shown(run: "Run", step: float, modes: int) -> bytes:
    """What the page paints of a step: the step as float64, then every network's grey values.

    They are the completed pictures, or with ``modes`` above 0 the sum of the first modes of W.
    Empty without pictures.
    """
    known = still(run)
    found = matrices(run, step, len(run.layout.shapes))
    if known is None or found is None:
        return b""
    moment, given = found
    parts = [of_modes(one, modes) if modes else completed(one, known) for one in given]
    return np.array([moment], "<f8").tobytes() + np.stack(parts).tobytes()


def carried_over(origin: "Run", run: "Run", upto: float, networks: int) -> list[Array]:
    """Copy the pictures of ``origin`` up to a step into ``run``; returns the last W of each.

    Empty if none was copied.
    """
    shape = (networks, *run.config.shape)
    kind = np.dtype([("step", "<f8"), ("matrices", "<f2", shape)])
    try:
        content = (origin.folder / "pictures.f2").read_bytes()
    except FileNotFoundError:
        return []
    rows = np.frombuffer(content, kind, len(content) // kind.itemsize)
    rows = rows[rows["step"] <= upto]
    files.replace(run.folder / "pictures.f2", rows.tobytes())
    return list(rows["matrices"][-1].astype(float)) if len(rows) else []
