"""Attribution: how much of the compressed network's lead comes from each cause."""

import streamlit as st

from dynamics.core.words import raised
from dynamics.findings import attribution
from pages.attribution import results, settings

settings.read_address()
config = settings.settings()

st.title("What makes it faster?", anchor=False)
st.caption(
    "Three things distinguish the compressed network from the original: it **starts** at singular "
    "vectors, it is **narrow**, and its outer factors move by **α** times η instead of α₀ times η. "
    "This page trains all combinations of the three on the same matrices. What each saves is its "
    "mean over all orders in which they can be made, so that together they are the whole lead."
)
settings.chosen(config)
with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
    settings.switches(config)
    seeds = st.slider(
        "Seeds",
        1,
        attribution.MOST_SEEDS,
        key="ladder seeds",
        width=150,
        help="Each seed draws everything anew. Bars are medians. From five seeds on there are "
        "quartiles, with fewer every seed is a circle.",
    )
    level = st.selectbox(
        "Measured until the error is",
        attribution.LEVELS,
        key="ladder level",
        width=195,
        format_func=lambda level: (
            "the stop at train loss"
            if level == attribution.STOP
            else raised(f"‖W − M*‖/‖M*‖ ≤ {level}")
        ),
        help="Costs are counted until a network first reached this error, to within one record.",
    )
configs = attribution.ladder(config, seeds)
settings.write_address(config, seeds, level)
results.show(config, configs, level)
