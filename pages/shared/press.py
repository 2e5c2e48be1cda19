"""Press: buttons whose clicks are heard in a session that has never seen them."""

from collections.abc import Callable
from typing import Any

import streamlit as st

HEARD = "heard"  # session key: whether this session has heard a click


def press(label: str, action: Callable[..., object], *args: object, **options: Any) -> None:
    """A button that calls ``action(*args)``, and then the page runs again.

    Streamlit calls a button's callback before the page's script runs. After a restart of the
    server, or once a sleeping laptop has lost its session, a click reaches a new session, which has
    no callback yet. Then the action follows when the button is drawn.

    Args:
        label: the words on the button.
        action: what a click does.
        args: what the action is called with.
        options: as of ``st.button``.
    """

    def heard() -> None:
        st.session_state[HEARD] = True
        action(*args)

    if st.button(label, on_click=heard, **options) and not st.session_state.get(HEARD):
        heard()
        st.rerun()
