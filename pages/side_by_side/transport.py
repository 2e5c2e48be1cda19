"""Transport: the bar that starts, pauses, cancels and resets the run that the page shows."""

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dynamics.core import description, traits
from dynamics.core.config import SEEDS, Config
from dynamics.core.words import raised
from dynamics.runs.run import CANCEL, LIVE, PAUSE, RUN, Run, RunError, root
from dynamics.runs.start import start
from pages.shared import address, hiding, settings
from pages.shared.files.downloads import downloads
from pages.shared.hiding import hidden


def transport(config: Config | None, run: Run | None) -> DeltaGenerator:
    """Draw the bar. The first button is the next action; only this button is coloured.

    Returns a place in the bar for buttons that depend on what the charts show.
    """
    phase = run.status.phase if run else ""
    ours = run is not None and config is not None and config.key == run.key
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if run and phase in LIVE:
            _steer(run, phase)
        if config and not (ours and (phase in LIVE or phase == "done")):
            _button(
                "Go on" if ours and phase in ("cancelled", "lost") else "Train",
                "play_arrow",
                _start,
                (config, run),
                primary=phase not in LIVE,
                shortcut=None if phase in LIVE else "Space",
            )
        if run and phase not in LIVE:
            _button("Reset", "replay", _reset, run, help="Back to step 0, same seeds")
        place = st.container(horizontal=True, width="content", gap="small")
        if not hidden("tools"):
            _tools(config, run)
        hiding.show_everything()
    if run and config and not ours:
        _tell_differences(config, run)
    if sentence := st.session_state.pop("told", None):
        st.error(sentence)
    return place


def _tools(config: Config | None, run: Run | None) -> None:
    if config:
        _button("New seed", "casino", _new_seed, config, shortcut="N", help="Draw everything anew")
    if run and run.layout.shapes:
        downloads(run)


def share(config: Config, seen: Mapping[str, str]) -> None:
    """A menu with a link to this page: every setting, and the ``view`` of the charts."""
    with st.popover("Link", icon=":material/link:", help="Copy a link to what is shown here"):
        st.caption("Opens this page with exactly these settings, charts, axes and cursor.")
        st.code(address.link(config, hiding.choice(), seen), language=None, wrap_lines=True)


def _steer(run: Run, phase: str) -> None:
    if phase == "paused" or run.asked() == PAUSE:
        _button("Resume", "play_arrow", _ask, (run, RUN), primary=True, shortcut="Space")
    else:
        _button("Pause", "pause", _ask, (run, PAUSE), primary=True, shortcut="Space")
    _button("Cancel", "stop", _ask, (run, CANCEL), help="End the run; its records are kept")


def _ask(asked: tuple[Run, bytes]) -> None:
    """Steer the run; the page says why it could not be steered."""
    run, control = asked
    try:
        run.ask(control)
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
) -> None:
    st.button(
        label,
        on_click=action,
        args=(argument,),
        icon=f":material/{icon}:",
        type="primary" if primary else "secondary",
        shortcut=shortcut,
        help=help,
    )


def _start(chosen: tuple[Config, Run | None]) -> None:
    """Start the run; it copies the records that it shares with the shown run."""
    config, shown = chosen
    anew = st.session_state.pop("anew", None) == config.key
    try:
        run = start(config, root(), anew=anew, origin=shown)
        st.session_state["run"] = run.key
    except RunError as error:
        st.session_state["told"] = str(error)


def _reset(run: Run) -> None:
    """Show the settings without a run; the next start trains them again, from the same seeds."""
    st.session_state["run"] = None
    st.session_state["anew"] = run.key


def _new_seed(config: Config) -> None:
    read = (*traits.problem(config.problem).reads, "seed_init")
    fresh = {name: getattr(config, name) + 1 for name in SEEDS if name in read}
    settings.adopt(config.to_dict() | fresh)


def _tell_differences(config: Config, run: Run) -> None:
    named = description.differences(config, run.config)
    words = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in named.items())
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(
            "The charts show a run whose settings differ from those chosen now: "
            + raised(words)
            + "."
        )
        st.button(
            "Back to the run's settings",
            on_click=settings.adopt,
            args=(run.config.to_dict(),),
            type="tertiary",
        )
