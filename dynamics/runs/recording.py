"""Recording: the folder of a run that another program trains, filled by that program's process."""

import contextlib
import dataclasses
import fcntl
import os
import shutil
import time
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import IO, Any

import numpy as np

from dynamics.core.config import Config
from dynamics.core.machine import files
from dynamics.core.records import Array, Layout, Record
from dynamics.runs import capability, control, version
from dynamics.runs.run import Run, Status
from dynamics.runs.start import replace
from dynamics.runs.worker import SPARE

Values = Mapping[str, Mapping[str, Array]]  # the series of each matrix, by name


class Recording:
    """A run's folder with a status, which this process alone fills.

    Attributes:
        run: the folder.
        status: what ``status.json`` says.

    Raises:
        OSError: by every method, if the folder cannot be written.
    """

    def __init__(self, folder: Path, config: Config, machine: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        config, aside = _own_folder(folder, config)
        try:
            self.status = Status("running", machine=machine, pid=os.getpid(), created=time.time())
            version.stamp(aside.folder)
            aside.write("config.json", config.to_dict())
            control.begin(aside, capability.of_command(folder), new=True)
            aside.write("status.json", dataclasses.asdict(self.status))
            (aside.folder / ".spare").write_bytes(os.urandom(SPARE))
            self._alive = _locked(aside)
            self.run = Run(folder / config.key)
            aside.folder.rename(self.run.folder)
        except BaseException:
            shutil.rmtree(aside.folder, ignore_errors=True)
            raise
        self._config = config
        self._layout = Layout({})

    def write(self, step: int, values: Values, seconds: float, measuring: float) -> None:
        """Append one record; a series that is new has NaN in the records before it.

        Args:
            step: number of gradient steps.
            values: the series of each matrix. A series that was there before may be missing.
            seconds: of the program, without measuring.
            measuring: seconds of measuring.
        """
        shapes = {
            name: {**self._layout.shapes.get(name, {}), **_shapes(series)}
            for name, series in values.items()
        }
        if shapes != self._layout.shapes:
            self._widen(Layout(shapes))
        records = {
            name: Record(step, seconds, measuring, np.nan, _whole(shapes[name], series))
            for name, series in values.items()
        }
        row = self._layout.row(records).astype("<f8").tobytes()
        files.append(self.run.folder / "records.f8", row, len(row))

    def tell(self, **changes: Any) -> None:
        """Change these fields of the status and write ``status.json``."""
        self.status = dataclasses.replace(self.status, **changes)
        self.run.write("status.json", dataclasses.asdict(self.status))

    def leave(self, **changes: Any) -> None:
        """Change the status a last time, if the disk lets it, and let go of the folder."""
        with contextlib.suppress(OSError):
            (self.run.folder / ".spare").unlink(missing_ok=True)  # room for the last words
            self.tell(**changes)
        self._alive.close()

    def _widen(self, layout: Layout) -> None:
        """Write the folder again with more columns, and put it into its own place in one go.

        A new time of creation tells the pages that watch the run to start over.
        """
        rows = self.run.rows() if self._layout.shapes else np.empty((0, 1))
        wider = np.full((len(rows), layout.width), np.nan)
        wider[:, 0] = rows[:, 0]
        for place, columns in self._layout.slices.items():
            wider[:, layout.slices[place]] = rows[:, columns]
        aside = Run(self.run.folder.with_name(f".new-{self.run.key}"))
        shutil.rmtree(aside.folder, ignore_errors=True)
        try:
            shutil.copytree(self.run.folder, aside.folder, ignore=_ignored)
            aside.write("layout.json", layout.to_dict())
            files.replace(aside.folder / "records.f8", wider.astype("<f8").tobytes())
            if len(rows):
                created = np.nextafter(self.status.created, np.inf)
                self.status = dataclasses.replace(self.status, created=float(created))
            aside.write("status.json", dataclasses.asdict(self.status))
            alive = _locked(aside)
            replace(self.run.folder, aside.folder)
        except BaseException:
            shutil.rmtree(aside.folder, ignore_errors=True)
            raise
        self._alive.close()
        self._alive = alive
        self._layout = layout


def _ignored(folder: str, names: list[str]) -> list[str]:
    return [name for name in names if name in ("alive", "records.f8", "layout.json")]


def _own_folder(folder: Path, config: Config) -> tuple[Config, Run]:
    """The config with its moment, and the folder that becomes the run's once it is whole."""
    while True:
        config = dataclasses.replace(config, moment=datetime.now().isoformat())
        aside = Run(folder / f".new-{config.key}")
        with contextlib.suppress(FileExistsError):  # another program began at the same moment
            aside.folder.mkdir()
            return config, aside


def _locked(run: Run) -> IO[str]:
    """The file that is locked for as long as this process lives, however it ends."""
    alive = open(run.folder / "alive", "w", encoding="utf-8")  # noqa: SIM115 - it stays open
    fcntl.flock(alive, fcntl.LOCK_EX)
    return alive


def _shapes(series: Mapping[str, Array]) -> dict[str, tuple[int, ...]]:
    return {name: np.shape(value) for name, value in series.items()}


def _whole(shapes: Mapping[str, tuple[int, ...]], series: Mapping[str, Array]) -> dict[str, Array]:
    """The series with NaN for those that are missing."""
    return {name: series.get(name, np.full(shape, np.nan)) for name, shape in shapes.items()}
