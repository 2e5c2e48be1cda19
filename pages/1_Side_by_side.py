"""Side by side: choose the settings, train both networks, watch them."""

import streamlit as st

from dynamics.core import traits
from dynamics.core.config import SEEDS, Config
from dynamics.core.sizes import observed
from dynamics.draw.time_axis import VERSUS
from pages.shared import address, settings
from pages.shared.attempt import invitation
from pages.shared.charts import charts, panels
from pages.shared.charts import chosen as figures
from pages.shared.hiding import hidden
from pages.shared.live.component import live
from pages.shared.networks import overview
from pages.side_by_side.changes import beside, onward, tell
from pages.side_by_side.forecast import expectation, normalised
from pages.side_by_side.presets import PRESETS, Preset
from pages.side_by_side.summary import summary
from pages.side_by_side.transport import share, transport

INTRODUCTION = (
    "Each network is a product of L matrices, $W = W_L \\cdots W_1$. The original network is as "
    "wide as the matrix itself. The compressed network is only r̂ wide and starts at the top "
    "singular vectors of what was observed. Press Train and watch them find the same matrix."
)


def heading(config: Config | None) -> str:
    """What is learned, and by how many networks."""
    if config is None:
        return "Two networks learn one matrix"
    count = len(config.networks)
    number = {1: "One network learns", 2: "Two networks learn"}
    target_known = traits.problem(config.problem).target_known
    matrix = "one matrix" if target_known else f"{observed(config):,.0f} ratings"
    return f"{number.get(count, f'{count} networks learn')} {matrix}"


def chosen_preset() -> Preset | None:
    """The preset that is lit; None if none is."""
    name = st.session_state.get("preset")
    return next((preset for preset in PRESETS if preset.name == name), None)


def pick_preset() -> None:
    """Take over the settings of the chosen preset, and show no run; nothing if it is in force."""
    preset = chosen_preset()
    if preset and not in_force(preset):
        settings.adopt(preset.settings)
        st.session_state["run"] = None


def in_force(preset: Preset) -> bool:
    """Whether the settings are those of the preset; seeds may differ."""
    values = Config.from_dict(preset.settings).to_dict()
    chosen = settings.settings()
    return all(chosen[name] == value for name, value in values.items() if name not in SEEDS)


run = address.read_address()
config = settings.sidebar()

st.title(heading(config), anchor=False)
chosen = None
if not hidden("presets"):
    chosen = chosen_preset()
    if chosen and not in_force(chosen):
        st.session_state["preset"] = chosen = None
    st.pills(
        "Presets",
        [preset.name for preset in PRESETS],
        key="preset",
        on_change=pick_preset,
        label_visibility="collapsed",
    )
if lesson := st.session_state.get("lesson"):
    invitation(lesson)
else:
    st.caption(chosen.look if chosen else INTRODUCTION)
if config and not hidden("pictures"):
    overview(config)
bar = transport(config, run)
if run:
    tell(run)
if config and not hidden("forecast") and not (run and run.key == config.key):
    expectation(config)

seen = None
if run:
    picked = figures(run.config)
    over = st.session_state.get("over", "steps")
    if not hidden("menus"):
        with st.container(horizontal=True, horizontal_alignment="distribute"):
            over = st.segmented_control(
                "Horizontal axis",
                list(VERSUS),
                key="over",
                required=True,
                format_func=str.capitalize,
                label_visibility="collapsed",
            )
            picked = charts(run.config)
    shown = over if over != "normalised" or normalised(run) else "steps"
    failed = not run.layout.shapes and not run.status.live
    seen = live(
        run.key,
        () if failed else panels(picked, run.config),
        shown,
        at=address.asked_step(run),
        theory=not hidden("theory"),
        beside=beside(run),
    )
    if not hidden("changes"):
        with bar:
            onward(run, seen.at)
if config:
    at = seen.at if seen else None
    if not hidden("tools"):
        with bar:
            share(config, address.view(run, at))
    address.write_address(config, run, at)
if run and not hidden("summary"):
    summary(run)
