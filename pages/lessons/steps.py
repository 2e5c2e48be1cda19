"""Steps: the four steps of one lesson on the page: predict, run, explain, try.

The address keeps the lesson and the guess, and the runs are the same, whoever trained them. So a
reload or a link shows the same step again.
"""

import streamlit as st

from dynamics.runs.group import Group, Progress
from dynamics.runs.run import root
from dynamics.teach.lesson import Lesson, lessons
from pages.lessons.explanation import explain
from pages.shared import group
from pages.shared.attempt import attempt
from pages.shared.charts import panels
from pages.shared.live.component import live
from pages.shared.session.who import visitor

STEPS = ("Predict", "Run", "Explain", "Try")


def turn_to(name: str = "") -> None:
    """Show another lesson, or the list. A link within a page would not change the address."""
    st.query_params.from_dict({"lesson": name} if name else {})


def walk(name: str, lesson: Lesson, guess: int | None) -> None:
    """All steps up to the one that the reader has reached."""
    progress = _group(lesson).progress()
    done = guess is not None and _done(progress)
    current = 0
    if guess is not None:
        current = 3 if done else 1
    st.html(_steps(current))
    st.markdown(lesson.setup)
    _predict(name, lesson, guess)
    if guess is None:
        return
    _watch(lesson, progress)
    if done:
        _head(3)
        explain(lesson, guess)
        _head(4)
        attempt(name, lesson)
        _next(name)
        st.session_state.setdefault("learned", {})[name] = guess


def _steps(current: int) -> str:
    """The four steps in a row, with the reader's current step marked."""
    words = "".join(
        f'<li class="{"past" if number < current else "ahead"}"><b>{number + 1}</b> {step}</li>'
        if number != current
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
                on_click=_commit,
                args=(lesson, picked),
                type="primary",
                icon=":material/play_arrow:",
                disabled=picked is None,
            )


def _commit(lesson: Lesson, guess: int) -> None:
    st.query_params["guess"] = str(guess + 1)
    group.start(_group(lesson))


def _group(lesson: Lesson) -> Group:
    return Group(lesson.configs.values(), root(), visitor())


def _done(progress: Progress) -> bool:
    return set(progress.phases) == {"done"}


def _watch(lesson: Lesson, progress: Progress) -> None:
    """The choice of a run, the progress of all runs, and the charts of the chosen run."""
    _head(2)
    st.markdown(lesson.watch)
    group.show_refusal()
    label = next(iter(lesson.configs))
    if len(lesson.configs) > 1:
        label = st.segmented_control(
            "Which run",
            list(lesson.configs),
            default=label,
            required=True,
            label_visibility="collapsed",
        )
    done = _done(progress)
    if progress.live:
        group.show_training(_group(lesson), progress, ". The explanation follows.")
    elif not done:
        st.button(
            "Train",
            on_click=group.start,
            args=(_group(lesson),),
            type="primary",
            icon=":material/play_arrow:",
        )
    config = lesson.configs[label]
    if progress.status(config):
        live(config.key, panels(lesson.figures, config), key="lesson charts", theory=done)


def _next(name: str) -> None:
    all_lessons = lessons()
    names = list(all_lessons)
    for following in names[names.index(name) + 1 :][:1]:
        st.button(
            f"Next: {all_lessons[following].title}",
            on_click=turn_to,
            args=(following,),
            icon=":material/arrow_forward:",
        )
