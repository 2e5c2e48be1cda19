"""Charts: the choice of a run's charts."""

from collections.abc import Sequence

import streamlit as st

from dynamics.core import registry, traits
from dynamics.core.config import Config

# Each network has its own panel of these charts.
EACH = ("singular_values", "factor_singular_values", "overlaps", "spectrum_over_time")
WITH_TARGET = ("singular_values", "principal_angles", "recovery_error")
WITHOUT = ("singular_values", "losses")


def usual(config: Config) -> Sequence[str]:
    """The charts of a run unless the viewer chooses others."""
    target_known = traits.problem(config.problem).target_known
    return WITH_TARGET if target_known else WITHOUT


def adopt(names: str) -> list[str]:
    """Take the charts that an address names; returns a sentence for each that does not exist."""
    asked = [name for name in names.split(",") if name]
    existing = registry.options("charts")
    st.session_state["asked charts"] = [name for name in asked if name in existing]
    unknown = [name for name in asked if name not in existing]
    return [f"There is no chart {name[:40]!r}; the menu Charts lists them all." for name in unknown]


def chosen(config: Config) -> list[str]:
    """The picked charts: at first those of the address, else the usual ones."""
    key = f"charts {usual(config)}"
    if "asked charts" in st.session_state:
        st.session_state[key] = st.session_state.pop("asked charts") or list(usual(config))
    return list(st.session_state.setdefault(key, list(usual(config))))


def query(config: Config) -> dict[str, str]:
    """The part of an address that names the charts of a run."""
    picked = chosen(config)
    return {"charts": ",".join(picked)} if sorted(picked) != sorted(usual(config)) else {}


def charts(config: Config) -> list[str]:
    """A menu of charts; returns the picked ones."""
    options = registry.options("charts")
    key = f"charts {usual(config)}"
    # Set at every rerun: a closed popover has no widgets in the browser that could keep it.
    st.session_state[key] = chosen(config)
    with st.popover("Charts", icon=":material/dashboard_customize:", help="Choose the charts"):
        picked = st.pills(
            "Charts",
            list(options),
            selection_mode="multi",
            format_func=lambda name: name.replace("_", " ").capitalize(),
            key=key,
            label_visibility="collapsed",
        )
        for name in picked:
            st.caption(options[name].replace("‖_F", "‖"))
    return list(picked)


def panels(figures: Sequence[str], config: Config) -> list[str]:
    """The panels of these charts, singular values first; panels of one chart stand together."""
    names: list[str] = []
    for name in sorted(figures, key=list(registry.options("charts")).index):
        names += [f"{name}/{network}" for network in config.networks] if name in EACH else [name]
    return sorted(names, key=lambda panel: panel.partition("/")[0] != "singular_values")
