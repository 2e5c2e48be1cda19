"""Paper: one figure of the paper on the page: choose its draws, train, see it and its verdict.

The address keeps figure, target, seed and seeds; the runs are ordinary ones, whoever trained them.
"""

import contextlib

import streamlit as st

from dynamics.core import traits
from dynamics.core.config import Config
from dynamics.paper import draws
from dynamics.paper.draws import TARGETS, THEIRS, Draw
from dynamics.paper.judge import Judged, judge
from dynamics.runs import group
from dynamics.runs.group import Progress
from dynamics.runs.run import Run, RunError, root
from pages.paper_figures.verdict import BADGES, downloads, finished, long
from pages.shared.live.component import live

UNJUDGED = ("trained; cannot be compared here", "error", "gray")


def turn_to(name: str = "") -> None:
    """Show another figure, or the gallery."""
    st.query_params.from_dict({"figure": name} if name else {})


def card(name: str) -> None:
    """A figure in the gallery: what it shows, how long it may take, and how it stands."""
    title, line = draws.about(name)
    wanted = draws.distinct(name)
    state = group.progress(wanted, root())
    with st.container(border=True, height="stretch", key=f"card {name}"):
        st.markdown(f"**{title}**")
        st.caption(f"{line}.", width="stretch")
        _badge(name, wanted, state)
        with st.container(
            horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"
        ):
            st.button(
                "Open",
                icon=":material/insert_chart:",
                on_click=turn_to,
                args=(name,),
                key=f"open {name}",
            )
            st.caption(
                traits.figure(name).source,
                width="content",
                help="Where the authors show it",
            )


def _badge(name: str, wanted: list[Config], state: Progress) -> None:
    if state.complete:
        judged = _judged(name)
        words, icon, color = BADGES[judged.verdict] if isinstance(judged, Judged) else UNJUDGED
        st.badge(words, icon=f":material/{icon}:", color=color)  # type: ignore[arg-type]
    elif state.live:
        st.badge(f"running, {_done(state)}", icon=":material/hourglass_top:", color="blue")
    else:
        seconds = group.seconds_at_most(wanted)
        st.badge(f"not run; {long(seconds)} at most", icon=":material/schedule:", color="gray")


def _done(state: Progress) -> str:
    several = f"{state.ended} of {state.runs} runs done, " if state.runs > 1 else ""
    left = "" if state.seconds is None else f", {long(state.seconds)} left at most"
    return f"{several}{state.step / state.steps:.0%} of all steps{left}"


def chosen_draw() -> Draw | None:
    """The draws that the address asks for, or None after a sentence that says what is wrong."""
    query = st.query_params
    try:
        seed, seeds = query.get("seed"), query.get("seeds", "1")
        return Draw(query.get("target", "top"), _whole(seed) if seed else None, _whole(seeds) or 1)
    except ValueError as error:
        st.error(str(error), icon=":material/link_off:")
        st.button("Take the authors' own", on_click=_choose, args=(THEIRS,))
        return None


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 12):
        raise ValueError(f"A seed and how many are whole numbers; {text[:40]!r} was given.")
    return int(text)


def _choose(draw: Draw) -> None:
    """Put the draws into the address."""
    query = {"figure": st.query_params["figure"]}
    query |= {} if draw.target == "top" else {"target": draw.target}
    query |= {} if draw.seed is None else {"seed": str(draw.seed)}
    query |= {} if draw.seeds == 1 else {"seeds": str(draw.seeds)}
    st.query_params.from_dict(query)


def show(name: str, draw: Draw) -> None:
    """The figure: its draws, its training, and in the end its picture and verdict."""
    if told := st.session_state.pop("told", None):
        st.error(told)
    wanted = draws.distinct(name, draw)
    state = group.progress(wanted, root())
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if state.live:
            st.button("Cancel", icon=":material/stop:", on_click=_cancel, args=(wanted,))
        elif not state.complete:
            st.button(
                "Run" if not state.step else "Go on",
                icon=":material/play_arrow:",
                type="primary",
                on_click=_start,
                args=(wanted,),
            )
        _draws(name, draw)
        judged = _judged(name, draw) if state.complete else None
        if isinstance(judged, Judged):
            downloads(judged)
    if isinstance(judged, Judged):
        finished(judged)
        return
    if judged:
        st.error(judged, icon=":material/error:")
        return
    if state.live:
        shown = _in_training(wanted)
        _wait(wanted, shown)
        if shown:
            live(shown, ("losses", "singular_values"), key="paper charts")
        return
    if not state.ended:
        seconds = group.seconds_at_most(wanted)
        st.caption(
            f"{len(wanted)} run{'s' if len(wanted) > 1 else ''}, about {long(seconds)} at most on "
            "one core; everything is kept, and another visit goes on from there."
        )
    if state.step:
        _broken_off(wanted, state)


