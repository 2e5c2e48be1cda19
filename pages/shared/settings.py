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
from dynamics.core.contents import SPARE, contents, shape
from dynamics.core.description import text_of
from dynamics.core.words import raised
from dynamics.data import dataset as datasets
from dynamics.data import imported
from dynamics.data.folder import DataError
from dynamics.data.published import DRAWN
from pages.shared import guess
from pages.shared.hiding import hidden
from pages.shared.number import number as number_box
from pages.shared.session import desk, owned

FIRST: dict[desk.Kind, tuple[str, ...]] = {  # what is never folded
    "matrices": ("depth", "rank_bound", "alpha", "init_scale", "learning_rate"),
    "classes": (
        *("backbone", "backbone_rate", "depth", "rank_bound", "init_scale", "learning_rate"),
    ),
}
# What decides nothing where classes are told apart, or has only one value there.
OF_MATRICES = ("rate_unit", "equal")
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
RATES_OF_CLASSES = (-4, 0)  # powers of ten of η: cross-entropy has no small unit
# The step of each slider that ends at 1, or at the largest value if that is less.
SHARES = {
    "observed": 0.01,
    "input_correlation": 0.05,
    "backbone_rate": 0.05,
    "label_noise": 0.05,
    "validation": 0.05,
}
BOX = 84  # pixels of a number's box beside its slider
HELP_OF_CLASSES = {  # what a setting means where classes are told apart
    "depth": "Number of matrices in the head: the more, the longer a small start waits",
    "rank_bound": "Width of the compressed and the narrow head: 3 tell ten classes apart nearly as "
    "well as 10; above the number of classes the first gradient has nothing to start from",
    "init_scale": "Size of the head's first matrices: small, and one mode is learned after "
    "another; near 1, and all at once",
    "sharpness": "At how many moments the loss's largest curvature λ_max is measured; each costs "
    "seconds; 0 measures none",
    "width": "Width of the original head; 0 makes it as wide as the features",
}


def settings() -> dict[str, Any]:
    """All settings: as the widgets have them, or as the last visit to the first page left them."""
    if "settings" not in st.session_state:
        st.session_state["settings"] = Config.from_dict(_usual()).to_dict()
    shown: dict[str, Any] = st.session_state["settings"]
    return shown


def _usual() -> dict[str, Any]:
    """The problem that a page shows at first; the default problem if the page offers it."""
    offered = desk.problems()
    default = SETTINGS["problem"].default
    return {"problem": default if default in offered else offered[0]}


def adopt(values: Mapping[str, Any]) -> None:
    """Show these settings in the widgets; missing settings take what their problem suggests.

    A setting that cannot be run takes its suggested value too, and one sentence warns of it.
    """
    config, wrong = _nearest(values)
    owned.learn(config)
    st.session_state["settings"] = config.to_dict()
    st.session_state["wrong"] = [
        f"{sentence} {_instead(config, name)}" for name, sentence in wrong.items()
    ]
    desk.forget_widgets()


def _nearest(values: Mapping[str, Any]) -> tuple[Config, dict[str, str]]:
    """The Config of the settings that can be run, and a sentence for each that cannot."""
    problem = values.get("problem")
    if problem in choices("problem") and problem not in desk.problems():
        config, wrong = _nearest({})
        return config, wrong | {"problem": f"{problem} belongs to another page."}
    try:
        return Config.from_dict(_usual() | dict(values)), {}
    except ConfigError as error:
        kept = {name: value for name, value in values.items() if name not in error.problems}
        # If no given setting is at fault, a suggested one does not fit them: then none is kept.
        config, wrong = _nearest(kept if len(kept) < len(values) else {})
        return config, wrong | error.problems


def _instead(config: Config, name: str) -> str:
    shown = getattr(config, name, "")  # `changes` is an empty text if nothing changes
    return "It is left out." if shown == "" else f"{shown} is shown instead."


def sidebar() -> Config | None:
    """Draw all widgets; returns their Config, or None after showing what is wrong."""
    if rank := guess.found():
        values = settings()
        adopt(values | {"rank_bound": min(rank + SPARE, values["rows"], values["cols"])})
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
    for name in FIRST[desk.kind()]:
        _widget(name, values)
        if name == "rank_bound":
            guess.offer(values)
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
    left_out = {"problem", *FIRST[desk.kind()]} | (set(PROBLEM_SETTINGS) - set(read))
    if desk.kind() == "classes":
        left_out |= {*OF_MATRICES}
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
        _offered(values["problem"]),
        key=_seeded("problem", values["problem"]),
        format_func=lambda name: choices("problem")[name].partition(":")[0],
        help="What the networks learn. Another problem brings settings that suit it.",
        on_change=_suggest,
    )
    words = choices("problem")[values["problem"]].partition(": ")[2]
    st.caption(f"{words[0].upper()}{words[1:]}.")
    with st.popover(
        "Your own data", icon=":material/upload:", width="stretch", on_change="rerun"
    ) as opened:
        if not opened.open:
            return
        if desk.kind() == "classes":
            words = "An .npz file with the arrays images and labels"
            more = "NumPy's savez writes one. docs/settings.md has which arrays fit."
            endings = datasets.ENDINGS["images"]
        else:
            words = "A picture, a matrix with gaps (CSV, NPY), or ratings: user, item, rating"
            more = "A picture is kept grey and small. Only whoever has a link to it finds the data."
            endings = (*datasets.ENDINGS["picture"], *datasets.ENDINGS["matrix"])
        types = [ending.removeprefix(".") for ending in endings]
        st.file_uploader(words, types, key="upload", on_change=_import, help=more)


