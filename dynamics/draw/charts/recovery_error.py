"""Recovery error ‖W − M*‖_F / ‖M*‖_F, and that on entries kept apart, on a logarithmic axis."""

from collections.abc import Sequence

import plotly.graph_objects as go

from dynamics.core.traits import short_name
from dynamics.draw.chart import blank, line, mark_stop
from dynamics.draw.shown import Shown
from dynamics.draw.time_axis import UNITS

NEEDS = ("recovery_error",)
APART = "validation_error"
NOTE = (
    "Faint: the same error on noisy entries that are kept apart. A ring marks where its least "
    "stops the network."
)


def draw(shown: Sequence[Shown], versus: str = "steps") -> go.Figure:
    """A line for each network, and a faint one if it has a validation part."""
    apart = any(APART in item.trajectory.series for item in shown)
    title = "Recovery error, and validation (faint)" if apart else "Recovery error"
    note = {"note": NOTE} if apart else {}
    figure = blank(title, versus, UNITS["recovery_error"], log=True, **note)
    for item in shown:
        if APART not in item.trajectory.series:
            line(figure, item, versus, "recovery_error", legend=True)
            continue
        name = short_name(item.network)
        line(figure, item, versus, APART, label=f"validation, {name}", shade=0.7)
        line(figure, item, versus, "recovery_error", legend=True)
        figure.data[-1].meta["stop"] = f"{item.network}.{APART}"
        mark_stop(figure, item, versus, "recovery_error")
    return figure