def _broken_off(wanted: list[Config], state: Progress) -> None:
    """How far it came, and the charts of the run in which it ended, which say why."""
    begun = _of_phase(wanted, "cancelled", "lost", "failed")
    if not begun or state.runs > 1:
        st.caption(f"{_done(state)}.")
    if begun:
        live(begun[0], ("losses", "singular_values"), key="paper charts")


def _judged(name: str, draw: Draw = THEIRS) -> Judged | str:
    """The finished figure, or why it cannot be judged; what is computed beside it takes seconds."""
    try:
        with st.spinner("Comparing …"):
            return judge(name, root(), draw)
    except RunError as error:
        return str(error)


def _start(wanted: list[Config]) -> None:
    try:
        group.start(wanted, root())
    except RunError as error:
        st.session_state["told"] = str(error)


def _start_more(wanted: list[Config]) -> None:
    """What is in hand goes on all the same; the next look tries again."""
    with contextlib.suppress(RunError):
        group.start_more(wanted, root())


def _cancel(wanted: list[Config]) -> None:
    group.cancel(wanted, root())


def _draws(name: str, draw: Draw) -> None:
    """Which random draws: the authors' own, other seeds, many seeds, the other target."""
    words = "the authors' own" if draw == THEIRS else _words(draw)
    with (
        st.popover(f"Draws: {words}", icon=":material/casino:"),
        st.form(f"draws {name}", border=False),
    ):
        spread = "spread: that of the authors' published code, not of their figures"
        labels = {"top": "top: as in the saved figures", "spread": spread}
        target = st.radio(
            "Spectrum of the target", TARGETS, TARGETS.index(draw.target), labels.__getitem__
        )
        own = st.toggle(
            "Other seeds than the authors'",
            draw.seed is not None or draw.seeds > 1,
            help="The authors' numbers hold for their own draws alone.",
        )
        first = st.number_input("First seed", 0, 2**31 - 100, draw.seed or 0)
        seeds = st.number_input(
            "Number of seeds N",
            1,
            draws.MOST_SEEDS,
            draw.seeds,
            help="More than one: median and interquartile band.",
        )
        if st.form_submit_button("Take these", type="primary"):
            _choose(Draw(target, int(first), int(seeds)) if own else Draw(target))
            st.rerun()


def _words(draw: Draw) -> str:
    first = draw.seed or 0
    seeds = f"seeds {first} to {first + draw.seeds - 1}" if draw.seeds > 1 else f"seed {first}"
    return seeds if draw.target == "top" else f"{seeds}, target {draw.target}"


@st.fragment(run_every=1.0)
def _wait(wanted: list[Config], shown: str) -> None:
    """How far it is; the page goes on when the run that it shows has ended, or all have."""
    state = group.progress(wanted, root())
    if state.live and state.ended < state.runs:
        _start_more(wanted)
    if not state.live or _in_training(wanted, shown) != shown:
        st.rerun()
    if not state.step:
        st.progress(0.0, "Starting, or waiting in line for a free core")
    elif state.runs > 1:  # a single run says so itself
        st.progress(min(1.0, state.step / state.steps), _done(state))


def _in_training(wanted: list[Config], shown: str = "") -> str:
    """The key of the run in training, the one ``shown`` if that still is; empty for none."""
    going = _of_phase(wanted, "running")
    return shown if shown in going or not going else going[0]


def _of_phase(wanted: list[Config], *phases: str) -> list[str]:
    """The keys of the runs that are in one of these phases."""
    found = []
    for config in wanted:
        with contextlib.suppress(RunError):
            if Run(root() / config.key).status.phase in phases:
                found.append(config.key)
    return found
