"""Charts: which figures of a run are shown."""

from collections.abc import Sequence

import streamlit as st

from dynamics.core import registry, traits
from dynamics.core.config import Config

# one chart for each network
EACH = ("singular_values", "factor_singular_values", "overlaps", "spectrum_over_time")
WITH_TARGET = ("singular_values", "principal_angles", "recovery_error")
WITHOUT = ("singular_values", "losses")


def usual(config: Config) -> Sequence[str]:
    """The figures that are shown unless others are asked for."""
    known = traits.problem(config.problem).target_known
    return WITH_TARGET if known else WITHOUT


def adopt(names: str) -> list[str]:
    """Take the figures that an address names; gives a sentence for each that there is not."""
    asked = [name for name in names.split(",") if name]
    known = registry.options("charts")
    st.session_state["asked charts"] = [name for name in asked if name in known]
    strange = [name for name in asked if name not in known]
    return [f"There is no chart {name[:40]!r}; Charts lists those there are." for name in strange]


def chosen(config: Config) -> list[str]:
    """The figures that are picked: at first those of the address, else the usual ones."""
    key = f"charts {usual(config)}"
    if "asked charts" in st.session_state:
        st.session_state[key] = st.session_state.pop("asked charts") or list(usual(config))
    return list(st.session_state.setdefault(key, list(usual(config))))


def query(config: Config) -> dict[str, str]:
    """What an address says of the charts of a run."""
    picked = chosen(config)
    return {"charts": ",".join(picked)} if sorted(picked) != sorted(usual(config)) else {}


def charts(config: Config) -> list[str]:
    """A menu of figures; gives those that are picked."""
    options, key = registry.options("charts"), f"charts {usual(config)}"
    # Said anew each time: a closed popover has no widgets in the browser that could remember it.
    st.session_state[key] = chosen(config)
    with st.popover("Charts", icon=":material/dashboard_customize:", help="Choose what is drawn"):
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
    """The panels of these figures, those of each network beside one another."""
    found = []
    for name in sorted(figures, key=list(registry.options("charts")).index):
        found += [f"{name}/{each}" for each in config.networks] if name in EACH else [name]
    return sorted(found, key=lambda panel: panel.partition("/")[0] != "singular_values")
