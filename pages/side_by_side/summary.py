"""Summary: what happened in a run, in words and in tables of milestones and escapes."""

import streamlit as st

from dynamics.core import description
from dynamics.core.records import Trajectory
from dynamics.core.traits import short_name
from dynamics.core.words import brief, raised
from dynamics.findings import rounding
from dynamics.findings.failures import Failure
from dynamics.findings.outcomes import late, milestones, timed
from dynamics.findings.story import story
from dynamics.runs.run import Run, RunError
from pages.shared.table import table
from pages.side_by_side.escapes import escapes


def summary(run: Run) -> None:
    """What happened and why; steps and seconds to each decade of the error; escapes of modes."""
    if run.status.live:
        return
    try:
        trajectories = timed(run.trajectories)
    except RunError as error:
        st.error(str(error))
        return
    if not trajectories or not len(trajectories[0].steps):
        return
    with st.container(border=True, key="story"):
        st.markdown("**What happened**")
        failures = [Failure.read(signature) for signature in run.status.signatures]
        sentences = story(run.config, trajectories, [failure for failure in failures if failure])
        sentences += rounding.sentences([*run.layout.shapes], run.rounding, run.config.problem)
        st.markdown("\n".join(f"- {sentence}" for sentence in sentences))
        if {"original", "compressed"} <= {trajectory.network for trajectory in trajectories}:
            st.page_link(
                "pages/3_Attribution.py",
                label="Split the lead into its causes",
                icon=":material/stairs:",
                query_params=description.differences(run.config, None),
            )
    if all("recovery_error" in trajectory.series for trajectory in trajectories):
        _milestones(trajectories)
    else:
        _held_out(trajectories)
    escapes(run.config, trajectories)


def _milestones(trajectories: list[Trajectory]) -> None:
    rows = milestones(trajectories)
    if not rows:
        lowest = []
        for trajectory in trajectories:
            best = trajectory.lowest("recovery_error")
            if best is not None:
                error = brief(trajectory.series["recovery_error"][best])
                lowest.append(f"{short_name(trajectory.network)} {error}")
        st.caption(f"No recovery error fell to 0.1. Lowest: {', '.join(lowest) or 'none'}.")
        return
    st.subheader("Steps and seconds to each error", anchor=False)
    table(
        [_row(row, trajectories) for row in rows],
        "Steps and seconds of each network to each decade of the recovery error",
    )
    if len(trajectories) > 1:
        st.caption(
            "Seconds of training on this machine, without measuring. Operations are those of the "
            "steps and of the SVD that a spectral start needs. α reduces the number of steps, r̂ "
            "the cost of each."
            + " What the original did before the late start counts for both."
            * any(map(late, trajectories))
        )


def _row(row: dict[str, float | None], trajectories: list[Trajectory]) -> dict[str, str]:
    cells = {"Recovery error at most": raised(f"{row['level']:.0e}")}
    for trajectory in trajectories:
        name = trajectory.network
        cells[f"{short_name(name)}, steps"] = _text(row[f"{name}.steps"], ",.0f")
        cells[f"{short_name(name)}, seconds"] = _text(row[f"{name}.seconds"], ".3g")
    if {"original", "compressed"} <= {trajectory.network for trajectory in trajectories}:
        for unit in ("steps", "operations"):
            original = row[f"original.{unit}"]
            compressed = row[f"compressed.{unit}"]
            ratio = original / compressed if original and compressed else None
            cells[f"ratio of {unit}"] = _text(ratio, ".1f", " ×")
    return cells


def _text(value: float | None, form: str, unit: str = "") -> str:
    return "not reached" if value is None else raised(format(value, form)) + unit


def _held_out(trajectories: list[Trajectory]) -> None:
    for trajectory, place in zip(trajectories, st.columns(len(trajectories)), strict=True):
        best = trajectory.lowest("test_loss")
        if best is not None:
            loss = trajectory.series["test_loss"][best]
            place.metric(
                f"Best error on held-out ratings, {short_name(trajectory.network)}",
                f"{(2 * loss) ** 0.5:.3f} stars",
                f"root mean square, at step {trajectory.steps[best]:,.0f}",
                delta_color="off",
                delta_arrow="off",
            )
