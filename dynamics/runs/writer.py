"""Writer: fills one run's folder with layout, records, heat maps and checkpoints.

It knows neither the status nor the process: a worker has one writer, and a process may have many.
"""

import math
import shutil
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from dynamics.core import cells, pictures, traits
from dynamics.core.config import Config
from dynamics.core.machine import files
from dynamics.core.records import Array, Layout, Record
from dynamics.engine.factors import product
from dynamics.engine.losses.picture import Picture
from dynamics.engine.losses.residuals import Residuals
from dynamics.engine.measuring.cells import of_goal
from dynamics.engine.measuring.moment import Resumable
from dynamics.engine.measuring.state import State
from dynamics.engine.network import Network
from dynamics.runs import completed, films, maps
from dynamics.runs import pictures as kept
from dynamics.runs.checkpoints import Checkpoints, resume
from dynamics.runs.completed import Best
from dynamics.runs.run import Run

if TYPE_CHECKING:
    from torch import Tensor

    from dynamics.engine.training.comparison import Comparison


FILES = ("records.f8", "maps.f2", "pictures.f2", "still.u1", "layout.json")


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
        self._wholes: dict[str, Array] = {}  # the newest W of each network, of a picture
        self._best: dict[str, Best] = {}  # where the held-out loss was least, of a user's matrix
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
            if self._comparison.problem.pictured:
                drawn = kept.carried_over(source, self._run, float(rows[-1, 0]), len(names))
                self._wholes = dict(zip(names, drawn, strict=False))
        return moment, [layout.records(row) for row in rows]

    def clear(self) -> bool:
        """Remove what an earlier worker wrote; returns whether records existed."""
        if not (self._run.folder / "records.f8").exists():
            return False
        for name in (*FILES, completed.NAME, films.FILE):
            (self._run.folder / name).unlink(missing_ok=True)
        shutil.rmtree(self._run.folder / "checkpoints", ignore_errors=True)
        return True

    def write(self, records: Mapping[str, Resumable]) -> None:
        """Append the records of one step and their heat maps; now and then keep a checkpoint."""
        layout = self._layout or self._set_layout(Layout.of(records, self._comparison.facts))
        row = layout.row(records).astype("<f8").tobytes()
        files.append(self._run.folder / "records.f8", row, len(row))
        self._write_map(records, layout)
        if isinstance(problem := self._comparison.problem, Picture):
            self._write_pictures(problem, records, layout)
        if traits.problem(self._config.problem).data == "matrix":
            self._note_best(records)
        self._write_films(records)
        self._count += 1
        self._last = records
        self._checkpoints.offer(records)

    def keep(self) -> None:
        """Keep the moment of the last records, so that this or another run may continue there."""
        if self._last:
            self._checkpoints.keep(self._last)
        if self._best:
            completed.write(self._run, self._best)

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

    def _note_best(self, records: Mapping[str, Resumable]) -> None:
        """Note each network's factors where its held-out loss is least; write them at its end."""
        if not self._best:
            self._best = completed.read(self._run)  # of an earlier worker on this run
        for name, record in records.items():
            loss = float(record.values["test_loss"])
            before = self._best.get(name)
            if record.moment is None or not (before is None or loss < before.loss):
                continue
            first, *others = record.moment.factors
            right = first.detach().cpu().double().numpy()
            left = np.eye(len(right))
            if others:
                left = product(others).detach().cpu().double().numpy()
            self._best[name] = Best(record.step, loss, left, right)
        if self._best and any(record.outcome for record in records.values()):
            completed.write(self._run, self._best)

    def _write_pictures(
        self, problem: Picture, records: Mapping[str, Record], layout: Layout
    ) -> None:
        """Append what the networks make of a picture; one that has ended keeps its last one."""
        still = self._run.folder / "still.u1"
        if not still.exists():
            files.replace(still, problem.still.to_bytes())
        unknown = np.zeros(problem.shape)
        for name in layout.shapes:
            newest = records[name].whole if name in records else None
            if newest is not None:
                self._wholes[name] = newest
        if pictures.due(self._config, self._count, records):
            step = max(record.step for record in records.values())
            wholes = [self._wholes.get(name, unknown) for name in layout.shapes]
            row = pictures.packed(step, wholes)
            files.append(self._run.folder / "pictures.f2", row, len(row))

    def _write_films(self, records: Mapping[str, Resumable]) -> None:
        """Keep what the narrowest network makes of films, if validation finds it best so far."""
        problem = self._comparison.problem
        if not isinstance(problem, Residuals):
            return
        moments = [record for record in records.values() if record.moment is not None]
        if not moments:
            return
        record = min(moments, key=_width)
        assert record.moment is not None
        state = State(Network(list(record.moment.factors)), self._config.rank_bound)
        error = float(record.values["validation_rmse"])
        known = films.best(self._run)
        if not (state.finite and error < (known.error if known else math.inf)):
            return
        loss = float(record.values["train_loss"])
        _, values, right = state.svd
        features = values[: len(right), None] * right / problem.shape[0] ** 0.5
        examples = problem.at_examples(state.left, state.right)
        made = films.Films(record.step, error, 2 * loss, _numbers(examples), _numbers(features))
        films.keep(self._run, made)


def _width(record: Resumable) -> int:
    assert record.moment is not None
    return min(min(factor.shape) for factor in record.moment.factors)


def _numbers(tensor: "Tensor") -> films.Floats:
    return tensor.detach().cpu().float().numpy()
