"""Charts: the choice of a run's charts."""

from collections.abc import Sequence

import streamlit as st

from dynamics.core import registry, traits
from dynamics.core.config import Config
from dynamics.core.sizes import widths
from dynamics.core.words import title
from dynamics.draw.panel import NUMBERS
from dynamics.runs.run import Run

# Each network has its own panel of these charts.
EACH = (
    "singular_values",
    "factor_singular_values",
    "overlaps",
    "spectrum_over_time",
    "inner_coordinates",
    "update_angles",
    "updates",
)
WITH_TARGET = ("singular_values", "principal_angles", "recovery_error")
RATED = ("stars", "singular_values", "losses")
WITHOUT = ("singular_values", "losses")
PICTURE = ("picture", "psnr", "singular_values", "ssim")
TABLE = ("singular_values", "item_similarity", "heat_maps")
WATCHED = ("losses", NUMBERS, "singular_values")
# Of these a program may mean something else than the charts of their names say.
CHARTED_AS_GIVEN = ("accuracy", "sharpness", "recovery_error")
MOST_NUMBERS = 12  # charts of numbers that a program gave
OF_CLASSES = ("accuracy", "losses", "singular_values", "confusion")


def usual(config: Config) -> Sequence[str]:
    """The charts of a run unless the viewer chooses others."""
    if config.watched:
        return WATCHED
    problem = traits.problem(config.problem)
    if problem.classifies:
        return ("inner_coordinates", *OF_CLASSES) if _in_a_picture(config) else OF_CLASSES
    if problem.picture:
        return PICTURE
    if problem.table:
        return TABLE
    if problem.rated:
        return RATED
    return WITH_TARGET if problem.target_known else WITHOUT


def offered(run: Run, picked: Sequence[str] = ()) -> dict[str, str]:
    """The charts for which the run has numbers, and the picked ones, described.

    Before the run's first record it is all charts.
    """
    recorded = {name for shape in run.layout.shapes.values() for name in shape}
    if run.watched:
        return _of_watched(run, recorded)
    return {
        name: words
        for name, words in registry.options("charts").items()
        if not recorded or name in picked or set(traits.chart(name).needs) <= recorded
    }


def _of_watched(run: Run, recorded: set[str]) -> dict[str, str]:
    """The charts of the matrices, of the losses, and one for each other number that was given."""
    given = {*numbers(run), *CHARTED_AS_GIVEN}
    charts = {
        name: words
        for name, words in registry.options("charts").items()
        if not given & {*traits.chart(name).needs}
        and (not recorded or {*traits.chart(name).needs} <= recorded)
    }
    return charts | {NUMBERS: "A chart of each number that the program gave, but the losses."}


def numbers(run: Run) -> list[str]:
    """The numbers that a program gave by name, but its losses, which have a chart together."""
    if not run.watched:
        return []
    given = run.layout.shapes.get(run.config.networks[0], {})
    return [name for name in given if name not in ("train_loss", "test_loss")]


def adopt(names: str) -> list[str]:
    """Take the charts that an address names; returns a sentence for each that does not exist."""
    asked = [name for name in names.split(",") if name]
    existing = [*registry.options("charts"), NUMBERS]
    st.session_state["asked charts"] = [name for name in asked if name in existing]
    unknown = [name for name in asked if name not in existing]
    return [f"There is no chart {name[:40]!r}; the menu Charts lists them all." for name in unknown]


def chosen(run: Run) -> list[str]:
    """The picked charts: at first those of the address, else the usual ones."""
    key = f"charts {usual(run.config)}"
    if "asked charts" in st.session_state:
        st.session_state[key] = st.session_state.pop("asked charts") or list(usual(run.config))
    return list(st.session_state.setdefault(key, list(usual(run.config))))


def query(run: Run) -> dict[str, str]:
    """The part of an address that names the charts of a run."""
    picked = chosen(run)
    return {"charts": ",".join(picked)} if sorted(picked) != sorted(usual(run.config)) else {}


def menu(run: Run) -> None:
    """The choice of a run's charts, with a sentence on each that is picked."""
    picked = chosen(run)
    options = offered(run, picked)
    key = f"charts {usual(run.config)}"
    # Set at every rerun: a closed popover has no widgets in the browser that could keep it.
    st.session_state[key] = picked
    picked = st.pills(
        "Charts",
        list(options),
        selection_mode="multi",
        format_func=title,
        key=key,
    )
    for name in picked:
        st.caption(options[name].replace("‖_F", "‖"))


def panels(figures: Sequence[str], config: Config, given: Sequence[str] = ()) -> list[str]:
    """The panels of these charts, the most telling first; panels of one chart stand together.

    ``given`` are the ``numbers`` of a run that another program trains.
    """
    names: list[str] = []
    for name in sorted(figures, key=[*registry.options("charts"), NUMBERS].index):
        if name == NUMBERS:
            names += [f"{NUMBERS}/{number}" for number in given[:MOST_NUMBERS]]
            continue
        shown: Sequence[str]
        shown = _in_a_picture(config) if name == "inner_coordinates" else config.networks
        shown = shown[1:] if config.watched else shown  # the first has numbers, and no matrix
        names += [f"{name}/{network}" for network in shown] if name in EACH else [name]
    first = usual(config)
    return sorted(names, key=lambda panel: _place(panel.partition("/")[0], first))


def _in_a_picture(config: Config) -> list[str]:
    """The networks in which all that is left of an image is a point in a plane or in space."""
    hidden = {network: widths(config, network)[1:-1] for network in config.networks}
    return [network for network, sides in hidden.items() if sides and sides[0] in (2, 3)]


def _place(chart: str, first: Sequence[str]) -> int:
    return first.index(chart) if chart in first else len(first)
