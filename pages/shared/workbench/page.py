"""The page itself: settings, presets, pictures, transport, live charts, and the account after."""

import html
from collections.abc import Callable, Sequence

import streamlit as st

from dynamics.core.config import Config
from dynamics.draw.time_axis import offered
from dynamics.runs import limits
from dynamics.runs.run import Run, root
from pages.shared import address, hiding, settings
from pages.shared.attempt import invitation
from pages.shared.charts import chosen as figures
from pages.shared.charts import numbers, panels
from pages.shared.files.downloads import downloads
from pages.shared.hiding import hidden
from pages.shared.live.component import live
from pages.shared.networks import overview
from pages.shared.session import desk
from pages.shared.session.who import visitor
from pages.shared.workbench import presets, waiting
from pages.shared.workbench.changes import beside, onward
from pages.shared.workbench.films import films
from pages.shared.workbench.forecast import expectation, normalised
from pages.shared.workbench.presets import Preset
from pages.shared.workbench.summary import account, summary
from pages.shared.workbench.transport import more, note, replayed, share, transport

WATCHED = (
    "Another program trains this network. Recorded here: the singular values of the "
    "matrices that it named, how far they moved, and the numbers that it gave."
)


def show(
    kind: desk.Kind,
    heading: Callable[[Config | None], str],
    introduction: str,
    offered: Sequence[Preset],
) -> None:
    """Draw the whole page.

    Args:
        kind: the problems that the page offers.
        heading: what is learned, and by how many networks; None if the settings do not fit.
        introduction: what the visitor sees before a preset is lit.
        offered: the presets.
    """
    desk.sit(kind)
    told = st.container(key="told")
    with told:
        if sentence := st.session_state.pop("told", None):
            st.error(sentence)
        run = address.read_address()
    if run and run.watched:
        _watched(run)
        return
    pictures = st.sidebar.container(key="pictures")
    with told:
        config = settings.sidebar()
        if config and (sentence := limits.refusal(config, limits.of(root(), visitor()))):
            st.warning(sentence, icon=":material/block:")
    hiding.sidebar()
    if config and not hidden("pictures"):
        with pictures:
            overview(config)
    with st.container(key="instrument", gap=None):
        at = _instrument(config, run, heading(config), offered)
    if config:
        address.write_address(config, run, at)
    if run:
        if not hidden("summary"):
            films(run)
            summary(run)
        return
    _idle(config, heading(config), introduction, offered)


def _idle(config: Config | None, title: str, introduction: str, offered: Sequence[Preset]) -> None:
    """What is seen before a run: presets, what they show, and what to expect."""
    st.title(title, anchor=False)
    lit = None if hidden("presets") else presets.choose(offered)
    if lesson := st.session_state.get("lesson"):
        invitation(lesson)
    else:
        st.caption(lit.look if lit else introduction)
    if config and not hidden("forecast"):
        if config.contents:
            waiting.expectation(config, None)
        else:
            expectation(config, drawn=True)


def _instrument(
    config: Config | None, run: Run | None, title: str, offered: Sequence[Preset]
) -> int | None:
    """The bar and, for a run, all that is seen of it at once; returns the step of the cursor."""
    if run:
        st.html(f'<h1 class="unseen">{html.escape(title)}</h1>')
    transport(config, run)
    tools = st.container(key="tools", horizontal=True, vertical_alignment="center", gap="small")
    at = _charts(run) if run else None
    name = presets.named(offered)
    with tools:
        if run and config and config.key == run.key and name:
            with st.container(key="named"):
                st.caption(name)
        if run and not hidden("changes"):
            onward(run, at)
        if config and not hidden("tools"):
            share(config, address.view(run, at))
            if run:
                downloads(run)
        more(config, run)
    if run:
        note(config, run)
    return at


def _watched(run: Run) -> None:
    """The page of a run that another program trains: its charts, its files and its account."""
    with st.container(key="instrument", gap=None):
        st.html(f'<h1 class="unseen">{html.escape(run.config.title)}</h1>')
        with st.container(key="act", horizontal=True, vertical_alignment="center", gap="small"):
            st.button("Train networks here", icon=":material/tune:", on_click=_leave)
        tools = st.container(key="tools", horizontal=True, vertical_alignment="center", gap="small")
        at = _charts(run)
        with tools:
            if not hidden("tools"):
                downloads(run)
            more(None, run)
        with st.container(key="note", horizontal=True, vertical_alignment="center", gap="small"):
            st.caption(run.config.title, help=WATCHED)
            if not hidden("summary"):
                account(run)
    st.session_state["at"] = (run.key, at)
    address.put(address.view(run, at) | hiding.query(), "address")
    if not hidden("summary"):
        summary(run)


def _leave() -> None:
    """Show the settings without a run."""
    st.session_state["run"] = None


def _charts(run: Run) -> int | None:
    """The live charts of a run and the menu of axes; returns the step of the cursor."""
    picked = figures(run)
    over = st.session_state.get("over", "steps")
    axes = offered(run.config)
    if over not in axes:
        over = st.session_state["over"] = "steps"
    if not hidden("menus"):
        with st.container(key="axis"):
            over = st.selectbox(
                "Horizontal axis",
                axes,
                key="over",
                format_func=str.capitalize,
                label_visibility="collapsed",
            )
    shown = over if over != "normalised" or normalised(run) else "steps"
    failed = not run.layout.shapes and not run.status.live
    seen = live(
        run.key,
        () if failed else panels(picked, run.config, numbers(run)),
        shown,
        at=address.asked_step(run),
        theory=not hidden("theory"),
        beside=beside(run),
        replay=replayed(run),
        mode=address.asked_mode(run),
    )
    st.session_state["mode"] = (run.key, seen.mode)
    return seen.at
