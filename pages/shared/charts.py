"""Charts: which figures of a run are shown."""

import streamlit as st

from dynamics import registry
from dynamics.config import Config

EACH = ("singular_values", "factor_singular_values", "overlaps")  # one chart for each network
WITH_TARGET = ("singular_values", "principal_angles", "recovery_error")
WITHOUT = ("singular_values", "losses")


def charts(config: Config) -> list[str]:
    """A menu of figures; gives the panels to draw, those of each network beside one another."""
    known = registry.constant("problems", config.problem, "KNOWN", True)
    options = registry.options("figures")
    with st.popover("Charts", icon=":material/dashboard_customize:", help="Choose what is drawn"):
        picked = st.pills(
            "Charts",
            list(options),
            selection_mode="multi",
            default=WITH_TARGET if known else WITHOUT,
            format_func=lambda name: name.replace("_", " ").capitalize(),
            key=f"charts {known}",
            label_visibility="collapsed",
        )
        for name in picked:
            st.caption(options[name])
    panels = []
    for name in sorted(picked, key=list(options).index):
        panels += [f"{name}/{each}" for each in config.networks] if name in EACH else [name]
    return sorted(panels, key=lambda panel: panel.partition("/")[0] != "singular_values")
