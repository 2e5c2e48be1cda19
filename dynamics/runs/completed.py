"""Completed: what the networks of a run make of a user's matrix at their best moment.

``completed.npz`` has for each network the two factors of W, its step and the held-out loss there:
of all records, the one with the least loss on the held-out entries.
"""

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dynamics.core.machine import files
from dynamics.core.records import Array

if TYPE_CHECKING:
    from dynamics.runs.run import Run

NAME = "completed.npz"


@dataclass(frozen=True)
class Best:
    """A network at the record with the least held-out loss.

    Attributes:
        step: step of the record.
        loss: the held-out loss.
        left: rows × width, the product of all factors but the first.
        right: width × cols, the first factor.
    """

    step: int
    loss: float
    left: Array
    right: Array


def write(run: "Run", best: dict[str, Best]) -> None:
    """Keep the best moments in the run's folder, in place of those that are there."""
    arrays = {
        f"{network}.{name}": np.asarray(value)
        for network, own in best.items()
        for name, value in vars(own).items()
    }
    packed = io.BytesIO()
    np.savez(packed, **arrays)  # type: ignore[arg-type]
    files.replace(run.folder / NAME, packed.getvalue())


def read(run: "Run") -> dict[str, Best]:
    """The best moment of each network.

    Empty for runs of another problem, before the first moment, and if the file is damaged.
    """
    try:
        with np.load(run.folder / NAME, allow_pickle=False) as arrays:
            names = dict.fromkeys(name.rpartition(".")[0] for name in arrays.files)
            found = {
                name: Best(
                    int(arrays[f"{name}.step"]),
                    float(arrays[f"{name}.loss"]),
                    np.asarray(arrays[f"{name}.left"], float),
                    np.asarray(arrays[f"{name}.right"], float),
                )
                for name in names
            }
    except Exception:  # what NumPy and zipfile raise on a damaged file has no common kind
        return {}
    rows, cols = run.config.shape
    whole = all(
        (len(best.left), best.right.shape[1:]) == (rows, (cols,))
        and best.left.shape[1:] == (len(best.right),)
        for best in found.values()
    )
    return found if whole else {}
