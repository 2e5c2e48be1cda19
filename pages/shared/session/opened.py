"""Opened: which dialog is open, as the browser has it.

An open dialog has a hidden text box with what was asked for. The browser sends it back with every
message, so the page opens the dialog again in each run of its script, also in a new session after a
restart, until the visitor closes it.
"""

import contextlib
import json
import uuid
from typing import Any

import streamlit as st

from dynamics.core.machine import files
from pages.shared.session.reconnect import brought

HELD = "open dialog"  # key of the text box
CLOSED = "closed dialogs"  # session key: the numbers of requests whose dialogs were closed
MOST = 20  # of them that are kept


def asked(name: str, now: Any) -> Any:
    """What a dialog is to be opened for: what is asked ``now``, else what it is open for.

    Args:
        name: of the dialog; one page has each name once.
        now: a press of the button that opens it, or more, as JSON has it; nothing if falsy.
    """
    if now:
        st.session_state[HELD] = json.dumps([name, now, uuid.uuid4().hex])
        return now
    held = st.session_state.get(HELD) or brought(HELD)
    try:
        known, what, number = files.parsed(held) if held else ("", None, "")
    except (TypeError, ValueError):  # a browser may send anything
        return None
    # A message that was on its way when the dialog was closed still has the request.
    if known != name or number in st.session_state.get(CLOSED, ()):
        return None
    st.session_state[HELD] = held
    return what


def hold() -> None:
    """The text box, which a dialog draws that was ``asked`` for."""
    with st.container(key="held"):
        st.text_input("Open dialog", key=HELD, label_visibility="collapsed")


def close() -> None:
    """The visitor has closed the dialog."""
    held = str(st.session_state.get(HELD) or "")
    with contextlib.suppress(LookupError, TypeError, ValueError):
        number = files.parsed(held)[-1]
        st.session_state[CLOSED] = [*st.session_state.get(CLOSED, ()), number][-MOST:]
    st.session_state[HELD] = ""
