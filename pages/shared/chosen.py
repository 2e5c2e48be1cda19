"""Chosen: the settings that a page shares with the one that changes them, in one line."""

from collections.abc import Collection

import streamlit as st

from dynamics.core import description
from dynamics.core.config import Config, choices
from dynamics.core.words import raised
from pages.shared.session import desk


def chosen(config: Config, without: Collection[str] = ()) -> None:
    """A line of settings, and a link to the page that changes them.

    ``without``: settings that the line leaves out.
    """
    rows, cols = config.shape
    first = [f"{config.problem.capitalize()}, {rows} × {cols}"]
    if config.contents:
        named = choices("problem")[config.problem].partition(":")[0]
        backbone = choices("backbone")[config.backbone].partition(":")[0]
        first = [f"{named}, {cols} classes", backbone, f"ρ = {config.backbone_rate:g}"]
    numbers = {
        "depth": f"L = {config.depth}",
        "rank_bound": f"r̂ = {config.rank_bound}",
        "alpha": f"α = {config.alpha:g}",
        "alpha_original": f"α₀ = {config.alpha_original:g}",
        "init_scale": f"ε = {config.init_scale:g}",
        "learning_rate": f"η = {config.learning_rate:g}",
    }
    parts = [*first, *(words for name, words in numbers.items() if name not in without)]
    # Without spaces inside a part, a line breaks only between two parts.
    words = " · ".join(part.replace(" ", "\u00a0") for part in parts)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(raised(words), width="content")
        st.page_link(
            desk.page_of(config.problem),
            label="Change settings",
            icon=":material/tune:",
            query_params=description.differences(config, None),
        )
