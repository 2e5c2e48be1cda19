"""Attempt: the reader's own try at the end of a lesson."""

import streamlit as st

from dynamics.core import description
from dynamics.core.config import Config
from dynamics.teach.lesson import Lesson, load
from pages.shared import hiding
from pages.shared.session import desk


def invitation(name: str) -> None:
    """The lesson's task, on the page where the reader tries it, and a link back to the lesson."""
    with st.container(border=True, key="invitation"):
        st.markdown(f"**Try.** {load(name).invitation}")
        back(name)


def back(name: str) -> None:
    """A link back to the lesson, where it was left."""
    guess = st.session_state.get("learned", {}).get(name)
    st.page_link(
        "pages/3_Lessons.py",
        label="Back to the lesson",
        icon=":material/arrow_back:",
        query_params={"lesson": name} | ({} if guess is None else {"guess": str(guess + 1)}),
    )


def attempt(name: str, lesson: Lesson) -> None:
    """A link to the page that offers its problem, prepared by the lesson; below it, the answer."""
    st.markdown(lesson.invitation)
    config = Config.from_dict(lesson.attempt)
    query = description.differences(config, None) | hiding.query(lesson.hide) | {"lesson": name}
    with st.container(key="go"):
        st.page_link(
            desk.page_of(config.problem),
            label="Try it",
            icon=":material/science:",
            query_params=query,
            width="content",
        )
    with st.expander("What you should find"):
        st.markdown(lesson.answer)
