"""Outcomes: how a network's training ended, and at which step it reached an error."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dynamics.core import traits, words
from dynamics.core.changes import LateStart
from dynamics.core.records import Record, Trajectory

ENDED, DIVERGED, UNSTARTED = "ended", "diverged", "unstarted"
COUNTED = ("steps", "seconds", "operations")
SHORT = 0.2  # seconds of training below which a measured time is mostly noise
PARTS = 8  # stretches of a run whose seconds show the noise
LEVELS = (0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.97, 0.98, 0.99)  # accuracies that are compared
DECADES = tuple(10.0**-exponent for exponent in range(1, 8))


@dataclass(frozen=True)
class Outcome:
    """How one network's training ended.

    Attributes:
        kind: ``ended``: at its last step or at its tolerance; ``diverged``: at a training loss that
            is not finite; ``unstarted``: the network from which it was to start ended first.
        step: step of the network's last record.
        loss: the last training loss; None unless the kind is ``ended``.
    """

    kind: str
    step: int
    loss: float | None = None

    @classmethod
    def of(cls, record: Record) -> "Outcome | None":
        """The outcome that a record shows; None while training continues."""
        if not record.outcome:
            return None
        if record.outcome == DIVERGED:
            return cls(DIVERGED, record.step)
        if not math.isfinite(record.seconds):
            return cls(UNSTARTED, record.step)
        return cls(ENDED, record.step, float(record.values["train_loss"]))

    @classmethod
    def read(cls, stored: Mapping[str, Any] | str) -> "Outcome":
        """An outcome from a status file, in which older runs have a sentence instead.

        Raises:
            KeyError, TypeError or ValueError: if ``stored`` is neither.
        """
        if isinstance(stored, str):
            return _from_sentence(stored)
        loss = stored["loss"]
        return cls(str(stored["kind"]), int(stored["step"]), None if loss is None else float(loss))

    @property
    def sentence(self) -> str:
        """What the network did, as words that follow its name."""
        if self.kind == DIVERGED:
            return f"diverged at step {self.step:,}"
        if self.loss is None:
            return "never started, because the original ended first"
        return f"ended at step {self.step:,} with train loss {words.raised(f'{self.loss:.2g}')}"


def _from_sentence(sentence: str) -> Outcome:
    if sentence.startswith("never started"):
        return Outcome(UNSTARTED, 0)
    match = re.fullmatch(r"(ended|diverged) at step ([\d,]+)(?: with train loss (.+))?", sentence)
    if not match:
        raise ValueError(f"{sentence!r} is not an outcome.")
    kind, step, loss = match.groups()
    return Outcome(kind, int(step.replace(",", "")), words.value(loss) if loss else None)


def timed(trajectories: Sequence[Trajectory]) -> list[Trajectory]:
    """The trajectories whose times may be compared.

    Exact reductions are left out, because they do not do the network's work.
    """
    return [
        trajectory for trajectory in trajectories if not traits.network(trajectory.network).reduced
    ]


def milestones(
    trajectories: Sequence[Trajectory], name: str = "recovery_error"
) -> list[dict[str, float | None]]:
    """What each network needed to each decade of an error; a row for each decade that one reached.

    The keys are ``level``, then ``<network>.<counter>`` for each of ``COUNTED``; None if a network
    did not reach the level. A network that started late is counted from the start of the run: what
    the original did before belongs to both.
    """
    source = next((each for each in trajectories if each.network == LateStart.source), None)
    rows = []
    for level in DECADES:
        row: dict[str, float | None] = {"level": level}
        for trajectory in trajectories:
            below = trajectory.first_at(name, level) == 0
            reader = source if below and source and late(trajectory) else trajectory
            for counter in COUNTED:
                cost = reader.reached(name, level, counter)
                row[f"{trajectory.network}.{counter}"] = None if math.isnan(cost) else cost
        if any(value is not None for key, value in row.items() if key != "level"):
            rows.append(row)
    return rows


def common_level(trajectories: Sequence[Trajectory]) -> float | None:
    """The highest of LEVELS that the accuracy of every network reached; None if there is none."""
    best = [np.nanmax(each.series["accuracy"], initial=0.0) for each in trajectories]
    return max((level for level in LEVELS if level <= min(best, default=0.0)), default=None)


def until_accuracy(trajectory: Trajectory, level: float) -> dict[str, float]:
    """Steps, seconds and operations until the accuracy first was a level, which it reached."""
    record = int(np.flatnonzero(trajectory.series["accuracy"] >= level)[0])
    return {counter: float(getattr(trajectory, counter)[record]) for counter in COUNTED}


def late(trajectory: Trajectory) -> bool:
    """Whether the network started on the way, from another network."""
    return bool(len(trajectory.steps)) and trajectory.steps[0] > 0


@dataclass(frozen=True)
class Lead:
    """How much less a network needed than another to reach an error: other / own, above 1 for less.

    Attributes:
        level: the error.
        steps: ratio of the steps; after a late start, of those that followed it.
        operations: ratio of all operations, those of the first factors and those before a late
            start included.
        cost: ratio of the operations of one step.
        seconds: ratio of the seconds of training with its noise: the lowest, the measured and the
            highest; None if one of the two trained for less than ``SHORT``.
    """

    level: float
    steps: float
    operations: float
    cost: float
    seconds: tuple[float, float, float] | None

    @classmethod
    def of(cls, own: Trajectory, other: Trajectory, name: str = "recovery_error") -> "Lead | None":
        """The lead at the lowest decade that both reached, each in steps after ``own`` started.

        None if there is no such decade.
        """
        for level in reversed(DECADES):
            mine = own.first_at(name, level)
            theirs = other.first_at(name, level)
            start = own.steps[0]
            if not mine or not theirs or other.steps[theirs] <= start:
                continue
            steps = (other.steps[theirs] - start) / (own.steps[mine] - start)
            before = np.interp(start, other.steps, other.operations)
            work = (other.operations[theirs] - before) / (own.operations[mine] - own.operations[0])
            operations = other.operations[theirs] / own.operations[mine]
            seconds = _ratio_of_seconds(own, mine, other, theirs)
            return cls(level, float(steps), float(operations), float(work / steps), seconds)
        return None


def _ratio_of_seconds(
    own: Trajectory, mine: int, other: Trajectory, theirs: int
) -> tuple[float, float, float] | None:
    if min(own.seconds[mine] - own.seconds[0], other.seconds[theirs]) < SHORT:
        return None
    own_low, own_high = _noisy(own, mine)
    low, high = _noisy(other, theirs)
    middle = other.seconds[theirs] / own.seconds[mine]
    return min(low / own_high, middle), float(middle), max(high / own_low, middle)


def _noisy(trajectory: Trajectory, end: int) -> tuple[float, float]:
    """The seconds up to a record if all steps took as long as those of a fast or of a slow part.

    The parts are PARTS stretches of as many steps; fast and slow are the quartiles.
    """
    goals = np.linspace(trajectory.steps[0], trajectory.steps[end], PARTS + 1)
    clock = np.interp(goals, trajectory.steps, trajectory.seconds)
    low, high = np.percentile(np.diff(clock), (25, 75)) * PARTS + trajectory.seconds[0]
    return float(low), float(high)
