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
    "vectors, it is **narrow**, and its outer factors move faster by **α**. This page makes the "
    "three changes one at a time, on the same matrices, and measures what each of them saves."
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
        help="Each seed draws everything anew. Bars are medians, error bars quartiles.",
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
