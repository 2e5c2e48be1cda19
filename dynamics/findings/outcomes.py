"""Outcomes: how a network's training ended, and at which step it reached an error."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dynamics.core import traits, words
from dynamics.core.records import Record, Trajectory

ENDED, DIVERGED, UNSTARTED = "ended", "diverged", "unstarted"
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
    """Steps and seconds to each decade of an error: a row for each decade that a network reached.

    The keys are ``level``, then ``<network>.steps`` and ``<network>.seconds``; None if a network
    did not reach the level.
    """
    rows = []
    for level in DECADES:
        row: dict[str, float | None] = {"level": level}
        for trajectory in trajectories:
            for counter in ("steps", "seconds"):
                cost = trajectory.reached(name, level, counter)
                row[f"{trajectory.network}.{counter}"] = None if math.isnan(cost) else cost
        if any(value is not None for key, value in row.items() if key != "level"):
            rows.append(row)
    return rows
