"""Figure: one figure of the paper on the page: choose its draws, train, see it and its verdict.

The address keeps figure, target, seed and seeds; the runs are ordinary runs, whoever trained them.
"""

from typing import Any

import streamlit as st

from dynamics.core.config import Config
from dynamics.core.seeds import FEW
from dynamics.core.words import count, duration
from dynamics.paper import baselines
from dynamics.paper.baselines import MissingError
from dynamics.paper.judge import Judged, kept, kept_verdict
from dynamics.paper.plan import TARGETS, THEIRS, Draw, Plan, about
from dynamics.runs.group import BROKEN, Group, Progress
from dynamics.runs.run import Run, RunError, root
from pages.paper_figures.verdict import BADGES, downloads, finished
from pages.shared import group
from pages.shared.live.component import live
from pages.shared.number import read
from pages.shared.pictures import on_card
from pages.shared.session import desk
from pages.shared.session.who import visitor

UNJUDGED = ("trained; cannot be compared here", "error", "gray")
UNCOMPARED = ("trained; not compared yet", "pending", "gray")
# What differs in the picture on a card where the figure's own runs take long.
SMALLER: dict[str, dict[str, Any]] = {
    "sensing": {"rows": 40, "cols": 40, "measurements": 750, "learning_rate": 3.75},
    "incremental_sensing": {"rows": 24, "cols": 24, "measurements": 576},
}
CHARTS = {"matrices": ("losses", "singular_values"), "classes": ("accuracy", "losses")}


def turn_to(name: str = "") -> None:
    """Show another figure, or the gallery."""
    st.query_params.from_dict({"figure": name} if name else {})


def card(name: str) -> None:
    """A figure in the gallery: what it shows, and how long it may take or its verdict."""
    plan = Plan.of(name)
    title, line = about(name)
    with st.container(border=True, height="stretch", key=f"card {name}"):
        words = "Of a smaller matrix than the figure's"
        st.html(on_card("paper_figures", name, words if name in SMALLER else ""))
        st.markdown(f"**{title}**")
        st.caption(f"{line}.", width="stretch")
        _badge(plan)
        with st.container(
            horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"
        ):
            st.button(
                "Open",
                on_click=turn_to,
                args=(name,),
                icon=":material/insert_chart:",
                key=f"open {name}",
            )
            st.caption(plan.source, width="content", help="Where the authors show it")


def _badge(plan: Plan) -> None:
    runs = Group(plan.distinct, root(), visitor())
    progress = runs.progress()
    if progress.complete:
        badge = _verdict_badge(plan)
    elif progress.live:
        badge = (f"running, {group.words(progress)}", "hourglass_top", "blue")
    else:
        longest = runs.seconds_at_most()
        words = "not run" if longest is None else f"not run; {duration(longest)} at most"
        badge = (words, "schedule", "gray")
    words, icon, color = badge
    st.badge(words, icon=f":material/{icon}:", color=color)  # type: ignore[arg-type]


def _verdict_badge(plan: Plan) -> tuple[str, str, str]:
    try:
        return BADGES[kept_verdict(plan, root())]
    except MissingError:
        return UNCOMPARED
    except RunError:
        return UNJUDGED


def chosen_draw() -> Draw | None:
    """The draws that the address names; None, after showing a sentence, if they do not exist."""
    query = st.query_params
    try:
        target = query.get("target", "top")
        seed = query.get("seed")
        seeds = query.get("seeds", "1")
        return Draw(target, _whole(seed) if seed else None, _whole(seeds) or 1)
    except ValueError as error:
        st.error(str(error), icon=":material/link_off:")
        st.button("Take the authors' own", on_click=_choose, args=(THEIRS,))
        return None


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 12):
        raise ValueError(f"seed and seeds must be whole numbers; {text[:40]!r} was given.")
    return int(text)


def _choose(draw: Draw) -> None:
    """Put the draws into the address."""
    query = {"figure": st.query_params["figure"]}
    if draw.target != "top":
        query["target"] = draw.target
    if draw.seed is not None:
        query["seed"] = str(draw.seed)
    if draw.seeds != 1:
        query["seeds"] = str(draw.seeds)
    st.query_params.from_dict(query)


