"""Who: what the visitor of a page shows to prove that a run is theirs."""

import streamlit as st

from dynamics.runs import capability
from dynamics.runs.capability import OWNER, Capability
from dynamics.runs.run import root
from pages.shared import door

GIVEN = "capability"  # session key: the token of a visitor whose browser keeps no cookie


def visitor() -> Capability:
    """The visitor's capability: the owner's on a local server, else that of the cookie.

    A browser that keeps none, as inside another page's frame, has one for this session.
    """
    if door.local(st.context.headers):
        return OWNER
    where = door.address(st.context.headers, st.context.ip_address)
    shown = Capability(st.context.cookies.get(door.COOKIE, ""), address=where)
    if capability.holds(root(), shown):
        return shown
    if not capability.holds(root(), Capability(st.session_state.get(GIVEN, ""))):
        st.session_state[GIVEN] = capability.issue(root()).token
    return Capability(st.session_state[GIVEN], address=where)
