"""Attempt: the reader's own try at the end of a lesson."""

import streamlit as st

from dynamics.core import description
from dynamics.core.config import Config
from dynamics.teach.lesson import Lesson, load
from pages.shared import hiding


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
    with st.expander("What one finds"):
        st.markdown(lesson.answer)
