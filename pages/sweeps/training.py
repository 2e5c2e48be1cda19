"""Training: what a sweep takes, its start, its progress, and its end."""

import contextlib

import streamlit as st

from dynamics.core.sweep import Sweep
from dynamics.core.words import count, duration
from dynamics.runs import control, sweeper
from dynamics.runs.room import Estimate, estimate
from dynamics.runs.run import RunError, root
from dynamics.runs.sweep import PHASES, Progress, Standing, SweepFolder
from pages.shared.session.who import visitor

LOOK = 0.5  # seconds between two looks at a sweep that trains
REFUSED = "refused sweep"  # session key of the sentence why it could not be started


def stands(sweep: Sweep) -> Progress:
    """Where the sweep stands; nothing of it if it was never started, or is damaged."""
    with contextlib.suppress(RunError):
        return SweepFolder(root(), sweep.key).progress()
    return Progress(sweep)


def show(sweep: Sweep, now: Progress) -> None:
    """What it takes and the button that starts it, or its progress and *Cancel*."""
    if now.live:
        with st.container(horizontal=True, vertical_alignment="center", key="training"):
            _bar(sweep.key, now.phase)
            if control.may(SweepFolder(root(), sweep.key), "cancel", visitor()):
                st.button("Cancel", on_click=_cancel, args=(sweep.key,), icon=":material/stop:")
        return
    expected = _expected(sweep, now)
    left = expected.new or expected.runs - now.ended
    if not left:
        st.caption(f"{now.sentence[0].upper()}{now.sentence[1:]}", width="stretch")
        return
    words = f"Train {count(left, 'run')}"
    if not expected.new:  # other sweeps have trained them
        words = f"Show {count(left, 'finished run')}"
    elif now.ended and now.phase != "waiting":
        words = f"Go on: {count(left, 'run')} left"
    st.button(
        words,
        on_click=_start,
        args=(sweep,),
        type="primary",
        icon=":material/play_arrow:",
    )
    st.caption(expected.sentence, width="stretch")


def troubles(now: Progress) -> None:
    """Why it could not be started, went no further, or lacks some runs."""
    if sentence := st.session_state.pop(REFUSED, None):
        st.error(sentence, icon=":material/error:")
    if now.phase in ("failed", "lost"):
        words = f"It {PHASES[now.phase]}." if now.phase == "failed" else "Its process died."
        st.error(f"{words} {now.message}".rstrip(), icon=":material/error:")
    for why in list(dict.fromkeys(now.failed.values()))[:3]:
        st.warning(f"Could not be trained: {why}", icon=":material/info:")


def _expected(sweep: Sweep, now: Progress) -> Estimate:
    """The estimate, made once for each state of the sweep: it reads the folder of each run."""
    state = (sweep.key, now.phase, now.ended)
    before = st.session_state.get("sweep estimate")
    if before is None or before[0] != state:
        before = (state, estimate(sweep, root()))
        st.session_state["sweep estimate"] = before
    found: Estimate = before[1]
    return found


@st.fragment(run_every=LOOK)
def _bar(key: str, phase: str) -> None:
    """How far the sweep is; the page runs again when its phase changes."""
    now = SweepFolder(root(), key).standing
    if now.phase != phase:
        st.rerun()
    st.progress(min(1.0, now.ended / max(now.total, 1)), _words(now))


def _words(now: Standing) -> str:
    if now.phase == "queued":
        return "Starting, or waiting for its turn: one sweep trains at a time"
    left = "" if now.left is None else f", about {duration(now.left)} left"
    return f"{now.ended:,} of {count(now.total, 'run')}{left}"


def _start(sweep: Sweep) -> None:
    try:
        sweeper.start(sweep, root(), visitor())
    except RunError as error:
        st.session_state[REFUSED] = str(error)


def _cancel(key: str) -> None:
    try:
        with contextlib.suppress(OSError):  # it has been deleted meanwhile
            control.steer(SweepFolder(root(), key), "cancel", visitor())
    except RunError as error:
        st.session_state[REFUSED] = str(error)
