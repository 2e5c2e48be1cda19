"""Writer: fills one run's folder with layout, records, heat maps and checkpoints.

It knows neither the status nor the process: a worker has one writer, and a process may have many.
"""

import shutil
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from dynamics.core import cells
from dynamics.core.config import Config
from dynamics.core.machine import files
from dynamics.core.records import Array, Layout, Record
from dynamics.engine.measuring.cells import of_goal
from dynamics.engine.measuring.moment import Resumable
from dynamics.runs import maps
from dynamics.runs.checkpoints import Checkpoints, resume
from dynamics.runs.run import Run

if TYPE_CHECKING:
    from dynamics.engine.training.comparison import Comparison


class Writer:
    """Writes the records of a comparison into the folder of its run."""

    def __init__(self, run: Run, config: Config, comparison: "Comparison") -> None:
        self._run = run
        self._config = config
        self._comparison = comparison
        self._layout: Layout | None = None
        self._checkpoints = Checkpoints(run)
        self._last: Mapping[str, Resumable] = {}
        self._cells: dict[str, Array] = {}  # the newest heat map of each network
        self._count = 0  # records in the folder

    def take_over(self, source: Run) -> tuple[dict[str, Resumable], list[dict[str, Record]]]:
        """Begin with the records of another run, or of an earlier worker on this run.

        Returns the moment from which training continues, as records by network, and the records
        before it. Both are empty, and nothing is written, if the source kept no moment that fits.

        Raises:
            RunError: if the source is damaged.
        """
        moment, rows = resume(source, self._config)
        if not moment:
            return {}, []
        layout = self._set_layout(Layout(source.layout.shapes, self._comparison.facts))
        files.replace(self._run.folder / "records.f8", rows.astype("<f8").tobytes())
        self._count = len(rows)
        if len(rows):
            names = list(layout.shapes)
            last = maps.carried_over(source, self._run, float(rows[-1, 0]), len(names))
            self._cells = dict(zip(names, last, strict=False))
        return moment, [layout.records(row) for row in rows]

    def clear(self) -> bool:
        """Remove what an earlier worker wrote; returns whether records existed."""
        if not (self._run.folder / "records.f8").exists():
            return False
        for name in ("records.f8", "maps.f2", "layout.json"):
            (self._run.folder / name).unlink(missing_ok=True)
        shutil.rmtree(self._run.folder / "checkpoints", ignore_errors=True)
        return True

    def write(self, records: Mapping[str, Resumable]) -> None:
        """Append the records of one step and their heat maps; now and then keep a checkpoint."""
        layout = self._layout or self._set_layout(Layout.of(records, self._comparison.facts))
        row = layout.row(records).astype("<f8").tobytes()
        files.append(self._run.folder / "records.f8", row, len(row))
        self._write_map(records, layout)
        self._count += 1
        self._last = records
        self._checkpoints.offer(records)

    def keep(self) -> None:
        """Keep the moment of the last records, so that this or another run may continue there."""
        if self._last:
            self._checkpoints.keep(self._last)

    def _set_layout(self, layout: Layout) -> Layout:
        self._layout = layout
        self._run.write("layout.json", layout.to_dict())
        return layout

    def _write_map(self, records: Mapping[str, Record], layout: Layout) -> None:
        """Append the networks' heat maps; a network that has ended keeps its last one."""
        goal = self._run.folder / "goal.f2"
        if not goal.exists():
            target = of_goal(self._comparison.problem)
            files.replace(goal, cells.halves(target.cpu().double().numpy()))
        unknown = np.full(cells.shape(self._config), np.nan)
        for name in layout.shapes:
            newest = records[name].cells if name in records else self._cells.get(name)
            self._cells[name] = unknown if newest is None else newest
        if cells.due(self._config, self._count, records):
            step = max(record.step for record in records.values())
            row = cells.packed(step, [self._cells[name] for name in layout.shapes])
            files.append(self._run.folder / "maps.f2", row, len(row))
