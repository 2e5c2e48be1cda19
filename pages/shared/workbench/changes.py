"""Changes: continue from the step in view with different rates, or compress the original there."""

import streamlit as st

from dynamics.core import changes
from dynamics.core.changes import SYMBOLS
from dynamics.core.config import SETTINGS, Config, ConfigError
from dynamics.runs import control
from dynamics.runs.control import Action
from dynamics.runs.fork import forked, shared
from dynamics.runs.run import Run, RunError, root
from dynamics.runs.start import start
from pages.shared import address, settings
from pages.shared.number import number
from pages.shared.session.who import visitor


def onward(run: Run, at: int | None) -> None:
    """A menu of what can change from the cursor's step on; at the newest record, from now on."""
    try:
        config = run.config
        status = run.status
        last = run.last
    except RunError:
        return
    if last is None and not status.live:
        return
    last = last or 0
    step = last if at is None else at
    mine = control.may(run, "change", visitor())
    with st.popover(
        "Change" if mine else "Fork",
        icon=":material/call_split:",
        key=f"onward {run.key}",
        on_change="rerun",  # the rates of a live run may have changed since the last rerun
        help="Continue from here with another α or η, or compress the original here",
    ):
        if not status.live and step >= last:
            st.caption(
                "The run has ended here. To change something, first move the cursor of the charts "
                "back to an earlier step."
            )
            return
        live_now = at is None and status.live
        st.markdown("**From now on**" if live_now else f"**From step {step:,} on**")
        for name, symbol in SYMBOLS.items():
            _rate(config, run, name, symbol, step)
        if live_now and mine:
            _button("Change now", run, at, "change", "This run continues with these values")
        _button(
            "Fork",
            run,
            at,
            "fork",
            "A second run continues from here with these values",
        )
        if {"original", "compressed"} <= set(config.networks):
            words = "The compressed network starts from what the original is at this step"
            _button("Compress the original here", run, at, "compress", words)


def _rate(config: Config, run: Run, name: str, symbol: str, step: int) -> None:
    """A box for a rate: at first the run's rate at that step.

    If the page's own widget differs from the run's setting, the box starts with its value instead.
    """
    about = SETTINGS[name]
    key = f"onward {run.key} {name}"
    chosen = float(settings.settings()[name])
    usual = chosen
    if chosen == getattr(config, name):
        usual = changes.in_force(config.schedule, config.rates, step)[name]
    shown = f"{key} usual"
    if st.session_state.get(shown) != usual:  # the run's rate or the widget has changed since
        st.session_state[key] = usual
        st.session_state[shown] = usual
    number(f"{about.title} {symbol}", key, usual, about.check)


def _button(label: str, run: Run, at: int | None, kind: Action, words: str) -> None:
    st.button(
        label,
        on_click=_continue,
        args=(run, at, kind),
        key=f"onward {kind}",
        help=words,
        type="primary" if kind == "change" else "secondary",
        width="stretch",
    )


def _continue(run: Run, at: int | None, kind: Action) -> None:
    """Start the run that continues from this one, and show it."""
    boxes = {name: st.session_state.get(f"onward {run.key} {name}") for name in SYMBOLS}
    rates = {name: float(value) for name, value in boxes.items() if value is not None}
    try:
        control.check(run, kind, visitor())
        step = run.last if at is None else at
        config = run.config
        child = forked(config, step or 0, compress=kind == "compress", **rates)
        if child.key == config.key:
            st.session_state["told"] = "Nothing would change; choose another α or η first."
            return
        started = start(child, root(), by=visitor(), origin=run)
    except (RunError, ConfigError) as error:
        st.session_state["told"] = str(error)
        return
    st.session_state["run"] = started.key
    settings.adopt(child.to_dict())
    if kind == "change":
        # This is last, because the run's new phase makes the page rerun, which ends this call.
        control.steer(run, "change", visitor())


def beside(run: Run) -> tuple[str, int] | None:
    """The parent run and the step until which both are equal; None if the run has no parent."""
    try:
        origin = run.origin
        step = shared(run.config, origin.config) if origin else 0
    except RunError:
        return None
    return (origin.key, step) if origin and step else None


def tell(run: Run) -> None:
    """Say where the run was forked, if it was; the parent's lines are faint in the charts."""
    parent = beside(run)
    if not parent:
        return
    key, step = parent
    labels = [label if at == step else f"{label} at step {at:,}" for at, label in _later(run, step)]
    what = f" ({', '.join(labels)})" if labels else ""
    st.caption(f"Forked at step {step:,}{what}. Faint: the parent run.")
    st.button("Show the parent run", on_click=_show, args=(key,), type="tertiary")


def _later(run: Run, step: int) -> list[tuple[int, str]]:
    """The run's changes at a step and after it: the step and the label of each."""
    labelled = changes.told(run.config.schedule, run.config.rates, "original compressed")
    return [(at, label) for at, label in labelled if at >= step]


def _show(key: str) -> None:
    st.session_state["run"] = key
    run = address.shown_run()
    if run:
        settings.adopt(run.config.to_dict())
