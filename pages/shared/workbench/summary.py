"""Summary: what happened in a run: a line, an account at the side, and tables."""

import math

import streamlit as st

from dynamics.core import description, traits
from dynamics.core.config import Config
from dynamics.core.records import HELD_OUT, TAIL, Trajectory, tail_mean
from dynamics.core.traits import short_name
from dynamics.core.words import brief, raised
from dynamics.findings import causes, outcomes, rounding
from dynamics.findings.class_story import left_plateau
from dynamics.findings.failures import Failure
from dynamics.findings.outcomes import late, milestones, timed
from dynamics.findings.story import headline, story
from dynamics.findings.validation import least
from dynamics.runs.run import Run, RunError
from dynamics.teach.glossary import about
from dynamics.theory.course import Expected, expected
from dynamics.theory.prediction import Facts
from pages.shared.table import table
from pages.shared.workbench.escapes import escapes
from pages.shared.workbench.waiting import MEANWHILE, told


def summary(run: Run) -> None:
    """Steps and seconds to each decade of the error; escapes of modes.

    Where classes are told apart, it is accuracy and cost instead.
    """
    trajectories = _trajectories(run)
    if not trajectories or run.watched:
        return
    if traits.problem(run.config.problem).classifies:
        _accuracies(run.config, trajectories)
        return
    if all("recovery_error" in trajectory.series for trajectory in trajectories):
        _milestones(trajectories)
    else:
        _held_out(trajectories)
    escapes(run.config, trajectories)


def account(run: Run) -> None:
    """A line that says what the lead was, once the run has ended; it opens *What happened*."""
    trajectories = _trajectories(run, told=False)
    if not trajectories:
        return
    known = "" if run.watched else headline(trajectories)
    shown = st.session_state.get("account") == run.key
    st.button(
        f"What happened{f': {known}' if known else ''}",
        icon=":material/chevron_right:" if shown else ":material/chevron_left:",
        type="tertiary",
        key="account line",
        on_click=_turn,
        args=(run.key,),
    )
    if shown:
        with st.container(key="account"):
            _story(run, trajectories)


def _turn(key: str) -> None:
    """Open what is closed, close what is open."""
    shown = st.session_state.get("account")
    st.session_state["account"] = None if shown == key else key


def _trajectories(run: Run, *, told: bool = True) -> list[Trajectory]:
    """The records of a run that has ended; none, after a sentence if ``told``, if damaged."""
    if run.status.live:
        return []
    try:
        trajectories = timed(run.trajectories)
    except RunError as error:
        if told:
            st.error(str(error))
        return []
    return trajectories if trajectories and len(trajectories[0].steps) else []


def _story(run: Run, trajectories: list[Trajectory]) -> None:
    with st.container(key="story"):
        with st.container(horizontal=True, horizontal_alignment="distribute"):
            st.markdown("**What happened**", width="content")
            st.button(
                "Close", key="close account", on_click=_turn, args=(run.key,), type="tertiary"
            )
        failures = [Failure.read(signature) for signature in run.status.signatures]
        sentences = story(run.config, trajectories, [failure for failure in failures if failure])
        sentences += rounding.sentences([*run.layout.shapes], run.rounding, run.config.problem)
        st.markdown("\n".join(f"- {sentence}" for sentence in sentences))
        classes = traits.problem(run.config.problem).classifies
        both = {"original", "compressed"} <= {trajectory.network for trajectory in trajectories}
        if both and not (classes and causes.refusal(run.config)):
            st.page_link(
                "pages/4_Attribution.py",
                label="Split the lead into its causes",
                icon=":material/stairs:",
                query_params=description.differences(run.config, None),
            )


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
    st.subheader("Steps and seconds to each error", anchor=False, help=about("Recovery error"))
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


def _accuracies(config: Config, trajectories: list[Trajectory]) -> None:
    """A column for each network: its accuracy, what it took to one that all reached, its steps.

    The plain layer stands third, where a narrow page shows it too: the others are to beat it.
    """
    first = ("original", "compressed", "plain")
    places = {name: place for place, name in enumerate(first)}
    trajectories = sorted(trajectories, key=lambda each: places.get(each.network, len(first)))
    level = outcomes.common_level(trajectories)
    courses = expected(config, Facts.of(trajectories[0].facts))
    columns = [
        _column(trajectory, level) | _plateau(trajectory, courses[trajectory.network])
        for trajectory in trajectories
    ]
    st.subheader("Accuracy, and what it took", anchor=False)
    names = [short_name(trajectory.network) for trajectory in trajectories]
    rows = [
        {"": row} | {name: column[row] for name, column in zip(names, columns, strict=True)}
        for row in columns[0]
    ]
    table(rows, "Accuracy of each network on held-out images, and what it took")
    st.caption(
        "Accuracy is the share of held-out images that are put into their class: of the first "
        f"{HELD_OUT:,} in a record, of all at the end. Seconds are those "
        "of training on this machine, without measuring; operations are exact. The original and "
        "the same layer by layer make the same steps but for rounding, which a run can amplify; "
        "what differs is the time of a step, and where the head is a small part of the network, "
        f"hardly that. {MEANWHILE}"
    )


def _column(trajectory: Trajectory, level: float | None) -> dict[str, str]:
    accuracy = trajectory.series["accuracy"]
    steps = trajectory.steps[-1] - trajectory.steps[0]
    seconds = trajectory.seconds[-1] - trajectory.seconds[0]
    work = trajectory.operations[-1] - trajectory.operations[0]
    cells = {
        f"Accuracy, mean of the last {TAIL} records": _share(tail_mean(accuracy)),
        "At the end, of all images": _share(accuracy[-1]),
    }
    if level is not None:
        took = outcomes.until_accuracy(trajectory, level)
        cells |= {
            f"Steps to {100 * level:g} %": f"{took['steps']:,.0f}",
            f"Seconds to {100 * level:g} %": f"{took['seconds']:.2g}",
        }
    return cells | {
        "Milliseconds a step": f"{1000 * seconds / steps:.2g}" if steps else "–",
        "Operations a step": brief(work / steps) if steps else "–",
    }


def _plateau(trajectory: Trajectory, course: Expected) -> dict[str, str]:
    """When the network began to learn, and when it was to by the forecast."""
    end = left_plateau(trajectory)
    measured = "not reached" if end is None else f"{end:,.0f}"
    foretold = course.plateau[-1] if course.plateau else math.nan
    return {
        "Train loss down by 10 %, at step": "before its start" if late(trajectory) else measured,
        "By the forecast": told(foretold, course.standing)
        if math.isfinite(foretold)
        else "not known",
    }


def _share(value: float | None) -> str:
    return "diverged" if value is None or math.isnan(value) else f"{100 * value:.1f} %"


def _held_out(trajectories: list[Trajectory]) -> None:
    for trajectory, place in zip(trajectories, st.columns(len(trajectories)), strict=True):
        stopped = least(trajectory)
        best = trajectory.lowest("test_loss") if stopped is None else stopped
        if best is not None:
            loss = trajectory.series["test_loss"][best]
            step = f"step {trajectory.steps[best]:,.0f}"
            place.metric(
                f"{'Best error' if stopped is None else 'Error'} on held-out ratings, "
                f"{short_name(trajectory.network)}",
                f"{(2 * loss) ** 0.5:.3f} stars",
                f"root mean square, at {step}{'' if stopped is None else ': stop by validation'}",
                delta_color="off",
                delta_arrow="off",
            )
