"""Choices on the page of saved runs, kept by its address: filters, ticks, what is compared.

``?problem=sensing&runs=KEY,KEY`` shows the runs of one problem, two of them ticked.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from dynamics.core.config import choices
from dynamics.draw.time_axis import VERSUS
from dynamics.runs.run import PHASES
from pages.shared import address

PLACE = "saved address"  # session key
OPTIONS: Mapping[str, Sequence[str]] = {  # of each menu; the first is chosen unless told
    "problem": ("all", *choices("problem")),
    "state": ("all", *PHASES),
    "compare": ("recovery_error", "test_loss", "train_loss"),
    "over": tuple(VERSUS),
}


def read_address(keys: Sequence[str]) -> None:
    """Adopt an address that is new; one sentence warns of each part that does not exist.

    Args:
        keys: the keys of all saved runs.
    """
    asked = dict(st.query_params)
    if not address.is_new(asked, PLACE):
        return
    query = asked or st.session_state.get(PLACE, {})  # the menu of pages leads here without one
    chosen = {name: query.get(name, options[0]) for name, options in OPTIONS.items()}
    wrong = []
    for name, options in OPTIONS.items():
        if chosen[name] not in options:
            wrong.append(f"{name} must be one of {', '.join(options)}; {chosen[name][:40]!r} was "
                         f"given. {options[0]} is shown instead.")  # fmt: skip
            chosen[name] = options[0]
        st.session_state.pop(f"saved {name}", None)
    ticked = [key for key in query.get("runs", "").split(",") if key]
    wrong += [f"There is no run {key[:40]!r} here." for key in ticked if key not in keys]
    st.session_state["saved"] = chosen
    st.session_state["ticked"] = [key for key in ticked if key in keys]
    for sentence in wrong:
        st.warning(sentence, icon=":material/link_off:")
    address.taken(asked, PLACE)


def write_address(ticked: Sequence[str]) -> None:
    """Put the choices that are not the usual ones, and the ticked runs, into the address."""
    st.session_state["ticked"] = list(ticked)
    chosen = st.session_state["saved"]
    query = {name: chosen[name] for name, (usual, *_) in OPTIONS.items() if chosen[name] != usual}
    address.put(query | ({"runs": ",".join(ticked)} if ticked else {}), PLACE)


def menu(label: str, name: str, **options: Any) -> str:
    """A menu of one of the ``OPTIONS``; returns what is chosen.

    Args:
        label: the words above the menu.
        name: of the option in the address.
        options: as of ``st.selectbox``.
    """
    chosen = st.session_state["saved"]
    st.session_state.setdefault(f"saved {name}", chosen[name])
    chosen[name] = st.selectbox(label, OPTIONS[name], key=f"saved {name}", **options)
    return str(chosen[name])


def tick(table: str, keys: Sequence[str]) -> None:
    """Take over the rows that are ticked in a table with these runs in its rows."""
    rows = st.session_state[table].selection.rows
    st.session_state["ticked"] = [keys[row] for row in rows if row < len(keys)]


def ticked() -> list[str]:
    """The keys of the ticked runs."""
    return list(st.session_state["ticked"])
