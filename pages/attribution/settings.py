"""Settings of an attribution: seeds, the error to reach, and two switches that make it fair."""

import streamlit as st

from dynamics.core import description
from dynamics.core.config import Config
from dynamics.core.words import raised
from dynamics.findings.attribution import LEVELS, MOST_SEEDS
from pages.shared import address
from pages.shared import settings as shared_settings
from pages.shared.settings import adopt

SEEDS = 5
LEVEL = "1e-3"


def read_address() -> None:
    """Adopt settings, seeds and level from an address that is new."""
    asked = dict(st.query_params)
    if not address.is_new(asked, "ladder address") and "ladder seeds" in st.session_state:
        return
    query = dict(asked)
    if not asked:  # the menu of pages leads here without the address that the page had
        before = st.session_state.get("ladder address", {})
        query = {name: before[name] for name in ("seeds", "level") if name in before}
    seeds = query.pop("seeds", str(SEEDS))
    level = query.pop("level", LEVEL)
    wrong = []
    if not (seeds.isascii() and seeds.isdigit() and 1 <= int(seeds[:9]) <= MOST_SEEDS):
        wrong.append(f"seeds must be a whole number from 1 to {MOST_SEEDS}; {seeds[:20]!r} was "
                     f"given. {SEEDS} is shown instead.")  # fmt: skip
        seeds = str(SEEDS)
    if level not in LEVELS:
        wrong.append(f"level must be one of {', '.join(LEVELS)}; {level[:20]!r} was given. "
                     f"{LEVEL} is shown instead.")  # fmt: skip
        level = LEVEL
    st.session_state["ladder seeds"] = int(seeds)
    st.session_state["ladder level"] = level
    query.pop("version", None)
    if query:
        adopt(query)
        wrong += st.session_state.pop("wrong", [])
    for sentence in wrong:
        st.warning(sentence, icon=":material/link_off:")
    address.taken(asked, "ladder address")


def write_address(config: Config, seeds: int, level: str) -> None:
    """Put settings, seeds and level into the address."""
    query = description.differences(config, None) | {"seeds": str(seeds), "level": level}
    address.put(query, "ladder address")


def settings() -> Config:
    """The settings of the first page, with the networks of an attribution."""
    values = shared_settings.settings() | {"networks": Config().to_dict()["networks"]}
    return Config.from_dict(values)


def chosen(config: Config) -> None:
    """A line of settings, and a link to the page that changes them."""
    rows, cols = config.shape
    parts = [
        f"{config.problem.capitalize()}, {rows} × {cols}",
        f"L = {config.depth}",
        f"r̂ = {config.rank_bound}",
        f"α = {config.alpha:g}",
        f"α₀ = {config.alpha_original:g}",
        f"ε = {config.init_scale:g}",
        f"η = {config.learning_rate:g}",
    ]
    # Without spaces inside a part, a line breaks only between two parts.
    words = " · ".join(part.replace(" ", "\u00a0") for part in parts)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(raised(words), width="content")
        st.page_link(
            "pages/1_Side_by_side.py",
            label="Change settings",
            icon=":material/tune:",
            query_params=description.differences(config, None),
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
    same_margin = st.session_state["ladder margin"]
    if same_alpha != (values["alpha_original"] == values["alpha"]):
        values["alpha_original"] = values["alpha"] if same_alpha else 1.0
    adopt(values | {"equal": "margin" if same_margin else "rate"})
