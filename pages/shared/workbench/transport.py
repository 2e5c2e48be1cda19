"""Transport: the bar that starts, pauses, stops and resets a run, and the line that tells of it."""

import time
from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from dynamics.core import description, traits
from dynamics.core.config import SEEDS, Config
from dynamics.core.words import raised
from dynamics.runs import control
from dynamics.runs.control import Action
from dynamics.runs.run import LIVE, PAUSE, Run, RunError, root
from dynamics.runs.start import start
from pages.shared import address, hiding, settings
from pages.shared.attempt import back
from pages.shared.charts import menu
from pages.shared.hiding import hidden
from pages.shared.session.who import visitor
from pages.shared.workbench import waiting
from pages.shared.workbench.changes import tell
from pages.shared.workbench.forecast import expectation
from pages.shared.workbench.summary import account

TRAINED = "Already trained"
AGAIN = "; after Reset, Train trains them again"
STRANGERS = "Somebody else started this run: watch it, or fork one of your own from any step."
ENDED = ("done", "diverged")  # phases of a run that nothing is to be added to


def transport(config: Config | None, run: Run | None) -> None:
    """Draw the buttons, which keep their places: the next action, Stop and Reset.

    Only the next action is coloured. The page's charts tell of a new phase before its script runs,
    so a button that moved would move under the pointer.
    """
    with st.container(key="act", horizontal=True, vertical_alignment="center", gap="small"):
        live = run is not None and run.status.phase in LIVE
        with st.container(key="next"):
            _next(config, run)
        if run and control.may(run, "cancel", visitor()):
            _button(
                "Stop",
                "stop",
                _ask,
                (run, "cancel"),
                disabled=not live,
                help="End the run; its records are kept",
            )
        if run and control.may(run, "train anew", visitor()):
            _button("Reset", "replay", _reset, run, help="Back to step 0, same seeds")


def _next(config: Config | None, run: Run | None) -> None:
    """The button of the next action: what the run can do, else what the settings can."""
    phase = run.status.phase if run else ""
    ours = run is not None and config is not None and config.key == run.key
    if run and phase in LIVE and control.may(run, "pause", visitor()):
        halted = phase == "paused" or run.asked() == PAUSE
        label, icon, action = (
            ("Resume", "play_arrow", "go on") if halted else ("Pause", "pause", "pause")
        )
        _button(label, icon, _ask, (run, action), primary=True, shortcut="Space")
        return
    label = "Go on" if ours and phase in ("cancelled", "lost") else "Train"
    live = ours and phase in LIVE  # somebody else's, which is watched
    done = ours and phase == "done"
    again = AGAIN if run and control.may(run, "train anew", visitor()) else ""
    _button(
        label,
        "play_arrow",
        _start,
        (config, run),
        primary=True,
        shortcut="Space",
        disabled=done or live or config is None,
        help=TRAINED + again if done else STRANGERS if live else None,
    )


def more(config: Config | None, run: Run | None) -> None:
    """The rest of the bar: a new seed, the choice of charts, and what a link has hidden."""
    if config and not hidden("tools"):
        with st.container(key="seed"):
            _button(
                "New seed",
                "casino",
                _new_seed,
                config,
                shortcut="N",
                help="Draw everything anew",
            )
    chosen = run is not None and not hidden("menus")
    if not (chosen or st.session_state.get("hide")):
        return
    with st.popover("More", icon=":material/more_horiz:", help="Charts, and what is hidden"):
        if run and chosen:
            menu(run)
        hiding.show_everything()


def note(config: Config | None, run: Run) -> None:
    """One line at the foot: how the settings differ from the run's, else the run's parent."""
    with st.container(key="note", horizontal=True, vertical_alignment="center", gap="small"):
        if not control.may(run, "cancel", visitor()):
            st.caption(STRANGERS)
        if config and config.key != run.key:
            _tell_differences(config, run)
        else:
            tell(run)
        if lesson := st.session_state.get("lesson"):
            back(lesson)
        if not hidden("summary"):
            account(run)


def share(config: Config, seen: Mapping[str, str]) -> None:
    """A menu with a link to this page: every setting, and the ``view`` of the charts."""
    words = "Copy a link to what is shown here"
    with st.popover("Link", icon=":material/link:", help=words, on_change="rerun") as opened:
        if opened.open:
            st.caption("Opens this page with exactly these settings, charts, axes and cursor.")
            st.code(address.link(config, hiding.choice(), seen), language=None, wrap_lines=True)


def _ask(asked: tuple[Run, Action]) -> None:
    """Steer the run; the page says why it could not be steered."""
    run, action = asked
    try:
        control.steer(run, action, visitor())
    except RunError as error:
        st.session_state["told"] = str(error)


def _button(
    label: str,
    icon: str,
    action: Callable[[Any], None],
    argument: object,
    *,
    primary: bool = False,
    shortcut: str | None = None,
    help: str | None = None,
    disabled: bool = False,
) -> None:
    st.button(
        label,
        on_click=action,
        args=(argument,),
        icon=f":material/{icon}:",
        type="primary" if primary else "secondary",
        shortcut=shortcut,
        help=help,
        disabled=disabled,
        width="stretch" if primary else "content",
    )


def _start(chosen: tuple[Config, Run | None]) -> None:
    """Start the run; it copies the records that it shares with the shown run."""
    config, shown = chosen
    anew = st.session_state.pop("anew", None) == config.key
    try:
        run = start(config, root(), by=visitor(), anew=anew, origin=shown)
        st.session_state["run"] = run.key
        if run.status.phase in ENDED:  # it was computed before; whoever asks sees it learn
            st.session_state["replay"] = (run.key, time.time())
    except RunError as error:
        st.session_state["told"] = str(error)


def replayed(run: Run) -> float | None:
    """When the run was asked for after it had been trained; None if it was not."""
    key, moment = st.session_state.get("replay") or ("", None)
    return moment if key == run.key else None


def _reset(run: Run) -> None:
    """Show the settings without a run; the next start trains them again, from the same seeds."""
    try:
        control.check(run, "train anew", visitor())
        if run.status.phase in LIVE:
            control.steer(run, "cancel", visitor())
    except RunError as error:
        st.session_state["told"] = str(error)
        return
    st.session_state["run"] = None
    st.session_state["anew"] = run.key


def _new_seed(config: Config) -> None:
    read = (*traits.problem(config.problem).reads, "seed_init")
    fresh = {name: getattr(config, name) + 1 for name in SEEDS if name in read}
    settings.adopt(config.to_dict() | fresh)


def _tell_differences(config: Config, run: Run) -> None:
    named = description.differences(config, run.config)
    words = raised(", ".join(f"{name.replace('_', ' ')} {value}" for name, value in named.items()))
    st.caption(f"The charts show a run whose settings differ from those chosen now: {words}.")
    if run.status.phase in LIVE and control.may(run, "pause", visitor()):
        _button("Train these", "play_arrow", _start, (config, run))
    if not hidden("forecast"):
        with st.popover("What to expect", type="tertiary"):
            if config.contents:
                waiting.expectation(config, run)
            else:
                expectation(config)
    st.button(
        "Back to the run's settings",
        on_click=settings.adopt,
        args=(run.config.to_dict(),),
        type="tertiary",
    )
