"""Controls: widgets to Config and back, and the page's address as a third view of the same.

The only file that knows both Streamlit and Config. The address holds every setting that is not
as the shown run, or else the problem, has it; whoever opens it finds the same page.
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

FIRST = ("depth", "rank_bound", "alpha", "init_scale")
FOLDED = {
    "problem": "The problem",
    "network": "The networks",
    "training": "Training",
    "seeds": "Random seeds",
}
SLIDER_TOP = {"depth": 10, "rank": 50, "rank_bound": 60}
DECADES = {  # exponents of the sliders of numbers that go over decades
    "init_scale": (-4, 0),
    "learning_rate": (-2, 3),
    "alpha": (-1, 2),
    "alpha_original": (-1, 2),
    "tolerance": (-20, -2),
}


def settings() -> dict[str, Any]:
    """All settings as the widgets have them, on this page or kept from the page's last visit."""
    return st.session_state.setdefault("settings", Config.from_dict({}).to_dict())


def adopt(values: Mapping[str, Any]) -> None:
    """Show these settings in the widgets; those left out as their problem suggests.

    Settings that cannot be run are left at what is suggested, and each is told in one sentence.
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
    """The Config of the settings that can be, and a sentence for each that cannot."""
    try:
        return Config.from_dict(values), {}
    except ConfigError as error:
        kept = {name: value for name, value in values.items() if name not in error.problems}
        # A suggestion may be what does not fit what was asked for: then nothing asked for is kept.
        config, wrong = _nearest(kept if len(kept) < len(values) else {})
        return config, error.problems | wrong


def _instead(config: Config, name: str) -> str:
    shown = getattr(config, name, "")  # no changes are an empty text
    return "It is left out." if shown == "" else f"{shown} is shown instead."


def sidebar() -> Config | None:
    """Draw all widgets; gives the Config they make, or None after saying what is wrong."""
    values = settings()
    for side in ("rows", "cols"):  # what bounds the sliders above them has just been changed
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
            # What is folded away is not built: half of a rerun's work and messages.
            with st.expander(title, key=f"fold {group}", on_change="rerun") as fold:
                for name in names if fold.open else ():
                    _widget(name, values)


def _visible(values: Mapping[str, Any]) -> list[str]:
    """The settings that this problem reads and that are not shown at the top already."""
    read = traits.problem(values["problem"]).reads
    unread = set(PROBLEM_SETTINGS) - set(read) | ({"changes"} if hidden("changes") else set())
    if values["matrices"] == DRAWN:  # published ones come with a paper figure's link
        unread.add("matrices")
    return [name for name in SETTINGS if name not in {"problem", *FIRST, *unread}]


def _group(name: str) -> str:
    return SETTINGS[name].group


def _problem(values: dict[str, Any]) -> None:
    """The menu of problems; another one brings its own suggestions, seeds stay."""
    values["problem"] = st.selectbox(
        "Problem",
        list(choices("problem")),
        key=_seeded("problem", values["problem"]),
        format_func=lambda name: choices("problem")[name].partition(":")[0],
        help="What the networks learn. Another problem brings settings that suit it.",
        on_change=_suggest,
    )
    words = choices("problem")[values["problem"]].partition(": ")[2]
    st.caption(f"{words[0].upper()}{words[1:]}.")


def _suggest() -> None:
    seeds = {name: value for name, value in settings().items() if _group(name) == "seeds"}
    adopt({"problem": st.session_state["problem"]} | seeds)


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
    # An exact simulation is shown where an old link or run has it, so that it can be left out.
    shown = {*SETTINGS["networks"].offered, *text.split(",")}
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
    """A number within its range; the slider ends where the matrix does, or at what is set."""
    about, value = SETTINGS[name], values[name]
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
    steps |= {10.0**high, st.session_state.get(name, value)} | (
        {0.0} if name == "tolerance" else set()
    )
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
    """A number to type; a decade slider's has no label of its own."""
    about, kind = SETTINGS[name], SETTINGS[name].type
    shown: dict[str, Any] = {} if key == name else {"label_visibility": "collapsed"}
    return st.number_input(
        SETTINGS[name].heading,
        min_value=kind(about.low),
        max_value=kind(about.high),
        key=_seeded(key, value),
        help=_help(name) if key == name else None,
        format="%d" if kind is int else "%.6g",
        **shown,
        **options,
    )


def _copy(source: str, goal: str) -> None:
    """Keep the slider and the box of one number equal."""
    # A slider that was replaced by one of other steps may still be heard, and has no value then.
    if source in st.session_state:
        st.session_state[goal] = st.session_state[source]


def _seeded(key: str, value: Any, most: float = math.inf) -> str:
    """Give a widget its value before it is drawn; one that it has already stays."""
    st.session_state[key] = (
        min(st.session_state.get(key, value), most)
        if most < math.inf
        else (st.session_state.get(key, value))
    )
    return key


def _help(name: str) -> str:
    """A menu shows its choices itself."""
    about = SETTINGS[name]
    return f"{about.meaning if about.choices else raised(about.describe())}."
