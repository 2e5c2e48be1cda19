"""Owned: the pictures and matrices of users that a visitor knows, by their ids.

There are no accounts. Whoever imported a picture or a matrix, or opened a link to it, knows its id,
and the visitor's browser keeps that in a cookie, which the live charts write. A run of it is listed
only for those who know it, for whoever sits at the machine that serves the page, and its owner.
"""

from urllib.parse import urlsplit

import streamlit as st

from dynamics.core import traits
from dynamics.core.config import Config
from dynamics.data import dataset as datasets
from dynamics.runs import capability
from dynamics.runs.run import root
from pages.shared.session.who import visitor

KNOWN = "known data sets"  # session key: ids, the newest last
COOKIE = "dln_known"
MOST = 40  # ids in the cookie, which holds four thousand letters
HERE = ("localhost", "127.0.0.1", "::1")
PASSED_ON = ("X-Forwarded-For", "X-Forwarded-Host", "Forwarded", "X-Real-IP")  # by a proxy


def known() -> list[str]:
    """The ids of the pictures and matrices that the visitor knows, the newest last."""
    if KNOWN not in st.session_state:
        brought = st.context.cookies.get(COOKIE, "").split(".")[-MOST:]
        st.session_state[KNOWN] = [text for text in brought if _is_own(text)]
    ids: list[str] = st.session_state[KNOWN]
    return ids


def learn(config: Config) -> None:
    """Remember the picture or matrix of these settings, which the visitor imported or opened."""
    if _private(config) and config.dataset not in known():
        known().append(config.dataset)


def listed(config: Config) -> bool:
    """Whether a run with these settings is listed for this visitor."""
    if not _private(config) or config.dataset in known() or _at_the_machine():
        return True
    return capability.owns(root(), visitor())


def _private(config: Config) -> bool:
    return traits.problem(config.problem).data in ("picture", "matrix")


def _is_own(text: str) -> bool:
    try:
        return datasets.kind(text) in ("picture", "matrix")
    except ValueError:  # a browser may send anything
        return False


def _at_the_machine() -> bool:
    """Whether the visitor's browser runs on this machine; not if a proxy passed the request on."""
    headers = st.context.headers
    asked = urlsplit(f"//{headers.get('Host', '')}").hostname
    passed_on = any(name in headers for name in PASSED_ON)
    return st.context.ip_address is None and asked in HERE and not passed_on