def show(name: str, draw: Draw) -> None:
    """The figure: its draws, its training and, when that is complete, its picture and verdict."""
    plan = Plan.of(name, draw)
    runs = Group(plan.distinct, root(), visitor())
    progress = runs.progress()
    group.show_refusal()
    result = _judged(plan) if progress.complete else None
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if not progress.live and not progress.complete:
            st.button(
                "Go on" if progress.step else "Run",
                on_click=group.start,
                args=(runs,),
                icon=":material/play_arrow:",
                type="primary",
            )
        _draws(plan)
        if isinstance(result, Judged):
            downloads(result)
    if isinstance(result, Judged):
        finished(result)
    elif isinstance(result, MissingError):
        _offer_comparison(plan, result)
    elif result:
        st.error(str(result), icon=":material/error:")
    elif progress.live:
        group.show_training(runs, progress)
        for config in progress.of("running")[:1]:
            _live(config)
    else:
        _not_running(runs, progress)


def _judged(plan: Plan) -> Judged | RunError:
    """The finished figure, or why it cannot be judged."""
    try:
        with st.spinner("Comparing …"):
            return kept(plan, root())
    except RunError as error:
        return error


def _offer_comparison(plan: Plan, missing: MissingError) -> None:
    """A button that computes other methods' results from the runs' data, which takes seconds."""
    st.info(str(missing), icon=":material/pending:")
    if st.button("Compute it", type="primary", icon=":material/play_arrow:"):
        try:
            with st.spinner("Computing …"):
                for config in plan.shared:
                    baselines.compute(Run(root() / config.key))
        except RunError as error:
            st.error(str(error), icon=":material/error:")
        else:
            st.rerun()


def _not_running(runs: Group, progress: Progress) -> None:
    """How long the figure may take or how far it is, and the charts of a run that stopped."""
    if not progress.ended:
        longest = runs.seconds_at_most()
        time = "" if longest is None else f", about {duration(longest)} at most on one core"
        st.caption(
            f"{count(progress.runs, 'run')}{time}; everything is kept, and another visit continues "
            "from there."
        )
    broken = progress.of(*BROKEN)[:1]
    if progress.step and (progress.runs > 1 or not broken):
        st.caption(f"{group.words(progress)}.")
    if progress.step:
        for config in broken:
            _live(config)


def _live(config: Config) -> None:
    live(config.key, CHARTS[desk.kind_of(config.problem)], key="paper charts")


def _draws(plan: Plan) -> None:
    """The choice of random draws: the authors' own or different seeds, how many, and the target."""
    draw = plan.draw
    words = "the authors' own" if draw == THEIRS else _words(draw)
    with (
        st.popover(f"Random draws: {words}", icon=":material/casino:"),
        st.form(f"draws {plan.name}", border=False),
    ):
        spread = "spread: as in the authors' published code, not as in their figures"
        labels = {"top": "top: as in the saved figures", "spread": spread}
        target = st.radio(
            "Spectrum of the target", TARGETS, TARGETS.index(draw.target), labels.__getitem__
        )
        own = st.toggle(
            "Other seeds than the authors'",
            draw.seed is not None or draw.seeds > 1,
            help="The authors' numbers hold for their own draws alone.",
        )
        first = st.text_input("First seed", str(draw.seed or 0))
        seeds = st.text_input(
            "Number of seeds N",
            str(draw.seeds),
            help=f"More than one: median and quartiles; below {FEW}, each seed as a faint line.",
        )
        if st.form_submit_button("Apply", type="primary"):
            try:
                typed = Draw(target, _typed(first), _typed(seeds)) if own else Draw(target)
            except ValueError as error:
                st.error(str(error))
                return
            _choose(typed)
            st.rerun()


def _typed(text: str) -> int:
    return _whole(f"{read(text, whole=True):.15g}")


def _words(draw: Draw) -> str:
    first = draw.seed or 0
    seeds = f"seeds {first} to {first + draw.seeds - 1}" if draw.seeds > 1 else f"seed {first}"
    return seeds if draw.target == "top" else f"{seeds}, target {draw.target}"