def _offered(shown: str) -> list[str]:
    """The problems of the page; those that read a data set only once one was imported."""
    return [
        name
        for name in desk.problems()
        if name == shown or not traits.problem(name).data or _imports(name)
    ]


def _imports(problem: str) -> list[str]:
    """The data sets that this viewer may choose for a problem.

    Images are everybody's; a picture or a matrix is theirs who know it.
    """
    kind = traits.problem(problem).data
    if kind == "images":
        return imported.names()
    return [dataset for dataset in owned.known() if datasets.kind(dataset) == kind]


def _import() -> None:
    """Import what was uploaded and show it; one sentence if it cannot be used."""
    file = st.session_state.get("upload")
    if file is None:
        return  # it was taken back
    try:
        dataset = datasets.keep(file, file.name)
    except DataError as error:
        st.session_state["wrong"] = [str(error)]
    else:
        problem = datasets.PROBLEMS[datasets.kind(dataset)]
        adopt({"problem": problem, "dataset": dataset} | _seeds())


def _seeds() -> dict[str, Any]:
    return {name: value for name, value in settings().items() if _group(name) == "seeds"}


def _suggest() -> None:
    problem = st.session_state.get("problem")
    if problem in (None, settings()["problem"]):
        return  # the menu shows what was adopted; nobody chose anything
    named = {"dataset": _imports(problem)[0]} if traits.problem(problem).data else {}
    adopt({"problem": problem} | named | _seeds())


def _widget(name: str, values: dict[str, Any]) -> None:
    """The widget of one setting; it keeps ``values[name]`` up to date."""
    if name == "networks":
        values[name] = _networks(values[name])
    elif name == "changes":
        key = _seeded(name, values[name])
        values[name] = st.text_input(SETTINGS[name].heading, key=key, help=_help(name))
    elif name == "dataset":
        names = sorted({*_imports(values["problem"]), values[name]})
        key = _seeded(name, values[name])
        values[name] = st.selectbox(SETTINGS[name].heading, names, key=key, help=_help(name))
    elif choices(name):
        key = _seeded(name, values[name])
        values[name] = st.selectbox(
            SETTINGS[name].heading,
            list(choices(name)),
            key=key,
            format_func=_called if name == "backbone" else str,
            help=_help(name),
        )
    elif name in DECADES:
        values[name] = _decades(name, values[name])
    elif name in SLIDER_TOP or name in SHARES:
        values[name] = _slider(name, values)
    else:
        values[name] = _box(name, name, values[name])


def _called(backbone: str) -> str:
    """A backbone and what it is made of."""
    return choices("backbone")[backbone]


def _networks(text: str) -> str:
    # An exact simulation is offered only if an old link or run has it, so that it can be removed.
    offered = SETTINGS["networks"].offered
    if desk.kind() == "matrices":
        offered = {name: words for name, words in offered.items() if not _only_classes(name)}
    shown = {*offered, *text.split(",")}
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


def _only_classes(network: str) -> bool:
    return traits.network(network).classifies


def _slider(name: str, values: Mapping[str, Any]) -> float:
    """A slider for a number; a rank or width never exceeds the matrix's smaller side."""
    about = SETTINGS[name]
    value = values[name]
    if name in SHARES:
        step = SHARES[name]
        low = min(step, value) if about.above else 0.0
        key = _seeded(name, value)
        high = max(min(1.0, about.high), value)
        return st.slider(about.heading, low, high, step=step, key=key, help=_help(name))
    high = min(about.high, max(SLIDER_TOP[name], value))
    if name == "rank_bound" and (known := contents(values["problem"], values["dataset"])):
        high = min(about.high, max(2 * known.classes, value))
    elif name != "depth":
        fixed = shape(values["problem"], values["dataset"])
        high = min(high, *(fixed or (values["rows"], values["cols"])))
    if value > high:
        st.toast(f"{about.heading} is now {high}: it cannot exceed the matrix's smaller side.")
    key = _seeded(name, min(value, high), most=high)
    return st.slider(SETTINGS[name].heading, int(about.low), int(high), key=key, help=_help(name))


def _decades(name: str, value: float) -> float:
    """A slider over 1, 2 and 5 of each decade, and a box for any number in between."""
    low, high = DECADES[name]
    if name == "learning_rate" and desk.kind() == "classes":
        low, high = RATES_OF_CLASSES
    digits = (1,) if name == "tolerance" else (1, 2, 5)
    steps = {float(f"{digit}e{power}") for power in range(low, high) for digit in digits}
    steps |= {10.0**high, st.session_state.get(name, value)}
    if name == "tolerance":
        steps.add(0.0)
    number = f"{name} number"
    # Not columns, which are a message each.
    with st.container(horizontal=True, vertical_alignment="bottom", wrap=False):
        st.select_slider(
            SETTINGS[name].heading,
            sorted(steps),
            key=_seeded(name, value),
            format_func=lambda value: raised(text_of(value)),
            help=_help(name),
            on_change=_copy,
            args=(name, number),
        )
        typed = _box(name, number, value, on_change=_copy, args=(number, name), width=BOX)
    return float(typed)


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
    if desk.kind() == "classes" and name in HELP_OF_CLASSES:
        return f"{HELP_OF_CLASSES[name]}."
    return f"{about.meaning if about.choices else raised(about.describe())}."
