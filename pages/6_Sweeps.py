"""Sweeps: maps of an outcome over one to three settings, with theory's borders on top."""

import streamlit as st

from pages.sweeps import chart, choices, earlier, files, training

INTRODUCTION = (
    "Where does it work, where does it break, and what does theory say of the border? Choose up to "
    "three settings that vary and an outcome. Every combination is trained; each cell of the map "
    "is an ordinary run that can be opened."
)

choices.read_address()
with st.container(horizontal=True, vertical_alignment="center", key="sweep-head"):
    st.title("Sweeps", anchor=False, width="stretch")
    earlier.menu()
lit = choices.pick_card()
st.markdown(f"**{lit.question}** {lit.look}" if lit else INTRODUCTION)
sweep, asked = choices.sweep()
if sweep:
    now = training.stands(sweep)
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        training.show(sweep, now)
        asked = choices.view(sweep, asked)
    training.troubles(now)
    chart.show(sweep, asked, now)
    files.show(sweep, asked, now)
