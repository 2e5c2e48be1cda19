"""Lesson: the four steps of one lesson on the page: predict, run, explain, try.

The address keeps the lesson and the guess; the runs are those of its settings, whoever trained
them. So a reload or a link shows the same step again.
"""

import contextlib

import streamlit as st

from dynamics.runs.run import CANCEL, LIVE, RunError, find, root
from dynamics.runs.start import start
from dynamics.teach.lesson import Lesson, lessons
from pages.lessons.explanation import explain
from pages.shared.attempt import attempt
from pages.shared.charts import panels
from pages.shared.live.component import live

STEPS = ("Predict", "Run", "Explain", "Try")


def turn_to(name: str = "") -> None:
    """Show another lesson, or the list; within a page, a link would not change the address."""
    st.query_params.from_dict({"lesson": name} if name else {})


def walk(name: str, lesson: Lesson, guess: int | None) -> None:
    """All steps up to the one at which the viewer is."""
    phases = _phases(lesson)
    done = guess is not None and set(phases.values()) == {"done"}
    st.html(_progress(0 if guess is None else 3 if done else 1))
    st.markdown(lesson.setup)
    _predict(name, lesson, guess)
    if guess is None:
        return
    _watch(lesson, phases)
    if done:
        _head(3)
        explain(lesson, guess)
        _head(4)
        attempt(name, lesson)
        _next(name)
        st.session_state.setdefault("learned", {})[name] = guess


def _phases(lesson: Lesson) -> dict[str, str]:
    """Where each run stands, by label; empty for one that is not there or just being replaced."""
    phases = dict.fromkeys(lesson.configs, "")
    for label, config in lesson.configs.items():
        with contextlib.suppress(RunError):
            phases[label] = find(config.key, root()).status.phase
    return phases


def _progress(now: int) -> str:
    words = "".join(
        f'<li class="{"past" if number < now else "ahead"}"><b>{number + 1}</b> {step}</li>'
        if number != now
        else f'<li class="now" aria-current="step"><b>{number + 1}</b> {step}</li>'
        for number, step in enumerate(STEPS)
    )
    return f'<ol class="steps">{words}</ol>'


def _head(number: int) -> None:
    st.subheader(f"{number} · {STEPS[number - 1]}", anchor=False)


def _predict(name: str, lesson: Lesson, guess: int | None) -> None:
    _head(1)
    with st.container(border=True, key="question"):
        picked = st.radio(
            lesson.question,
            range(len(lesson.answers)),
            index=guess,
            format_func=lambda number: lesson.answers[number],
            disabled=guess is not None,
            key=f"guess {name} {guess}",
        )
        if guess is None:
            st.button(
                "That is my prediction: train",
                type="primary",
                icon=":material/play_arrow:",
                disabled=picked is None,
                on_click=_commit,
                args=(lesson, picked),
            )


def _commit(lesson: Lesson, guess: int) -> None:
    st.query_params["guess"] = str(guess + 1)
    _train(lesson)


def _train(lesson: Lesson) -> None:
    try:
        for config in lesson.configs.values():
            start(config, root())
    except RunError as error:
        st.session_state["told"] = str(error)


def _watch(lesson: Lesson, phases: dict[str, str]) -> None:
    _head(2)
    st.markdown(lesson.watch)
    if told := st.session_state.pop("told", None):
        st.error(told)
    label = next(iter(phases))
    if len(phases) > 1:
        label = st.segmented_control(
            "Which run", list(phases), default=label, required=True, label_visibility="collapsed"
        )
    done = set(phases.values()) == {"done"}
    if set(phases.values()) & set(LIVE):
        _wait(lesson, phases)
    elif not done:  # not in what looks again and again: a click there can be lost in a rerun
        st.button(
            "Train", type="primary", icon=":material/play_arrow:", on_click=_train, args=(lesson,)
        )
    if phases[label]:
        config = lesson.configs[label]
        live(config.key, panels(lesson.figures, config), key="lesson charts", theory=done)


@st.fragment(run_every=0.5)
def _wait(lesson: Lesson, phases: dict[str, str]) -> None:
    """How many runs have ended; the page goes on by itself, whichever of them it shows."""
    if _phases(lesson) != phases:
        st.rerun()
    ended = list(phases.values()).count("done")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"{ended} of {len(phases)} runs done; then it is explained.", width="content")
        st.button(
            "Cancel", icon=":material/stop:", type="tertiary", on_click=_cancel, args=(lesson,)
        )


def _cancel(lesson: Lesson) -> None:
    for label, phase in _phases(lesson).items():
        if phase in LIVE:
            find(lesson.configs[label].key, root()).ask(CANCEL)


def _next(name: str) -> None:
    known = lessons()
    names = list(known)
    for after in names[names.index(name) + 1 :][:1]:
        st.button(
            f"Next: {known[after].title}",
            icon=":material/arrow_forward:",
            on_click=turn_to,
            args=(after,),
        )
