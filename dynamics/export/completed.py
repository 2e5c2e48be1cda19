"""Completed: a user's matrix with its gaps filled, under the names of its rows and columns."""

import csv
import io

import numpy as np

from dynamics.core import traits
from dynamics.data import own_matrix
from dynamics.data.folder import DataError
from dynamics.runs import completed
from dynamics.runs.run import Run, RunError

MOST_ENTRIES = 40_000_000  # of a completed matrix


def refusal(run: Run) -> str:
    """The reason, in one sentence, why a run completes no matrix; empty if it does."""
    if traits.problem(run.config.problem).data != "matrix":
        return "Only a run of the problem own_matrix completes a matrix."
    if not completed.read(run):
        return "This run has no completed matrix yet: it has one when it ends or pauses."
    rows, cols = run.config.shape
    if rows * cols > MOST_ENTRIES:
        return f"Its {rows} × {cols} entries are too many for a file; {MOST_ENTRIES:,} are written."
    return ""


def content(run: Run, form: str) -> bytes:
    """The matrix as CSV, as an NPY, or as an NPZ of ``matrix``, ``rows`` and ``columns``.

    Known entries are those of the file; gaps are filled by the compressed network, or else by the
    first one, where its held-out loss was least.

    Raises:
        RunError: if the run has no completed matrix, or the user's own is not on this machine.
    """
    if why := refusal(run):
        raise RunError(why)
    best = completed.read(run)
    chosen = best.get("compressed") or next(iter(best.values()))
    try:
        own = own_matrix.matrix(run.config.dataset)
    except DataError as error:
        raise RunError(str(error)) from None
    whole = own_matrix.completed(own, chosen.left @ chosen.right)
    packed = io.BytesIO()
    if form == "completed_npy":
        np.save(packed, whole)
        return packed.getvalue()
    if form == "completed_npz":
        rows, columns = np.array(own.rows), np.array(own.cols)
        np.savez_compressed(packed, matrix=whole, rows=rows, columns=columns)
        return packed.getvalue()
    page = io.StringIO()
    writer = csv.writer(page, lineterminator="\n")
    writer.writerow(["", *own.cols])
    for name, row in zip(own.rows, whole, strict=True):
        writer.writerow([name, *map("{:.6g}".format, row)])
    return page.getvalue().encode()
