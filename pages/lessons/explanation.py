"""The explanation of a lesson: what happened, and why."""

import html

import streamlit as st

from dynamics.core.config import Config
from dynamics.core.words import plain
from dynamics.draw.panel import compared
from dynamics.export.caption import about
from dynamics.runs.run import find, root
from dynamics.teach.lesson import Done, Lesson, written
from pages.shared.files import dialog
from pages.shared.plotted import plotted


def explain(lesson: Lesson, guess: int) -> None:
    """What happened, beside what was predicted, and why, with the numbers of these runs."""
    right = lesson.answers[lesson.right]
    yours = lesson.answers[guess]
    if guess == lesson.right:
        st.success(f"As you predicted: **{right}.**", icon=":material/check_circle:")
    else:
        st.info(f"You predicted: {yours}. The run shows: **{right}.**", icon=":material/lightbulb:")
    ended = {label: _done(config) for label, config in lesson.configs.items()}
    numbers = lesson.numbers(ended)
    st.html(_table(lesson, written(numbers, plain)))
    if lesson.compared:
        runs = [(label, done.config, list(done.networks.values())) for label, done in ended.items()]
        figure = compared(runs, lesson.compared)
        plotted(figure, "comparison", lesson.compared)
        words = about(list(lesson.configs.values()), lesson.compared)
        dialog.button(figure, words, lesson.compared)
    st.markdown(lesson.explained(numbers))
    st.caption(f"**Beyond this page.** {lesson.beyond}")


def _done(config: Config) -> Done:
    run = find(config.key, root())
    return Done(config, {trajectory.network: trajectory for trajectory in run.trajectories})


def _table(lesson: Lesson, numbers: dict[str, str]) -> str:
    head = "".join(f'<th scope="col">{html.escape(column)}</th>' for column in lesson.columns)
    body = "".join(
        f'<tr><th scope="row">{html.escape(words)}</th>'
        + "".join(f"<td>{numbers[name]}</td>" for name in names)
        + "</tr>"
        for words, *names in lesson.facts
    )
    return (
        f'<table class="facts"><thead><tr><td></td>{head}</tr></thead><tbody>{body}</tbody></table>'
    )
