"""Paper figures: the paper's figures, trained here and compared with the authors' numbers."""

import streamlit as st

from dynamics.paper.plan import about, names
from pages.paper_figures.figure import card, chosen_draw, show, turn_to

figures = names()
name = st.query_params.get("figure")
if name in figures:
    with st.container(key="paper"):
        st.button("All figures", on_click=turn_to, icon=":material/arrow_back:", type="tertiary")
        title, line = about(name)
        st.title(title, anchor=False)
        st.markdown(f"{line}.")
        if draw := chosen_draw():
            show(name, draw)
else:
    st.title("Figures of the paper", anchor=False)
    if name:
        st.warning(
            f"There is no figure {name[:40]!r}; choose one of these.", icon=":material/link_off:"
        )
    st.markdown(
        "Train the runs behind a published figure, with the authors' own matrices where they are "
        "known, and read the **verdict**: every published number next to the one found here."
    )
    with st.container(key="cards"):
        for figure in figures:
            card(figure)
