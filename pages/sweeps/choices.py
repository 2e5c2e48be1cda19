"""Choices: the axes, the outcome and the seeds of a sweep, on the page and in its address."""

import dataclasses
import os
from collections.abc import Mapping
from typing import Any

import streamlit as st

from dynamics.core import traits
from dynamics.core.config import SETTINGS, Config, ConfigError, choices
from dynamics.core.description import differences, text_of
from dynamics.core.sweep import (
    DERIVED,
    MOST_AXES,
    MOST_SEEDS,
    NO_AXIS,
    OF_CLASSES,
    OUTCOMES,
    SPEED,
    Axis,
    Sweep,
    shown,
)
from dynamics.core.words import count, raised
from pages.shared import address
from pages.shared import settings as shared_settings
from pages.shared.chosen import chosen
from pages.shared.number import between, number, read
from pages.shared.pictures import cards
from pages.shared.session import desk
from pages.sweeps.asked import Asked, Ready, is_axis, usual_level
from pages.sweeps.ready import READY

LIMIT = "DLN_SWEEP_RUNS"  # most runs of a sweep: the server's owner alone sets it
USUAL_LIMIT = 2_500  # of them otherwise; the command line has MOST_RUNS
PLACES = ("Along", "Up", "Small charts")
SPACINGS = (
    "`1, 2, 5` is a list. `1:10:0.5` goes from 1 to 10 in steps of 0.5. `1e-4:1:2/decade` has two "
    "values in each power of ten. A list may hold ranges."
)
FIRST = ("rank_bound", "depth", "alpha", "init_scale", "end_to_end_scale", "learning_rate",
         "observed", "measurements", "noise", "rank")  # fmt: skip
USUAL = {  # values that an axis has at first
    "rank_bound": "2:20:2",
    "depth": "2:6:1",
    "alpha": "1:10:1",
    "init_scale": "1e-4:0.1:1/decade",
    "end_to_end_scale": "1e-8:0.1:1/decade",
    "observed": "0.1:1:0.1",
    "noise": "0:0.5:0.1",
    "rank": "1:10:1",
}
DEFAULT = Asked((("alpha", "1:10:1"), ("rank_bound", "2,5,10,20")))
OF_CLASSES_AT_FIRST = Asked((("rank_bound", "2,3,5,10"), ("depth", "2,3,4")), "accuracy")


def read_address() -> None:
    """Adopt settings, axes and outcome from an address that is new.

    Without one, the page has the settings of the page with networks that was shown last.
    """
    asked = dict(st.query_params)
    if not address.is_new(asked, "sweep address") and "sweep asked" in st.session_state:
        return
    if asked:
        problem = asked.get("problem", SETTINGS["problem"].default)
        desk.sit(desk.kind_of(problem) if problem in choices("problem") else desk.kind())
    usual = OF_CLASSES_AT_FIRST if desk.kind() == "classes" else DEFAULT
    if not asked:
        st.session_state.setdefault("sweep asked", usual)
        address.taken(asked, "sweep address")
        return
    query, wrong = dict(asked), []
    query.pop("version", None)
    cell = query.pop("cell", "")
    try:
        found = _asked(query, usual)
    except ValueError as error:
        found, query = usual, {}
        wrong.append(f"{error} The usual sweep is shown instead.")
    take(found)
    st.session_state["sweep cell"] = cell
    if query:
        shared_settings.adopt(query)
        wrong += st.session_state.pop("wrong", [])
    for sentence in wrong:
        st.warning(sentence, icon=":material/link_off:")
    address.taken(asked, "sweep address")


def _asked(query: dict[str, str], usual: Asked) -> Asked:
    """What an address asks for; its part of ``query`` is taken out.

    Raises:
        ValueError: with one sentence.
    """
    order = [name for name in query.pop("axes", "").split(",") if name]
    if missing := [name for name in order if name not in query]:
        rule = f"axes names {missing[0][:40]!r}"
        raise ValueError(f"{rule}, and the address has no values of it.")
    names = [name for name in query if name in order or is_axis(name, query[name])]
    names.sort(key=lambda name: order.index(name) if name in order else len(order))
    if len(names) > MOST_AXES:
        raise ValueError(f"A sweep has at most {MOST_AXES} axes; {len(names)} were given.")
    axes = tuple((name, query.pop(name)) for name in names) or usual.axes
    outcome = query.pop("outcome", usual.outcome)
    if outcome not in _outcomes():
        raise ValueError(f"Here the outcome must be one of {', '.join(_outcomes())}.")
    network = query.pop("of", usual.network)
    if network not in choices("networks"):
        raise ValueError(f"There is no network {network[:40]!r}.")
    level = read(query.pop("level", str(usual_level(outcome))))
    mode = _whole("mode", query.pop("mode", "1"), 500)
    seeds = _whole("seeds", query.pop("seeds", "1"), MOST_SEEDS)
    return Asked(axes, outcome, level, network, mode, seeds, query.pop("view", "") == "lines")


