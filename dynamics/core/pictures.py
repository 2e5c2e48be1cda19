"""Pictures: what a network makes of a picture with missing pixels, as grey values; NumPy alone.

A matrix W stands for brightness from −0.5, black, to 0.5, white. A completed picture keeps the
pixels that are seen and takes those of W in the holes, as a simple fill does, so that both can be
compared.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynamics.core.config import Config
from dynamics.core.finite import finite
from dynamics.core.records import Array, Record

Grey = NDArray[np.uint8]
MOST_MOMENTS = 200  # most moments of a run whose pictures are kept
FILLS = {  # the simple fills in the order of their scores, and what they take for a hole
    "nearest": "nearest pixel",
    "linear": "linear in between",
}


@dataclass(frozen=True)
class Still:
    """What of a picture does not change during a run, all rows × cols.

    Attributes:
        truth: the picture itself.
        given: its pixels as they are seen, with noise; without meaning in the holes.
        seen: 1 for a pixel that is seen, 0 in a hole.
        fills: the picture completed by each of FILLS, in their order.
    """

    truth: Grey
    given: Grey
    seen: Grey
    fills: tuple[Grey, ...]

    def to_bytes(self) -> bytes:
        """The content of ``still.u1``: truth, given, seen and the fills."""
        return np.stack([self.truth, self.given, self.seen, *self.fills]).tobytes()

    @classmethod
    def from_bytes(cls, content: bytes, shape: tuple[int, int]) -> "Still | None":
        """The inverse of ``to_bytes``; None if the content has another size."""
        parts = 3 + len(FILLS)
        if len(content) != parts * shape[0] * shape[1]:
            return None
        truth, given, seen, *fills = np.frombuffer(content, np.uint8).reshape(parts, *shape)
        return cls(truth, given, seen, tuple(fills))


@dataclass(frozen=True)
class Picture:
    """A network's picture at one moment, and what it is compared with.

    Attributes:
        step: step of the moment; None before the first moment.
        values: rows × cols, the completed picture; empty before the first moment.
        still: what does not change.
    """

    step: float | None
    values: Grey
    still: Still


def grey(brightness: Array) -> Grey:
    """Brightness from −0.5 to 0.5 as a grey value from 0 to 255; what lies beyond is cut off."""
    values = np.nan_to_num(brightness, nan=0.0, posinf=1.0, neginf=-1.0)
    return np.round((np.clip(values, -0.5, 0.5) + 0.5) * 255).astype(np.uint8)


def completed(matrix: Array, still: Still) -> Grey:
    """The pixels that are seen, and those of W in the holes."""
    return np.where(still.seen > 0, still.given, grey(matrix))


def of_modes(matrix: Array, count: int) -> Grey:
    """The sum of the first ``count`` modes σ_i u_i v_iᵀ of W; black and white are cut off."""
    if not np.isfinite(matrix).all():
        return grey(matrix)
    left, values, right = np.linalg.svd(finite(matrix), full_matrices=False)
    return grey(left[:, :count] * values[:count] @ right[:count])


def due(config: Config, number: int, records: Mapping[str, Record]) -> bool:
    """Whether the records that have this number in their run get pictures."""
    every = -(-config.steps // (config.record_every * MOST_MOMENTS))
    return number % every == 0 or any(record.outcome for record in records.values())


def packed(step: float, matrices: Sequence[Any]) -> bytes:
    """A row of ``pictures.f2``: the step as float64, then each network's W as float16."""
    with np.errstate(over="ignore"):
        parts = [np.asarray(matrix).astype("<f2").tobytes() for matrix in matrices]
    return np.array([step], "<f8").tobytes() + b"".join(parts)
