"""Charts: which figures of a run are shown."""

from collections.abc import Sequence

import streamlit as st

from dynamics import registry
from dynamics.config import Config

EACH = ("singular_values", "factor_singular_values", "overlaps")  # one chart for each network
WITH_TARGET = ("singular_values", "principal_angles", "recovery_error")
WITHOUT = ("singular_values", "losses")


def usual(config: Config) -> Sequence[str]:
    """The figures that are shown unless others are asked for."""
    known = registry.constant("problems", config.problem, "KNOWN", True)
    return WITH_TARGET if known else WITHOUT


def charts(config: Config) -> Sequence[str]:
    """A menu of figures; gives those that are picked."""
    options = registry.options("figures")
    with st.popover("Charts", icon=":material/dashboard_customize:", help="Choose what is drawn"):
        picked = st.pills(
            "Charts",
            list(options),
            selection_mode="multi",
            default=usual(config),
            format_func=lambda name: name.replace("_", " ").capitalize(),
            key=f"charts {usual(config)}",
            label_visibility="collapsed",
        )
        for name in picked:
            st.caption(options[name])
    return picked


def panels(figures: Sequence[str], config: Config) -> list[str]:
    """The panels of these figures, those of each network beside one another."""
    found = []
    for name in sorted(figures, key=list(registry.options("figures")).index):
        found += [f"{name}/{each}" for each in config.networks] if name in EACH else [name]
    return sorted(found, key=lambda panel: panel.partition("/")[0] != "singular_values")
