"""Insight: the second half of a lesson: what came and why, and what to try next."""

import html

import streamlit as st

from dynamics.core.config import Config
from dynamics.core.words import plain
from dynamics.draw.chart import compared
from dynamics.export.caption import about
from dynamics.runs.run import find, root
from dynamics.teach.lesson import Done, Lesson, load
from pages.shared import controls, exporting, hiding
from pages.shared.plotted import plotted


def explain(lesson: Lesson, guess: int) -> None:
    """What came, against what was predicted, and why, with the numbers of these runs."""
    right, yours = lesson.answers[lesson.right], lesson.answers[guess]
    if guess == lesson.right:
        st.success(f"As you predicted: **{right}.**", icon=":material/check_circle:")
    else:
        st.info(
            f"You predicted: {yours}. It came out as: **{right}.**", icon=":material/lightbulb:"
        )
    ended = {label: _done(config) for label, config in lesson.configs.items()}
    numbers = lesson.numbers(ended)
    st.html(_table(lesson, {name: plain(value) for name, value in numbers.items()}))
    if lesson.compared:
        drawn = [(label, list(each.networks.values())) for label, each in ended.items()]
        figure = compared(drawn, lesson.compared)
        plotted(figure, "comparison", lesson.compared)
        words = about(list(lesson.configs.values()), lesson.compared, exporting.address())
        exporting.button(figure, words, lesson.compared)
    st.markdown(lesson.explained(numbers))
    st.caption(f"**Beyond this page.** {lesson.beyond}")


def _done(config: Config) -> Done:
    run = find(config.key, root())
    return Done(config, {each.network: each for each in run.trajectories})


def _table(lesson: Lesson, numbers: dict[str, str]) -> str:
    head = "".join(f'<th scope="col">{html.escape(each)}</th>' for each in lesson.columns)
    body = "".join(
        f'<tr><th scope="row">{html.escape(words)}</th>'
        + "".join(f"<td>{numbers[name]}</td>" for name in names)
        + "</tr>"
        for words, *names in lesson.facts
    )
    return (
        f'<table class="facts"><thead><tr><td></td>{head}</tr></thead><tbody>{body}</tbody></table>'
    )


def invitation(name: str) -> None:
    """What a lesson asks one to try, on the page where that is done, and the way back."""
    guess = st.session_state.get("learned", {}).get(name)
    with st.container(border=True, key="invitation"):
        st.markdown(f"**Try.** {load(name).invitation}")
        st.page_link(
            "pages/2_Lessons.py",
            label="Back to the lesson",
            icon=":material/arrow_back:",
            query_params={"lesson": name} | ({} if guess is None else {"guess": str(guess + 1)}),
        )


def attempt(name: str, lesson: Lesson) -> None:
    """The way to the first page, set and hidden as the lesson wants it; below, what one finds."""
    st.markdown(lesson.invitation)
    query = (
        controls.differences(Config.from_dict(lesson.attempt), None)
        | hiding.query(lesson.hide)
        | {"lesson": name}
    )
    with st.container(key="go"):
        st.page_link(
            "pages/1_Side_by_side.py",
            label="Try it",
            icon=":material/science:",
            query_params=query,
            width="content",
        )
    with st.expander("What one finds"):
        st.markdown(lesson.answer)
