"""Outcomes: at which step, and after how many seconds, a run reaches an error."""

from collections.abc import Sequence

from dynamics.core import traits
from dynamics.core.records import Trajectory

DECADES = tuple(10.0**-exponent for exponent in range(1, 8))


def timed(trajectories: Sequence[Trajectory]) -> list[Trajectory]:
    """Those whose times may be compared: an exact reduction has not done the network's work."""
    return [each for each in trajectories if not traits.reduced(each.network)]


def milestones(
    trajectories: Sequence[Trajectory], name: str = "recovery_error"
) -> list[dict[str, float | None]]:
    """Steps and seconds to each decade of an error, a row a decade that any network reached.

    Columns: ``level``, then ``<network>.steps`` and ``<network>.seconds``, None if not reached.
    """
    rows = []
    for level in DECADES:
        row: dict[str, float | None] = {"level": level}
        for trajectory in trajectories:
            index = trajectory.first_at(name, level)
            for counter in ("steps", "seconds"):
                values = getattr(trajectory, counter)
                row[f"{trajectory.network}.{counter}"] = None if index is None else values[index]
        if any(value is not None for key, value in row.items() if key != "level"):
            rows.append(row)
    return rows