def _whole(name: str, text: str, most: int) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= most):
        rule = f"{name} must be a whole number from 1 to {most}"
        raise ValueError(f"{rule}; {text[:20]!r} was given.")
    return int(text)


def write_address(sweep: Sweep, asked: Asked) -> None:
    """Put settings, axes, outcome and the chosen cell into the address."""
    query = shared(sweep, differences(sweep.base, None)) | asked.query()
    if cell := st.session_state.get("sweep cell"):
        query["cell"] = cell
    address.put(query, "sweep address")


def shared(sweep: Sweep, settings: Mapping[str, str]) -> dict[str, str]:
    """Those of some settings that all runs of the sweep share, without the networks."""
    left_out = {"networks", *(axis.name for axis in sweep.axes)}
    left_out |= {"init_scale"} if left_out & {*DERIVED} else set()
    return {name: text for name, text in settings.items() if name not in left_out}


def link(sweep: Sweep, asked: Asked) -> str:
    """The address of this page with every setting in it."""
    values = {name: text_of(value) for name, value in sweep.base.to_dict().items()}
    return address.whole(shared(sweep, values) | asked.query())


def pick_card() -> Ready | None:
    """The ready sweeps as cards; returns the one that is in force."""
    now = st.session_state["sweep asked"]
    settings = shared_settings.settings()
    matching = (place for place, ready in enumerate(READY) if _in_force(ready, now, settings))
    lit = next(matching, None)
    cards("sweeps", [ready.name for ready in READY], lit, _pick)
    return None if lit is None else READY[lit]


def _in_force(ready: Ready, asked: Asked, settings: Mapping[str, Any]) -> bool:
    if asked.axes != ready.asked.axes or asked.outcome != ready.asked.outcome:
        return False
    try:
        return asked.sweep(settings) == ready.sweep
    except ConfigError:
        return False


def _pick(place: int) -> None:
    ready = READY[place]
    desk.sit(desk.kind_of(ready.sweep.base.problem))
    shared_settings.adopt(ready.settings)
    take(ready.asked)
    st.session_state["sweep cell"] = ""


def take(asked: Asked) -> None:
    """Show what is asked for in the widgets."""
    state = st.session_state
    state["sweep asked"] = asked
    for place in range(MOST_AXES):
        name, text = asked.axes[place] if place < len(asked.axes) else ("", "")
        state[f"swept axis {place}"], state[f"swept values {place}"] = name, text
    state["swept outcome"], state["swept network"] = asked.outcome, asked.network
    state[f"swept level {asked.outcome}"] = asked.level
    state["swept mode"], state["swept seeds"] = asked.mode, asked.seeds
    state["swept view"] = "Lines" if asked.lines else "Map"


def most_runs() -> int:
    """The most runs that a sweep may have on this server."""
    text = os.environ.get(LIMIT, "")
    return int(text) if text.isdecimal() else USUAL_LIMIT


def sweep() -> tuple[Sweep | None, Asked]:
    """The widgets, and the sweep that they make; None after saying what is wrong."""
    asked: Asked = st.session_state["sweep asked"]
    with st.sidebar, st.container(key="swept", gap="small"):
        axes = [_axis(place, asked) for place in range(MOST_AXES)]
        asked = _outcome(asked, tuple(axis for axis in axes if axis))
        _shared(asked)
    st.session_state["sweep asked"] = asked
    try:
        made = asked.sweep(shared_settings.settings())
        made.check_limit(most_runs())
    except ConfigError as error:
        for sentence in dict.fromkeys(error.problems.values()):
            st.error(raised(sentence), icon=":material/tune:")
        return None, asked
    return made, asked


def _shared(asked: Asked) -> None:
    """The settings that all runs share, without those that are axes."""
    names = {name for name, _ in asked.axes}
    names |= {"init_scale"} if names & {*DERIVED} else set()
    names |= {"alpha_original"} if asked.network != "original" else set()
    try:
        chosen(Config.from_dict(shared_settings.settings()), names)
    except ConfigError as error:
        st.error(str(error), icon=":material/tune:")


def _axis(place: int, asked: Asked) -> tuple[str, str] | None:
    """The menu of settings for one axis, and its values."""
    before = asked.axes[place] if place < len(asked.axes) else ("", "")
    name_key, text_key = f"swept axis {place}", f"swept values {place}"
    options = [*([""] if place else []), *_offered(before[0])]
    st.session_state.setdefault(name_key, before[0])
    name = st.selectbox(
        "Lines" if place == 1 and asked.lines else PLACES[place],
        options,
        key=name_key,
        format_func=_heading,
        on_change=_suggest,
        args=(place,),
        help=_about(st.session_state[name_key]),
    )
    if not name:
        return None
    st.session_state.setdefault(text_key, before[1] or usual_values(name))
    words = f"Values of {_heading(name)}"
    text = st.text_input(words, key=text_key, label_visibility="collapsed")
    try:
        st.caption(raised(_told(Axis.read(name, text))), help=SPACINGS)
    except ConfigError:
        st.caption("These values cannot be used.", help=SPACINGS)
    return name, text


