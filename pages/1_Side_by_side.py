"""Side by side: choose the settings, train both networks, watch them find one matrix."""

from dynamics.core import traits
from dynamics.core.config import Config
from dynamics.core.sizes import observed
from pages.shared.workbench.page import show
from pages.side_by_side.presets import PRESETS

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
    what = "ratings" if config.problem == "movielens" else "entries"
    matrix = "one matrix" if target_known else f"{observed(config):,.0f} {what}"
    return f"{number.get(count, f'{count} networks learn')} {matrix}"


show("matrices", heading, INTRODUCTION, PRESETS)
