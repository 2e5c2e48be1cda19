"""Reconnect: what a visitor does first in a session that has never seen the page's widgets.

After a restart of the server, or once a sleeping laptop has lost its session, the browser keeps the
page, and its next message brings the states of all widgets to a new session. Streamlit calls no
callback of a widget that the session does not know; and where the page's script gives a widget its
value, that value overwrites the state. A message from a part of the page that runs alone, such as a
dialog, is dropped by Streamlit where the session does not know that part. So the whole page runs,
and whoever opens a dialog opens it again: see ``opened``, and ``awaited`` for one with a button
that is pressed once.
"""

import contextlib
from collections.abc import Iterator

import streamlit as st
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.WidgetStates_pb2 import WidgetState, WidgetStates
from streamlit.runtime.app_session import AppSession
from streamlit.runtime.scriptrunner import RerunData, get_script_run_ctx
from streamlit.runtime.state.session_state import Serialized

UNHEARD = "unheard"  # session key: states by widget, as the browser has them, not yet used


class WholeFirst(AppSession):
    """A session that draws the whole page first, also if only a part of it is asked for."""

    _new = True

    def request_rerun(self, client_state: ClientState | None) -> None:
        """Run the page as the browser's message asks, but the whole page at first."""
        if self._new and client_state and client_state.fragment_id:
            client_state.fragment_id = ""
        self._new = False
        super().request_rerun(client_state)


@contextlib.contextmanager
def heard() -> Iterator[None]:
    """Run the page in this block; it runs again if the browser brought states of unknown widgets.

    The first time, the page draws its widgets as the address has them. Then they are known, and
    what differs in the browser is a change like any other. Widgets that appear only after such a
    change, those in a folder that was open, say, follow in one more run. Clicks come last.
    """
    context = get_script_run_ctx()
    assert context and context.script_requests
    # Streamlit has no public way to any of this.
    session = context.session_state._state
    states = session._new_widget_state
    # A run that was interrupted by this one has left what it took; what came again is newer.
    left = session[UNHEARD] if UNHEARD in session else {}  # noqa: SIM401 - it has no get
    unheard = {name: state for name, state in left.items() if name not in states.states}
    for name in states.states.keys() - states.widget_metadata.keys():
        state = states.states.pop(name)
        if isinstance(state, Serialized):
            unheard[name] = state.value
    if unheard:
        session[UNHEARD] = unheard  # at once: st.session_state lets a waiting rerun go first
    yield
    known = [unheard[name] for name in unheard.keys() & states.widget_metadata.keys()]
    values = [state for state in known if "trigger" not in str(state.WhichOneof("value"))]
    now = values or known
    if unheard:
        rest = {name: state for name, state in unheard.items() if state not in now}
        st.session_state[UNHEARD] = rest if now else {}
    if now:
        context.script_requests.request_rerun(
            RerunData(
                query_string=context.query_string,
                widget_states=WidgetStates(widgets=now),
                page_script_hash=context.page_script_hash,
                cached_message_hashes=context.cached_message_hashes,
                context_info=context.context_info,
            )
        )


def awaited(key: str) -> bool:
    """Whether a widget of this key was used in a dialog that this session has not opened yet.

    Whoever opens the dialog then lets the widget be heard.
    """
    context = get_script_run_ctx()
    assert context
    used = (*_unheard(), *context.session_state._state._new_widget_state.states)
    return any(name.endswith(f"-{key}") for name in used)


def brought(key: str) -> str:
    """The text in a box of this key, as the browser brought it to a session that has no such box.

    It is empty if the browser has no such box.
    """
    texts = (state.string_value for name, state in _unheard().items() if name.endswith(f"-{key}"))
    return next(texts, "")


def _unheard() -> dict[str, WidgetState]:
    """The states that no widget has used yet."""
    unheard: dict[str, WidgetState] = st.session_state.get(UNHEARD, {})
    return unheard
