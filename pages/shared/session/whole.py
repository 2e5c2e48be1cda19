"""Session: a session state that is written to the end.

Streamlit stops a script at any access to its session state as soon as the browser has sent the next
message, also in the middle of a button's callback: what the callback would still write is lost, and
its click with it. Streamlit has no option for that. With this class a script stops only where it
draws.
"""

from collections.abc import Callable

from streamlit.runtime.state import SafeSessionState, SessionState


class WholeSessionState(SafeSessionState):
    """A session state whose accesses stop no script."""

    def __init__(self, state: SessionState, yield_callback: Callable[[], None]) -> None:
        super().__init__(state, lambda: None)
