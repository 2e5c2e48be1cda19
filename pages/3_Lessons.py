"""Lessons: five minutes each on one idea: predict, run, explain, try."""

import streamlit as st

from dynamics.teach.lesson import Lesson, lessons
from pages.lessons.steps import turn_to, walk
from pages.shared.pictures import on_card


def card(number: int, name: str, lesson: Lesson) -> None:
    """A lesson in the list, and whether this visitor has completed it."""
    seen = name in st.session_state.get("learned", ())
    with st.container(border=True, height="stretch", key=f"card {name}"):
        st.html(on_card("lessons", name))
        st.markdown(f"**{number} · {lesson.title}**")
        st.caption(lesson.idea, width="stretch")
        with st.container(
            horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"
        ):
            st.button(
                "Again" if seen else "Begin",
                on_click=turn_to,
                args=(name,),
                icon=":material/check_circle:" if seen else ":material/play_circle:",
                key=f"begin {name}",
            )
            st.caption(f"{lesson.minutes} minutes", width="content")


def chosen_guess(lesson: Lesson) -> int | None:
    """The answer that the address names, counted from 0; None if it names none."""
    asked = st.query_params.get("guess")
    if asked is None:
        return None
    if asked.isascii() and asked.isdigit() and 1 <= int(asked) <= len(lesson.answers):
        return int(asked) - 1
    st.warning(
        f"guess must be a whole number from 1 to {len(lesson.answers)}; {asked[:40]!r} was given.",
        icon=":material/link_off:",
    )
    return None


all_lessons = lessons()
name = st.query_params.get("lesson")
if name in all_lessons:
    lesson = all_lessons[name]
    with st.container(key="lesson"):
        st.button("All lessons", on_click=turn_to, icon=":material/arrow_back:", type="tertiary")
        st.title(lesson.title, anchor=False)
        walk(name, lesson, chosen_guess(lesson))
else:
    st.title("Lessons", anchor=False)
    if name:
        st.warning(
            f"There is no lesson {name[:40]!r}; choose one of these.", icon=":material/link_off:"
        )
    st.markdown(
        "Each takes at most five minutes: **predict** what will happen, **run** it, see it "
        "**explained** with the numbers of your run, and **try** something of your own."
    )
    st.page_link("pages/8_Glossary.py", label="What the words mean", icon=":material/menu_book:")
    with st.container(key="cards"):
        for number, (key, lesson) in enumerate(all_lessons.items(), 1):
            card(number, key, lesson)
