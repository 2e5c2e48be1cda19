"""Attempt: the reader's own try at the end of a lesson."""

import streamlit as st

from dynamics.core import description
from dynamics.core.config import Config
from dynamics.teach.lesson import Lesson, load
from pages.shared import hiding


def invitation(name: str) -> None:
    """The lesson's task, on the page where the reader tries it, and a link back to the lesson."""
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
    """A link to the first page, prepared by the lesson; below it, the answer."""
    st.markdown(lesson.invitation)
    query = (
        description.differences(Config.from_dict(lesson.attempt), None)
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
    with st.expander("What you should find"):
        st.markdown(lesson.answer)
