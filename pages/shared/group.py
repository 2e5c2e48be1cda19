"""Group: a page starts several runs, shows how far they are and offers to cancel them."""

import contextlib

import streamlit as st

from dynamics.core.words import duration
from dynamics.runs.group import Group, Progress
from dynamics.runs.run import RunError

LOOK = 0.5  # seconds between two looks at runs that train
REFUSED = "refused start"  # in the session: why a group could not be started


def start(group: Group) -> None:
    """Start the group; a full queue or disk is reported by ``show_refusal`` in the next rerun."""
    try:
        group.start()
    except RunError as error:
        st.session_state[REFUSED] = str(error)


def show_refusal() -> None:
    """Say why the group could not be started, once."""
    if sentence := st.session_state.pop(REFUSED, None):
        st.error(sentence)


def show_training(group: Group, now: Progress, more: str = "") -> None:
    """A bar with words, ``more`` behind them, and *Cancel*, while the group trains.

    The page runs again whenever a run changes its phase. The button stands outside of what looks
    again and again: a click there can be lost in a rerun.
    """
    with st.container(horizontal=True, vertical_alignment="center", key="training"):
        _bar(group, now.phases, more)
        st.button("Cancel", icon=":material/stop:", on_click=group.cancel)


@st.fragment(run_every=LOOK)
def _bar(group: Group, phases: tuple[str, ...], more: str) -> None:
    with contextlib.suppress(RunError):  # the queue is full: the next look tries again
        group.start_more()
    now = group.progress()
    if now.phases != phases:
        st.rerun()
    st.progress(min(1.0, now.share), words(now) + more)


def words(now: Progress) -> str:
    """How far a group is: runs, steps, and how long it may still take."""
    parts = []
    if now.runs > 1:
        parts.append(f"{now.ended} of {now.runs} runs done")
    parts.append(f"{now.share:.0%} of all steps" if now.step else "waiting for a free core")
    if now.seconds is not None:
        parts.append(f"at most {duration(now.seconds)} left")
    text = ", ".join(parts)
    return text[0].upper() + text[1:]
