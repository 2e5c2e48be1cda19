"""Validation: the record at which images that were kept apart would have stopped the training."""

from collections.abc import Iterator, Sequence

import numpy as np

from dynamics.core.records import Trajectory
from dynamics.core.traits import full_name
from dynamics.core.words import plain

ERRORS = ("validation_rmse", "validation_error")  # of ratings in stars, of other entries


def best(trajectory: Trajectory) -> int | None:
    """The first record of the highest validation accuracy; None if the run has none."""
    accuracies = trajectory.series.get("validation_accuracy")
    if accuracies is None or not np.isfinite(accuracies).any():
        return None
    return int(np.nanargmax(accuracies))


def least(trajectory: Trajectory) -> int | None:
    """The first record of the lowest error on entries kept apart; None if the run has none.

    The live page finds the same: ``pages/shared/live/browser/panel/stop.js``.
    """
    errors = next((trajectory.series[name] for name in ERRORS if name in trajectory.series), None)
    if errors is None or not np.isfinite(errors).any():
        return None
    return int(np.nanargmin(errors))


def told_of_entries(trajectories: Sequence[Trajectory]) -> Iterator[str]:
    """A sentence for each network: where validation stops it, and the recovery error there."""
    for trajectory in trajectories:
        record = least(trajectory)
        if record is None or "recovery_error" not in trajectory.series:
            continue
        errors = trajectory.series["recovery_error"]
        start = (
            f"Its validation part would stop the {full_name(trajectory.network)} at step "
            f"{trajectory.steps[record]:,.0f}"
        )
        if record == len(errors) - 1:
            yield f"{start}, its last: its recovery error is {plain(errors[record])} there."
            continue
        yield (
            f"{start}: its recovery error is {plain(errors[record])} there, {plain(errors[-1])} in "
            f"the end and {plain(np.nanmin(errors))} at its lowest."
        )


def told_in_stars(trajectories: Sequence[Trajectory]) -> Iterator[str]:
    """A sentence for each network: where validation stops it, and what it has there and beside."""
    for trajectory in trajectories:
        record = least(trajectory) if "held_out_rmse" in trajectory.series else None
        if record is None:
            continue
        errors = trajectory.series["held_out_rmse"]
        facts = trajectory.facts
        others = zip(facts["peers"], facts["peers_rmse"], strict=True)
        beside = ", ".join(f"{name} {error:.3f}" for name, error in others)
        last = record == len(errors) - 1
        yield (
            f"Its validation part would stop the {full_name(trajectory.network)} at step "
            f"{trajectory.steps[record]:,.0f}{', its last' * last}: there it misses held-out "
            f"ratings by {errors[record]:.3f} stars (RMSE)"
            f"{'' if last else f', and by {errors[-1]:.3f} in the end'}."
        )
        yield f"Other methods on the same ratings: {beside} stars."


def told(trajectories: Sequence[Trajectory]) -> Iterator[str]:
    """A sentence for each network: when it was best by validation, and what that stop gives."""
    for trajectory in trajectories:
        record = best(trajectory)
        if record is None:
            continue
        accuracies = trajectory.series["accuracy"]
        reached = 100 * trajectory.series["validation_accuracy"][record]
        start = (
            f"The validation accuracy of the {full_name(trajectory.network)} was highest at step "
            f"{trajectory.steps[record]:,.0f}, {reached:.1f} %"
        )
        if record == len(accuracies) - 1:
            yield f"{start}: its last step."
            continue
        yield (
            f"{start}: stopped there, it has a held-out accuracy of {100 * accuracies[record]:.1f} "
            f"%, and {100 * accuracies[-1]:.1f} % in the end."
        )
