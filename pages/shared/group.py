"""Group: a page starts several runs, shows how far they are and offers to cancel them."""

import contextlib

import streamlit as st

from dynamics.core.words import duration
from dynamics.runs.group import Group, Progress
from dynamics.runs.run import LIVE, RunError

LOOK = 0.5  # seconds between two looks at runs that train
REFUSED = "refused start"  # session key of the sentence why a group could not be started


def start(group: Group) -> None:
    """Start the group; a full queue or disk is reported by ``show_refusal`` in the next rerun."""
    try:
        group.start()
    except RunError as error:
        st.session_state[REFUSED] = str(error)


def cancel(group: Group) -> None:
    """Cancel the visitor's own runs of the group; why that failed is said in the next rerun."""
    try:
        group.cancel()
    except RunError as error:
        st.session_state[REFUSED] = str(error)


def show_refusal() -> None:
    """Say why the group could not be started, once."""
    if sentence := st.session_state.pop(REFUSED, None):
        st.error(sentence)


def show_training(group: Group, progress: Progress, more: str = "") -> None:
    """A progress bar, words that end with ``more``, and *Cancel*, while the group trains.

    The page runs again whenever a run changes its phase. The button is outside the part that
    reruns every half second, because a click in that part can be lost. Whoever has started none of
    the runs in hand has no button.
    """
    with st.container(horizontal=True, vertical_alignment="center", key="training"):
        _bar(group, progress.phases, more)
        if group.mine(progress.of(*LIVE)):
            st.button("Cancel", on_click=cancel, args=(group,), icon=":material/stop:")


@st.fragment(run_every=LOOK)
def _bar(group: Group, phases: tuple[str, ...], more: str) -> None:
    with contextlib.suppress(RunError):  # the queue is full: the next look tries again
        group.start_more()
    progress = group.progress()
    if progress.phases != phases:
        st.rerun()
    st.progress(min(1.0, progress.share), words(progress) + more)


def words(progress: Progress) -> str:
    """How far a group is: runs, steps, and how long it may still take."""
    parts = []
    if progress.runs > 1:
        parts.append(f"{progress.ended} of {progress.runs} runs done")
    parts.append(
        f"{progress.share:.0%} of all steps" if progress.step else "waiting for a free core"
    )
    if progress.seconds is not None:
        parts.append(f"at most {duration(progress.seconds)} left")
    text = ", ".join(parts)
    return text[0].upper() + text[1:]
