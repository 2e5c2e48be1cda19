"""Attribution: how much of the compressed network's lead comes from each cause."""

import streamlit as st

from dynamics.findings import attribution, causes
from pages.attribution import results, settings
from pages.shared.chosen import chosen

MATRICES = (
    "Three things distinguish the compressed network from the original: it **starts** at singular "
    "vectors, it is **narrow**, and its outer factors move by **α** times η instead of α₀ times η. "
    "This page trains all combinations of the three on the same matrices. What each saves is its "
    "mean over all orders in which they can be made, so that together they are the whole lead."
)
CLASSES = (
    "The published wide head is evaluated **layer by layer**. Four things lead from it to the "
    "compressed head: multiplied out first, it is **one matrix**, the same steps but for rounding; "
    "it is **narrow**; it **starts** at what the first gradient asks for; and its outer factors "
    "move by **α** times η, if α is not α₀. This page trains a network for each, on the same "
    "images, and a **plain layer** beside them, which the compressed head is to beat."
)

settings.read_address()
config = settings.settings()
classes = bool(config.contents)

st.title("What makes it faster?", anchor=False)
st.caption(CLASSES if classes else MATRICES)
chosen(config)
if classes and (why := causes.refusal(config)):
    st.info(why)
    st.stop()
with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
    settings.switches(config)
    seeds = settings.seeds()
    level = settings.level(config)
configs = (causes.ladder if classes else attribution.ladder)(config, seeds)
settings.write_address(config, seeds, level)
results.show(config, configs, level)
