"""Judge: a paper figure from its finished runs, with its numbers compared with the authors'."""

import dataclasses
import functools
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dynamics.core import registry, traits
from dynamics.core.records import Trajectory
from dynamics.data.published import NAMES, arrays
from dynamics.paper import baselines
from dynamics.paper.check import Check, verdict
from dynamics.paper.figure import Found, all_checks
from dynamics.paper.plan import Plan
from dynamics.runs.run import Run, RunError

if TYPE_CHECKING:
    import plotly.graph_objects as go

READ = ("records.f8", "layout.json", "status.json", baselines.FILE)  # files of a run


@dataclass(frozen=True)
class Judged:
    """A finished figure: what its runs recorded, its numbers beside the authors', the verdict."""

    plan: Plan
    runs: tuple[Run, ...]
    found: Found
    checks: tuple[Check, ...]
    seconds: float  # of training, over all runs
    machine: str

    def draw(self) -> "list[go.Figure]":
        """The picture's panels from left to right, with the authors' numbers on them."""
        panels: list[go.Figure] = registry.load("figures", self.plan.name).draw(self.found)
        return panels

    @property
    def verdict(self) -> str:
        """``agrees``, ``differs`` or ``no number published``."""
        return verdict(self.checks)

    @property
    def differences(self) -> list[str]:
        """What differs from the authors' numbers, one clause for each number."""
        return [check.why for check in self.checks if check.why]

    @property
    def published(self) -> int:
        """How many published numbers the figure was compared with."""
        return sum(check.published is not None for check in self.checks)

    @property
    def why(self) -> str:
        """The reason for the verdict in one sentence."""
        name = self.plan.name
        known = name in NAMES or traits.figure(name).published
        if known and not self.plan.draw.theirs:
            return "These draws are not the authors'; the authors' numbers do not apply."
        if not self.published:
            return "The authors gave no number for this figure."
        if self.differences:
            told = "; ".join(self.differences)
            return f"{told[0].upper()}{told[1:]}."
        return f"All {self.published} published numbers are met."

    def to_dict(self) -> dict[str, Any]:
        """The verdict with every number and every run, ready for JSON."""
        return {
            "figure": self.plan.name,
            "verdict": self.verdict,
            "why": self.why,
            "draw": dataclasses.asdict(self.plan.draw),
            "checks": [
                dataclasses.asdict(check) | {"verdict": check.verdict, "why": check.why}
                for check in self.checks
            ],
            "runs": {
                label: [
                    {"key": config.key, "config": config.canonical().to_dict()}
                    for config in configs
                ]
                for label, configs in self.plan.configs.items()
            },
            "seconds": self.seconds,
            "machine": self.machine,
        }


def judge(plan: Plan, folder: Path) -> Judged:
    """Compare the numbers of a figure whose runs have all ended with the authors'.

    Raises:
        MissingError: if a run's baselines have not been computed yet.
        RunError: if a run is damaged.
    """
    runs = {config.key: Run(folder / config.key) for config in plan.distinct}
    shared = [baselines.read(runs[config.key]) for config in plan.shared]
    recorded = {key: _trajectories(run) for key, run in runs.items()}
    found = Found(
        {
            label: [recorded[config.key] for config in configs]
            for label, configs in plan.configs.items()
        },
        arrays(plan.name) if plan.draw.theirs and plan.name in NAMES else {},
        shared,
    )
    checks = all_checks(registry.load("figures", plan.name), found)
    if not plan.draw.theirs:
        checks = [dataclasses.replace(check, published=None) for check in checks]
    seconds = sum(
        float(trajectory.seconds[-1])
        for networks in recorded.values()
        for trajectory in networks.values()
    )
    machine = ", ".join(sorted({run.status.machine for run in runs.values()}))
    return Judged(plan, tuple(runs.values()), found, tuple(checks), seconds, machine)


def _trajectories(run: Run) -> dict[str, Trajectory]:
    """The trajectories of a finished run by network.

    Raises:
        RunError: if records are missing; the message says what to do.
    """
    try:
        rows = run.rows()
        last = run.status.step
        if not len(rows) or rows[-1, 0] != last:
            raise RunError(f"Run {run.key} is damaged: its last record is missing.")
        trajectories = run.layout.trajectories(rows, run.starts)
        return {trajectory.network: trajectory for trajectory in trajectories}
    except RunError as error:
        again = f"Delete it (runs delete {run.key}), and the figure trains it again."
        raise RunError(f"{error} {again}") from None


def kept(plan: Plan, folder: Path) -> Judged:
    """As ``judge``, but judges the last figure again only after a file of its runs has changed."""
    return _kept(plan, folder, _state(plan, folder))


def kept_verdict(plan: Plan, folder: Path) -> str:
    """The verdict alone, kept for every figure, because a gallery asks for all of them often."""
    return _kept_verdict(plan, folder, _state(plan, folder))


State = tuple[tuple[int, int], ...]


def _state(plan: Plan, folder: Path) -> State:
    """Size and time of change of every file that ``judge`` reads; zeros for a missing file."""
    files = [folder / config.key / name for config in plan.distinct for name in READ]
    return tuple(map(_size_and_time, files))


def _size_and_time(file: Path) -> tuple[int, int]:
    try:
        state = file.stat()
    except FileNotFoundError:
        return 0, 0
    return state.st_size, state.st_mtime_ns


@functools.lru_cache(maxsize=1)
def _kept(plan: Plan, folder: Path, _: State) -> Judged:
    return judge(plan, folder)


@functools.lru_cache(maxsize=256)
def _kept_verdict(plan: Plan, folder: Path, _: State) -> str:
    return judge(plan, folder).verdict
