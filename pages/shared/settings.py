"""Settings: the widgets of the sidebar, and the Config that they make.

``address`` puts the same settings into the page's address: each one that differs from the shown
run or, without a run, from what the problem suggests. Whoever opens it finds the same page.
"""

import math
from collections.abc import Mapping
from typing import Any

import streamlit as st

from dynamics.core import traits
from dynamics.core.config import PROBLEM_SETTINGS, SETTINGS, Config, ConfigError, choices
from dynamics.core.description import text_of
from dynamics.core.words import raised
from dynamics.data.published import DRAWN
from pages.shared.hiding import hidden
from pages.shared.number import number as number_box

FIRST = ("depth", "rank_bound", "alpha", "init_scale")
FOLDED = {
    "problem": "The problem",
    "network": "The networks",
    "training": "Training",
    "seeds": "Random seeds",
}
SLIDER_TOP = {"depth": 10, "rank": 50, "rank_bound": 60}
DECADES = {  # lowest and highest power of ten of each logarithmic slider
    "init_scale": (-4, 0),
    "learning_rate": (-2, 3),
    "alpha": (-1, 2),
    "alpha_original": (-1, 2),
    "tolerance": (-20, -2),
}


def settings() -> dict[str, Any]:
    """All settings: as the widgets have them, or as the last visit to the first page left them."""
    return st.session_state.setdefault("settings", Config.from_dict({}).to_dict())


def adopt(values: Mapping[str, Any]) -> None:
    """Show these settings in the widgets; missing settings take what their problem suggests.

    A setting that cannot be run takes its suggested value too, and one sentence warns of it.
    """
    config, wrong = _nearest(values)
    st.session_state["settings"] = config.to_dict()
    st.session_state["wrong"] = [
        f"{sentence} {_instead(config, name)}" for name, sentence in wrong.items()
    ]
    for name in SETTINGS:
        for widget in (name, f"{name} number"):
            st.session_state.pop(widget, None)


def _nearest(values: Mapping[str, Any]) -> tuple[Config, dict[str, str]]:
    """The Config of the settings that can be run, and a sentence for each that cannot."""
    problem = values.get("problem")
    if problem in choices("problem") and problem not in _problems():
        config, wrong = _nearest({})
        return config, wrong | {"problem": f"{problem} has no page yet."}
    try:
        return Config.from_dict(values), {}
    except ConfigError as error:
        kept = {name: value for name, value in values.items() if name not in error.problems}
        # If no given setting is at fault, a suggested one does not fit them: then none is kept.
        config, wrong = _nearest(kept if len(kept) < len(values) else {})
        return config, error.problems | wrong


def _instead(config: Config, name: str) -> str:
    shown = getattr(config, name, "")  # `changes` is an empty text if nothing changes
    return "It is left out." if shown == "" else f"{shown} is shown instead."


def sidebar() -> Config | None:
    """Draw all widgets; returns their Config, or None after showing what is wrong."""
    values = settings()
    # These two bound sliders that are drawn before their own boxes, so they are read first.
    for side in ("rows", "cols"):
        values[side] = st.session_state.get(side, values[side])
    if not hidden("settings"):
        with st.sidebar:
            _widgets(values)
    try:
        return Config.from_dict(values)
    except ConfigError as error:
        for sentence in error.problems.values():
            st.error(sentence, icon=":material/tune:")
        return None


def _widgets(values: dict[str, Any]) -> None:
    if not hidden("problem"):
        _problem(values)
    for name in FIRST:
        _widget(name, values)
    for group, title in FOLDED.items():
        if not hidden(group):
            names = [name for name in _visible(values) if _group(name) == group]
            # A folded group is not built, which saves half of a rerun's work and messages.
            with st.expander(title, key=f"fold {group}", on_change="rerun") as fold:
                for name in names if fold.open else ():
                    _widget(name, values)


def _visible(values: Mapping[str, Any]) -> list[str]:
    """The settings that this problem reads and that are not shown at the top already."""
    read = traits.problem(values["problem"]).reads
    left_out = {"problem", *FIRST} | (set(PROBLEM_SETTINGS) - set(read))
    if hidden("changes"):
        left_out.add("changes")
    if values["matrices"] == DRAWN:  # only a paper figure's link chooses published matrices
        left_out.add("matrices")
    return [name for name in SETTINGS if name not in left_out]


def _group(name: str) -> str:
    return SETTINGS[name].group


def _problem(values: dict[str, Any]) -> None:
    """The menu of problems; a different problem brings its own suggestions, and the seeds stay."""
    values["problem"] = st.selectbox(
        "Problem",
        _problems(),
        key=_seeded("problem", values["problem"]),
        format_func=lambda name: choices("problem")[name].partition(":")[0],
        help="What the networks learn. Another problem brings settings that suit it.",
        on_change=_suggest,
    )
    words = choices("problem")[values["problem"]].partition(": ")[2]
    st.caption(f"{words[0].upper()}{words[1:]}.")


