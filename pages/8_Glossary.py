"""Glossary: what the program's words mean."""

import streamlit as st

from dynamics.teach.glossary import TERMS

with st.container(key="paper"):
    st.title("Glossary", anchor=False)
    st.caption("The words of all pages. Symbols are the paper's.")
    asked = st.text_input("Find a word", placeholder="escape, α, residual …", key="word")
    found = {
        name: words for name, words in TERMS.items() if asked.lower() in f"{name} {words}".lower()
    }
    for name, words in found.items():
        st.markdown(f"**{name}.** {words}".replace("*", r"\*").replace(r"\*\*", "**"))
    if not found:
        st.info(f"No word here has {asked[:40]!r} in it; clear the box to see all.")