def _offered(given: str) -> list[str]:
    """The settings that can be an axis, the most telling first."""
    read_by = traits.problem(shared_settings.settings()["problem"]).reads
    classes = desk.kind() == "classes"
    names = [
        name
        for name, about in {**SETTINGS, **DERIVED}.items()
        if name not in (*NO_AXIS, *(shared_settings.OF_MATRICES if classes else ()))
        and about.group != "seeds"
        and not about.example
        and (about.group != "problem" or name in read_by)
    ]
    names += [given] * (given not in ("", *names))
    return sorted(names, key=lambda name: FIRST.index(name) if name in FIRST else len(FIRST))


def _setting(name: str) -> Any:
    return DERIVED.get(name) or SETTINGS.get(name)


def _heading(name: str) -> str:
    about = _setting(name)
    return about.heading if about else (name or "none")


def _about(name: str) -> str | None:
    about = _setting(name)
    return raised(about.describe()) if about else None


def _suggest(place: int) -> None:
    """Another setting has other values."""
    name = st.session_state[f"swept axis {place}"]
    st.session_state[f"swept values {place}"] = usual_values(name) if name else ""


def usual_values(name: str) -> str:
    """Values that a setting has as an axis at first: around the one that is chosen now."""
    if name in USUAL and desk.kind() == "matrices":
        return USUAL[name]
    about = _setting(name)
    if about.choices:
        return ",".join(about.offered)
    now = shared_settings.settings().get(name, about.default)
    found = [now * factor for factor in (0.25, 0.5, 1, 2, 4)]
    if not now:
        found = [0, *(step * min(1, about.high) for step in (0.1, 0.2, 0.5))]
    kept = []
    for value in found:
        try:
            kept.append(shown(about.check(round(value) if about.type is int else value)))
        except ValueError:
            continue
    return ",".join(dict.fromkeys(kept))


def _told(axis: Axis) -> str:
    """The values in short: ``9 values: 0.1, 0.2, … 0.9``."""
    texts = [text_of(value) for value in axis.values]
    few = texts if len(texts) <= 5 else [*texts[:3], "…", texts[-1]]
    return f"{count(len(texts), 'value')}: {', '.join(few)}"


def _outcome(asked: Asked, axes: tuple[tuple[str, str], ...]) -> Asked:
    """What is measured, of which network, and over how many seeds."""
    names, classes = _outcomes(), desk.kind() == "classes"
    first = asked.outcome if asked.outcome in names else names[0]
    st.session_state.setdefault("swept outcome", first)
    outcome = st.selectbox("Outcome", names, key="swept outcome", format_func=_meaning)
    network = asked.network
    if not outcome.startswith(SPEED):
        network = _network(asked.network, classes)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        measure = OUTCOMES[outcome]
        level, mode = asked.level, asked.mode
        if measure.level is not None:
            start = asked.level if outcome == asked.outcome else usual_level(outcome)
            label = "The accuracy" if outcome in OF_CLASSES else "The error"
            level = number(label, f"swept level {outcome}", start, _above_zero, width=110)
        if measure.modes:
            mode = int(number("Mode", "swept mode", asked.mode, between("Mode", 1, 500),
                              whole=True, width=90))  # fmt: skip
        seeds = int(
            number(
                "Seeds N",
                "swept seeds",
                asked.seeds,
                between("Seeds", 1, MOST_SEEDS),
                whole=True,
                width=90,
                help="Runs a cell, each with other draws; medians are shown.",
            )
        )
    return Asked(axes, outcome, level, network, mode, seeds, asked.lines)


def _outcomes() -> list[str]:
    """The outcomes that the problems of this kind have."""
    return [name for name in OUTCOMES if (name in OF_CLASSES) == (desk.kind() == "classes")]


def _meaning(outcome: str) -> str:
    return OUTCOMES[outcome].meaning.partition(":")[0]


def _network(given: str, classes: bool) -> str:
    """The menu of networks that the problem can train."""
    names = [
        name
        for name in SETTINGS["networks"].offered
        if classes or not traits.network(name).classifies
    ]
    names += [given] * (given not in names)
    st.session_state.setdefault("swept network", given)
    return st.selectbox(
        "Of the network",
        names,
        key="swept network",
        format_func=lambda name: choices("networks")[name].partition(":")[0],
    )


def _above_zero(value: float) -> float:
    if not value > 0:
        raise ValueError(f"It must be above 0; {value:g} was given.")
    return value


def view(sweep: Sweep, asked: Asked) -> Asked:
    """The choice between a map and lines, where there are two axes or three."""
    if len(sweep.axes) < 2:
        return asked
    st.session_state.setdefault("swept view", "Lines" if asked.lines else "Map")
    picked = st.segmented_control(
        "View",
        ("Map", "Lines"),
        key="swept view",
        required=True,
        label_visibility="collapsed",
        width="content",
    )
    asked = dataclasses.replace(asked, lines=picked == "Lines")
    st.session_state["sweep asked"] = asked
    return asked
