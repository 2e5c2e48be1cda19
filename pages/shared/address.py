"""Address: the page's address, read and written as the work goes on."""

import time
from collections.abc import Iterable, Mapping
from urllib.parse import urlencode

import streamlit as st

from dynamics.core import registry
from dynamics.core.config import VERSION, Config
from dynamics.core.description import differences, text_of
from dynamics.draw.time_axis import VERSUS
from dynamics.runs.run import Run, RunError, find, root
from pages.shared import charts, hiding
from pages.shared.settings import adopt

ON_ITS_WAY = 2.0  # seconds for which a browser may not know the address that it was given


def read_address() -> Run | None:
    """Take over what the address says when it is new; gives the run that it names, if any."""
    query = dict(st.query_params)
    if query != st.session_state.get("address") and not _just_left(query):
        st.session_state["run"] = query.pop("run", None)
        over = query.pop("over", "steps")
        st.session_state["over"] = over if over in VERSUS else "steps"
        at = query.pop("at", "")
        whole = at.isascii() and at.isdigit() and len(at) < 12
        st.session_state["at"] = (st.session_state["run"], int(at)) if whole else None
        query.pop("version", None)
        strange = hiding.adopt(query.pop("hide", "")) + charts.adopt(query.pop("charts", ""))
        lesson = st.session_state["lesson"] = query.pop("lesson", None)
        if lesson and lesson not in registry.options("lessons"):
            st.session_state["lesson"] = None
            strange += [f"There is no lesson {lesson[:40]!r}; the page of lessons lists them all."]
        run = shown_run()
        adopt((run.config.to_dict() if run else {}) | query)
        st.session_state["wrong"] += strange
    for sentence in st.session_state.pop("wrong", ()):
        st.warning(sentence, icon=":material/link_off:")
    return shown_run()


def _just_left(query: Mapping[str, str]) -> bool:
    """Whether the browser still had the address before this one when it asked for the page."""
    left, moment = st.session_state.get("left", (None, 0.0))
    return query == left and time.monotonic() - moment < ON_ITS_WAY


def shown_run() -> Run | None:
    """The run that the page shows; a sentence and None if it is not there or damaged."""
    key = st.session_state.get("run")
    if not key:
        return None
    try:
        run = find(key, root())
        run.check()
    except RunError as error:
        st.session_state["run"] = None
        st.warning(str(error), icon=":material/folder_off:")
        return None
    return run


def asked_step(run: Run) -> int | None:
    """The step of this run that the address asked to see."""
    key, step = st.session_state.get("at") or (None, None)
    return step if key == run.key else None


def view(run: Run | None, at: int | None) -> dict[str, str]:
    """What an address says beside the settings: the run, axis, cursor, charts and lesson."""
    over, lesson = st.session_state.get("over", "steps"), st.session_state.get("lesson")
    query = {"run": run.key} if run else {}
    query |= {"over": over} if over != "steps" else {}
    query |= {"at": str(at)} if at is not None else {}
    query |= charts.query(run.config) if run else {}
    return query | ({"lesson": lesson} if lesson else {})


def write_address(config: Config, run: Run | None, at: int | None = None) -> None:
    """Put the page's state into the address, as short as it stays exact."""
    query = view(run, at) | differences(config, run.config if run else None) | hiding.query()
    st.session_state["at"] = (run.key, at) if run else None
    before = st.session_state.get("address")
    if before != query:
        st.session_state["left"] = before, time.monotonic()
    st.session_state["address"] = query
    if dict(st.query_params) != query:
        st.query_params.from_dict(query)


def link(config: Config, hide: Iterable[str] = (), seen: Mapping[str, str] | None = None) -> str:
    """The address of this page with every setting in it, so that later defaults change nothing.

    ``hide`` names the blocks that it leaves out, ``seen`` is the ``view`` of the page.
    """
    values = {name: text_of(value) for name, value in config.canonical().to_dict().items()}
    query = {"version": VERSION} | dict(seen or {}) | values | hiding.query(hide)
    return f"{str(st.context.url or '').partition('?')[0]}?{urlencode(query, safe=',')}"


def address() -> str:
    """The address of the page that is shown, whose query has all of its state."""
    query = urlencode(st.query_params.to_dict(), safe=",")
    return f"{str(st.context.url or '').partition('?')[0]}?{query}"
