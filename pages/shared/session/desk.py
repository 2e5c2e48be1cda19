"""Desk: two pages have the same widgets, and each keeps its own settings, run and address.

So do the pages of attributions and of sweeps, for each of the two kinds.

One page offers problems that recover a matrix, the other those that tell classes apart.
"""

import functools
from pathlib import Path
from typing import Literal

import streamlit as st

from dynamics.core import traits
from dynamics.core.config import SETTINGS, choices

Kind = Literal["matrices", "classes"]
PAGES: dict[Kind, str] = {
    "matrices": "pages/1_Side_by_side.py",
    "classes": "pages/2_Nonlinear.py",
}
# What the session keeps for each page, beside the widgets.
KEPT = (
    "settings", "run", "at", "over", "address", "hide", "lesson", "anew",
    "ladder address", "ladder seeds", "ladder level", "sweep address", "sweep asked", "sweep cell",
)  # fmt: skip


def kind_of(problem: str) -> Kind:
    """The kind of a problem that exists."""
    return "classes" if traits.problem(problem).classifies else "matrices"


def page_of(problem: str) -> str:
    """The file of the page that offers a problem, for a link."""
    return PAGES[kind_of(problem)]


def kind() -> Kind:
    """The kind of problems of the page that is shown, or was shown last."""
    sits: Kind = st.session_state.get("desk", "matrices")
    return sits


def folder() -> str:
    """The folder below ``pages`` that holds what the shown page alone needs."""
    return Path(PAGES[kind()]).stem.partition("_")[2].lower()


def problems() -> list[str]:
    """The problems that the page offers."""
    return list(_problems(kind()))


@functools.cache
def _problems(kind: Kind) -> tuple[str, ...]:
    mine = [name for name in choices("problem") if kind_of(name) == kind]
    return tuple(name for name in mine if traits.problem(name).trained)


def sit(kind: Kind) -> None:
    """Take out what the session keeps for a kind of problems, and put away the other's."""
    before = st.session_state.setdefault("desk", kind)
    if before == kind:
        return
    state = st.session_state
    state[f"desk {before}"] = {name: state.pop(name) for name in KEPT if name in state}
    for name, value in state.pop(f"desk {kind}", {}).items():
        state[name] = value
    state["desk"] = kind
    forget_widgets()


def forget_widgets() -> None:
    """Let the widgets of all settings take their values from the settings again."""
    for name in SETTINGS:
        for widget in (name, f"{name} number"):
            st.session_state.pop(widget, None)
