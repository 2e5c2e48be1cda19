"""Address: the page's address, which holds all of the page's state."""

import contextlib
from collections.abc import Iterable, Mapping
from urllib.parse import urlencode

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from dynamics.core import registry
from dynamics.core.config import VERSION, Config, choices
from dynamics.core.description import differences, text_of
from dynamics.draw.time_axis import VERSUS
from dynamics.runs.run import Run, RunError, find, root
from pages.shared import charts, hiding
from pages.shared.session import desk
from pages.shared.settings import adopt, settings


def read_address() -> Run | None:
    """Adopt an address that is new; returns the run that it names, None if it names none."""
    asked = dict(st.query_params)
    if is_new(asked, "address"):
        back = not asked  # the menu of pages leads here without the address that the page had
        query = dict(st.session_state.get("address", {}) if back else asked)
        _lead(query)
        st.session_state["run"] = query.pop("run", None)
        over = query.pop("over", "steps")
        st.session_state["over"] = over if over in VERSUS else "steps"
        at = query.pop("at", "")
        run_key = st.session_state["run"]
        st.session_state["at"] = (run_key, int(at)) if _is_whole(at) else None
        mode = query.pop("mode", "")
        st.session_state["mode"] = (run_key, int(mode)) if _is_whole(mode) and int(mode) else None
        query.pop("version", None)
        strange = hiding.adopt(query.pop("hide", "")) + charts.adopt(query.pop("charts", ""))
        lesson = st.session_state["lesson"] = query.pop("lesson", None)
        if lesson and lesson not in registry.options("lessons"):
            st.session_state["lesson"] = None
            strange += [f"There is no lesson {lesson[:40]!r}; the page of lessons lists them all."]
        run = shown_run()
        stored = run.config.to_dict() if run and not run.watched else {}
        adopt(stored | query | (settings() if back else {}))
        st.session_state["wrong"] += strange
        taken(asked, "address")
    for sentence in st.session_state.pop("wrong", ()):
        st.warning(sentence, icon=":material/link_off:")
    return shown_run()


def _lead(query: Mapping[str, str]) -> None:
    """Go to the page that offers the run or problem of an address, if this one does not."""
    problem = query.get("problem", "")
    if key := query.get("run"):
        with contextlib.suppress(RunError):
            problem = find(key, root()).config.problem
    if problem in choices("problem") and desk.kind_of(problem) != desk.kind():
        st.switch_page(desk.page_of(problem), query_params=query)


def is_new(query: Mapping[str, str], place: str) -> bool:
    """Whether a visitor brought this address: by a link, by the menu, by back or forward.

    Any other address than the page's own is one that the browser had before it heard of the newest.

    Args:
        query: the address that came with the rerun.
        place: the name under which the session keeps the page's address.
    """
    context = get_script_run_ctx()
    moved = context is not None and context.is_history_navigation
    arrived = st.session_state.get("arrived", True)
    return bool(arrived or (moved and query != st.session_state.get(place)))


def taken(query: Mapping[str, str], place: str) -> None:
    """Remember that an address was read to its end: another rerun can stop this one at any line."""
    st.session_state[place] = dict(query)
    st.session_state["arrived"] = False


def shown_run() -> Run | None:
    """The run that the page shows; None, after a warning, if it is missing or damaged."""
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


def _is_whole(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 12


def asked_mode(run: Run) -> int | None:
    """The mode that the address lights in this run's charts; None if it names none."""
    key, mode = st.session_state.get("mode") or (None, None)
    return mode if key == run.key else None


def asked_step(run: Run) -> int | None:
    """The step at which the address puts this run's cursor; None if it names no step."""
    key, step = st.session_state.get("at") or (None, None)
    return step if key == run.key else None


def view(run: Run | None, at: int | None) -> dict[str, str]:
    """The part of an address that holds no settings: run, axis, cursor, mode, charts and lesson."""
    query = {}
    if run:
        query["run"] = run.key
    over = st.session_state.get("over", "steps")
    if over != "steps":
        query["over"] = over
    if at is not None:
        query["at"] = str(at)
    if run and (mode := asked_mode(run)):
        query["mode"] = str(mode)
    if run:
        query |= charts.query(run)
    lesson = st.session_state.get("lesson")
    if lesson:
        query["lesson"] = lesson
    return query


def write_address(config: Config, run: Run | None, at: int | None = None) -> None:
    """Put the page's state into the address, without settings that the run or problem implies."""
    query = view(run, at) | differences(config, run.config if run else None) | hiding.query()
    st.session_state["at"] = (run.key, at) if run else None
    put(query, "address")


def put(query: Mapping[str, str], place: str) -> None:
    """Show an address, and remember it in the session under the name ``place``."""
    st.session_state[place] = dict(query)
    if dict(st.query_params) != query:
        st.query_params.from_dict(query)


def link(config: Config, hide: Iterable[str] = (), seen: Mapping[str, str] | None = None) -> str:
    """The address of this page with every setting in it, so that it survives new defaults.

    Args:
        config: the settings.
        hide: blocks that the linked page leaves out.
        seen: the ``view`` of the page.
    """
    values = {name: text_of(value) for name, value in config.canonical().to_dict().items()}
    return whole(dict(seen or {}) | values | hiding.query(hide))


def whole(query: Mapping[str, str]) -> str:
    """The address of this page with a query and the version for which that is meant."""
    page, _, _ = str(st.context.url or "").partition("?")
    base = st.get_option("server.baseUrlPath").strip("/")
    if base and page.endswith(f"/{base}"):
        page += "/"  # proxies pass on what is below the path, and not always the path itself
    return f"{page}?{urlencode({'version': VERSION} | dict(query), safe=',:')}"