def _problems() -> list[str]:
    """The problems of this page: those that recover a matrix."""
    return [name for name in choices("problem") if not traits.problem(name).classifies]


def _suggest() -> None:
    problem = st.session_state.get("problem")
    if problem in (None, settings()["problem"]):
        return  # the menu shows what was adopted; nobody chose anything
    seeds = {name: value for name, value in settings().items() if _group(name) == "seeds"}
    adopt({"problem": problem} | seeds)


def _widget(name: str, values: dict[str, Any]) -> None:
    """The widget of one setting; it keeps ``values[name]`` up to date."""
    if name == "networks":
        values[name] = _networks(values[name])
    elif name == "changes":
        key = _seeded(name, values[name])
        values[name] = st.text_input(SETTINGS[name].heading, key=key, help=_help(name))
    elif choices(name):
        key = _seeded(name, values[name])
        values[name] = st.selectbox(
            SETTINGS[name].heading, list(choices(name)), key=key, help=_help(name)
        )
    elif name in DECADES:
        values[name] = _decades(name, values[name])
    elif name in SLIDER_TOP or name == "observed":
        values[name] = _slider(name, values)
    else:
        values[name] = _box(name, name, values[name])


def _networks(text: str) -> str:
    # An exact simulation is offered only if an old link or run has it, so that it can be removed.
    offered = SETTINGS["networks"].offered
    shown = {name for name in offered if not traits.network(name).classifies} | {*text.split(",")}
    names = sorted(shown, key=lambda name: (name != "original", name))
    picked = st.pills(
        SETTINGS["networks"].heading,
        names,
        selection_mode="multi",
        key=_seeded("networks", text.split(",")),
        format_func=lambda name: choices("networks")[name].partition(":")[0],
        help=_help("networks"),
    )
    return ",".join(picked)


def _slider(name: str, values: Mapping[str, Any]) -> float:
    """A slider for a number; a rank or width never exceeds the matrix's smaller side."""
    about = SETTINGS[name]
    value = values[name]
    if name == "observed":
        key = _seeded(name, value)
        return st.slider(
            SETTINGS[name].heading, min(0.01, value), 1.0, step=0.01, key=key, help=_help(name)
        )
    high = min(about.high, max(SLIDER_TOP[name], value))
    if name != "depth":
        fixed = traits.problem(values["problem"]).shape
        high = min(high, *(fixed or (values["rows"], values["cols"])))
    if value > high:
        st.toast(f"{about.heading} is now {high}: it cannot exceed the matrix's smaller side.")
    key = _seeded(name, min(value, high), most=high)
    return st.slider(SETTINGS[name].heading, int(about.low), int(high), key=key, help=_help(name))


def _decades(name: str, value: float) -> float:
    """A slider over 1, 2 and 5 of each decade, and a box for any number in between."""
    low, high = DECADES[name]
    digits = (1,) if name == "tolerance" else (1, 2, 5)
    steps = {float(f"{digit}e{power}") for power in range(low, high) for digit in digits}
    steps |= {10.0**high, st.session_state.get(name, value)}
    if name == "tolerance":
        steps.add(0.0)
    number = f"{name} number"
    left, right = st.columns([3, 2], vertical_alignment="bottom", wrap=False)
    left.select_slider(
        SETTINGS[name].heading,
        sorted(steps),
        key=_seeded(name, value),
        format_func=lambda value: raised(text_of(value)),
        help=_help(name),
        on_change=_copy,
        args=(name, number),
    )
    with right:
        return float(_box(name, number, value, on_change=_copy, args=(number, name)))


def _box(name: str, key: str, value: Any, **options: Any) -> Any:
    """A box in which a number is typed; beside a decade slider it has no label of its own."""
    about = SETTINGS[name]
    if key == name:
        options["help"] = _help(name)
    else:
        options["label_visibility"] = "collapsed"
    whole = about.type is int
    return number_box(about.heading, key, value, about.check, whole=whole, **options)


def _copy(source: str, goal: str) -> None:
    """Keep the slider and the box of one number equal."""
    # The browser may still report a slider that was replaced by one with different steps; that
    # slider no longer has a value.
    if source in st.session_state:
        st.session_state[goal] = st.session_state[source]


def _seeded(key: str, value: Any, most: float = math.inf) -> str:
    """Give a widget its value, at most ``most``, before it is drawn; returns the widget's key.

    A value that the widget already has takes precedence over ``value``.
    """
    start = st.session_state.get(key, value)
    st.session_state[key] = min(start, most) if most < math.inf else start
    return key


def _help(name: str) -> str:
    """The help text of a setting; a menu's text leaves out the choices, which the menu shows."""
    about = SETTINGS[name]
    return f"{about.meaning if about.choices else raised(about.describe())}."
