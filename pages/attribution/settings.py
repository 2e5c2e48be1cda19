"""Settings of an attribution: seeds, what is to be reached, and two switches for fairness."""

import streamlit as st

from dynamics.core import description
from dynamics.core.config import SETTINGS, Config, choices
from dynamics.core.words import raised
from dynamics.findings import causes, outcomes
from dynamics.findings.attribution import LEVELS, MOST_SEEDS, STOP
from pages.shared import address
from pages.shared import settings as shared_settings
from pages.shared.session import desk
from pages.shared.settings import adopt

SEEDS = 5
LEVEL = "1e-3"
HIGHEST = ""  # the level of classes that no address names
ACCURACIES = (HIGHEST, *map(str, outcomes.LEVELS))


def read_address() -> None:
    """Adopt settings, seeds and level from an address that is new.

    An address tells by its problem whether classes are told apart. Without one, the page has the
    settings of the page with networks that was shown last.
    """
    asked = dict(st.query_params)
    if not address.is_new(asked, "ladder address") and "ladder seeds" in st.session_state:
        return
    if asked:
        problem = asked.get("problem", SETTINGS["problem"].default)
        desk.sit(desk.kind_of(problem) if problem in choices("problem") else desk.kind())
    query = dict(asked)
    if not asked:  # the menu of pages leads here without the address that the page had
        before = st.session_state.get("ladder address", {})
        query = {name: before[name] for name in ("seeds", "level") if name in before}
    seeds = query.pop("seeds", str(SEEDS))
    levels, usual = _levels()
    level = query.pop("level", usual)
    wrong = []
    if not (seeds.isascii() and seeds.isdigit() and 1 <= int(seeds[:9]) <= MOST_SEEDS):
        wrong.append(f"seeds must be a whole number from 1 to {MOST_SEEDS}; {seeds[:20]!r} was "
                     f"given. {SEEDS} is shown instead.")  # fmt: skip
        seeds = str(SEEDS)
    if level not in levels:
        offered = ", ".join(filter(None, levels))
        wrong.append(f"level must be one of {offered}; {level[:20]!r} was given. "
                     f"{usual or 'The highest that all reach'} is shown instead.")  # fmt: skip
        level = usual
    st.session_state["ladder seeds"] = int(seeds)
    st.session_state["ladder level"] = level
    query.pop("version", None)
    if query:
        adopt(query)
        wrong += st.session_state.pop("wrong", [])
    for sentence in wrong:
        st.warning(sentence, icon=":material/link_off:")
    address.taken(asked, "ladder address")


def _levels() -> tuple[tuple[str, ...], str]:
    """What the menu of levels offers, and what it shows at first."""
    return (ACCURACIES, HIGHEST) if desk.kind() == "classes" else (LEVELS, LEVEL)


def write_address(config: Config, seeds: int, level: str) -> None:
    """Put settings, seeds and level into the address."""
    query = description.differences(config, None) | {"seeds": str(seeds)}
    address.put(query | ({"level": level} if level else {}), "ladder address")


def settings() -> Config:
    """The settings of the page with networks, with the usual networks if there is a lead to split.

    An attribution trains networks of its own.
    """
    values = shared_settings.settings()
    if desk.kind() == "classes" and causes.refusal(chosen := Config.from_dict(values)):
        return chosen
    usual = Config.from_dict({"problem": values["problem"], "dataset": values["dataset"]})
    return Config.from_dict(values | {"networks": usual.to_dict()["networks"]})


def seeds() -> int:
    """A slider for the number of seeds."""
    return st.slider(
        "Seeds",
        1,
        MOST_SEEDS,
        key="ladder seeds",
        width=150,
        help="Each seed draws everything anew. Bars show medians; with five seeds or more also "
        "quartiles, with fewer a circle for each seed.",
    )


def level(config: Config) -> str:
    """A menu for the error, or the accuracy, until which costs are counted."""
    if config.contents:
        return st.selectbox(
            "Measured until the accuracy is",
            ACCURACIES,
            key="ladder level",
            width=235,
            format_func=lambda level: (
                f"{100 * float(level):g} %" if level else "the highest that all reach"
            ),
            help="Costs are counted until a network first had this accuracy on held-out images, to "
            "within one record.",
        )
    return st.selectbox(
        "Measured until the error is",
        LEVELS,
        key="ladder level",
        width=195,
        format_func=lambda level: (
            "the stop at train loss" if level == STOP else raised(f"‖W − M*‖/‖M*‖ ≤ {level}")
        ),
        help="Costs are counted until a network first reached this error, to within one record.",
    )


def switches(config: Config) -> None:
    """Two switches that make the comparison fair."""
    st.session_state["ladder alpha"] = config.alpha_original == config.alpha
    st.session_state["ladder margin"] = config.equal == "margin"
    with st.container(width="content", gap="small"):
        st.toggle(
            "Same α for both",
            key="ladder alpha",
            on_change=_switch,
            disabled=config.alpha == 1 == config.alpha_original,
            help="The original moves its outer factors by αη as well, not by α₀η; in the paper "
            "α₀ is 1.",
        )
        if config.contents:  # no stability limit is known there
            return
        st.toggle(
            "Same stability margin",
            key="ladder margin",
            on_change=_switch,
            help="A larger α is nearly a larger step, a smaller α a smaller one. This takes "
            "η·α^(−2/L) in place of η, with α₀ for networks without α, so that all move at the "
            "same share of their own stability limit η*.",
        )


def _switch() -> None:
    values = dict(shared_settings.settings())
    same_alpha = st.session_state["ladder alpha"]
    margin = "margin" if st.session_state["ladder margin"] else "rate"
    if same_alpha != (values["alpha_original"] == values["alpha"]):
        values["alpha_original"] = values["alpha"] if same_alpha else 1.0
    adopt(values | {"equal": margin})
