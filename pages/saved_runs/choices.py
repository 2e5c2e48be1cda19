"""Choices on the page of saved runs, kept by its address: filters, ticks, what is compared.

``?problem=sensing&search=α=5&runs=KEY,KEY`` shows the runs of one problem with this α, two of them
ticked.
"""

from collections.abc import Container, Mapping, Sequence
from typing import Any

import streamlit as st

from dynamics.core.config import SETTINGS, choices
from dynamics.draw.time_axis import VERSUS
from dynamics.runs.run import PHASES
from pages.saved_runs.finding import GROUPS
from pages.shared import address

PLACE = "saved address"  # session key
LONGEST = 200  # characters of a search
OPTIONS: Mapping[str, Sequence[str]] = {  # of each menu; the first is chosen unless told
    "problem": ("all", *choices("problem")),
    "state": ("all", *PHASES),
    "group": GROUPS,
    "compare": ("recovery_error", "accuracy", "test_loss", "train_loss"),
    "over": tuple(VERSUS),
}


def read_address(keys: Sequence[str], given: Sequence[str] = ()) -> None:
    """Adopt an address that is new; one sentence warns of each part that does not exist.

    Args:
        keys: the keys of all saved runs.
        given: the numbers that programs gave to runs that they train, which are compared, too.
    """
    asked = dict(st.query_params)
    if not address.is_new(asked, PLACE):
        return
    query = asked or st.session_state.get(PLACE, {})  # the menu of pages leads here without one
    chosen = {name: query.get(name, options[0]) for name, options in OPTIONS.items()}
    wrong = []
    for name, options in OPTIONS.items():
        if chosen[name] not in (*options, *(given if name == "compare" else ())):
            wrong.append(f"{name} must be one of {', '.join(options)}; {chosen[name][:40]!r} was "
                         f"given. {options[0]} is shown instead.")  # fmt: skip
            chosen[name] = options[0]
        st.session_state.pop(f"saved {name}", None)
    chosen["search"] = query.get("search", "")[:LONGEST]
    st.session_state.pop("saved search", None)
    ticked = [key for key in query.get("runs", "").split(",") if key]
    wrong += [f"There is no run {key[:40]!r} here." for key in ticked if key not in keys]
    st.session_state["saved"] = chosen
    st.session_state["ticked"] = [key for key in ticked if key in keys]
    for sentence in wrong:
        st.warning(sentence, icon=":material/link_off:")
    address.taken(asked, PLACE)


def linked() -> set[str]:
    """The keys of runs that the address names or that are ticked."""
    return {*st.query_params.get("runs", "").split(","), *st.session_state.get("ticked", ())}


def write_address(ticked: Sequence[str]) -> None:
    """Put the choices that are not the usual ones, and the ticked runs, into the address."""
    st.session_state["ticked"] = list(ticked)
    chosen = st.session_state["saved"]
    query = {name: chosen[name] for name, (usual, *_) in OPTIONS.items() if chosen[name] != usual}
    query |= {"search": chosen["search"]} if chosen["search"] else {}
    address.put(query | ({"runs": ",".join(ticked)} if ticked else {}), PLACE)


def menu(
    label: str,
    name: str,
    among: Container[str] | None = None,
    more: Sequence[str] = (),
    **options: Any,
) -> str:
    """A menu of one of the ``OPTIONS``; returns what is chosen.

    Args:
        label: the words above the menu.
        name: of the option in the address.
        among: what can be chosen now; everything if None or if nothing of it is an option.
        more: further options.
        options: as of ``st.selectbox``.
    """
    chosen = st.session_state["saved"]
    listed = [option for option in (*OPTIONS[name], *more) if among is None or option in among]
    listed = listed or list(OPTIONS[name])
    key = f"saved {name}"
    start = st.session_state.get(key, chosen[name])
    st.session_state[key] = start if start in listed else listed[0]
    chosen[name] = st.selectbox(label, listed, key=key, **options)
    return str(chosen[name])


def search() -> str:
    """The field for a search; returns what is searched for."""
    chosen = st.session_state["saved"]
    key = "saved search"
    st.session_state.setdefault(key, chosen["search"])
    chosen["search"] = st.text_input(
        "Search",
        key=key,
        max_chars=LONGEST,
        placeholder="a name, a tag, α = 5",
        icon=":material/search:",
        width=280,
        help="Words of a name, note, tag, problem, state or key; a setting as α = 5 or alpha=5",
    )
    return str(chosen["search"])


def tick(table: str, keys: Sequence[str]) -> None:
    """Take over the rows that are ticked in a table with these runs in its rows."""
    rows = st.session_state[table].selection.rows
    own = [keys[row] for row in rows if row < len(keys)]
    others = [key for key in ticked() if key not in keys]  # in the tables of other groups
    st.session_state["ticked"] = [*others, *own]


def tick_all(keys: Sequence[str]) -> None:
    """Tick exactly these runs."""
    st.session_state["ticked"] = list(keys)


def group_title(name: str) -> str:
    """How the menu of groups calls one of ``GROUPS``."""
    return SETTINGS[name].heading if name in SETTINGS else name.capitalize()


def ticked() -> list[str]:
    """The keys of the ticked runs."""
    return list(st.session_state["ticked"])
