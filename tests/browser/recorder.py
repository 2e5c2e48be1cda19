"""A run folder that is written by hand, so that a test decides what is there and when."""

import dataclasses
import fcntl
import time
from pathlib import Path
from typing import Any

import numpy as np

from dynamics.core.config import Config
from dynamics.core.cost import start
from dynamics.core.records import Array, Layout, Record
from dynamics.runs.run import Run, Status

PANELS = (
    "singular_values/original",
    "singular_values/compressed",
    "principal_angles",
    "recovery_error",
)


class Recorder:
    """The worker's side of a run: the same files by the same calls, but no training.

    ``count`` singular values a network; the curves escape their plateaus one after another.
    """

    def __init__(self, root: Path, config: Config, count: int = 10, phase: str = "running") -> None:
        self.config, self.count = config, count
        self.run = Run(root / config.key)
        self.run.folder.mkdir(parents=True, exist_ok=True)
        self.alive = open(self.run.folder / "alive", "w", encoding="utf-8")  # noqa: SIM115 - held like a worker's
        fcntl.flock(self.alive, fcntl.LOCK_EX)
        self.created, self.written = time.time(), 0
        self.run.write("config.json", config.to_dict())
        (self.run.folder / "records.f8").write_bytes(b"")
        self.say(phase)
        self.layout = Layout.of(self.records(0), {"target_singular_values": list(self.target())})
        if phase != "queued":
            self.begin()

    def begin(self) -> None:
        """Describe the columns, as a worker does with its first record."""
        self.run.write("layout.json", self.layout.to_dict())
        self.say("running")

    def target(self) -> Array:
        """The singular values of the matrix that is learned."""
        return np.linspace(20.0, 10.0, self.config.rank)

    def say(self, phase: str, **more: Any) -> None:
        """Replace the status."""
        step = max(self.written - 1, 0) * self.config.record_every
        status = Status(
            phase, step, 800.0, machine="CPU, 1 thread, float64", created=self.created, **more
        )
        self.run.write("status.json", dataclasses.asdict(status))

    def records(self, number: int) -> dict[str, Record]:
        """Both networks after ``number`` times ``record_every`` steps."""
        step = number * self.config.record_every
        return {name: self.record(name, step) for name in ("original", "compressed")}

    def record(self, network: str, step: int) -> Record:
        """One network's curves, which are smooth functions of the step."""
        speed = 1.0 if network == "original" else 2.2
        time_ = speed * step / self.config.steps
        starts = 0.08 + 0.09 * np.arange(self.count)
        rise = 1 / (1 + np.exp(np.clip(-60 * (time_ - starts), -500, 500)))
        goal = np.zeros(self.count)
        goal[: self.config.rank] = self.target()
        values = np.maximum(goal * rise, 1e-6 * (0.5 + np.arange(self.count) / self.count))
        angles = np.pi / 2 * (1 - rise[: self.config.rank]) + 1e-7
        error = 1e-5 + np.linalg.norm(goal - values) / np.linalg.norm(goal)
        measured = {
            "singular_values": values,
            "left_angles": angles,
            "right_angles": angles * 0.9,
            "recovery_error": np.array(error),
            "train_loss": np.array(error**2),
        }
        operations = start(self.config, network) + step * 1e6 / speed
        return Record(step, step * 1e-3 / speed, step * 1e-4, operations, measured)

    def write(self, count: int, *, broken: str = "", ended: str = "") -> None:
        """Append the next ``count`` records in one go.

        ``broken`` names a network whose numbers are NaN, ``ended`` one that trains no more.
        """
        rows = []
        for number in range(self.written, self.written + count):
            row = self.layout.row(self.records(number))
            for (network, name), place in self.layout.slices.items():
                nan = network == broken and name in self.layout.shapes[network]
                if nan or network == ended:
                    row[place] = np.nan
            rows.append(row)
        with open(self.run.folder / "records.f8", "ab") as file:
            file.write(np.array(rows, "<f8").tobytes())
        self.written += count

    def end(self, phase: str = "done", **more: Any) -> None:
        """The worker's last word."""
        self.say(phase, **more)
        self.alive.close()
