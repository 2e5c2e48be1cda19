"""Time axes: steps, seconds, operations or normalised time, and the title of each."""

from typing import Any

import numpy as np

from dynamics.core.records import Array, Trajectory

VERSUS = {
    "steps": "Gradient steps",
    "log steps": "Gradient steps (log)",
    "seconds": "Training time (s)",
    "operations": "Floating-point operations",
    "normalised": "Normalised time t / t₁",
}
LEAST = {"log steps": 1}  # first value of a logarithmic axis; record 0 is drawn there
UNITS = {"recovery_error": "‖W − M*‖<sub>F</sub> / ‖M*‖<sub>F</sub>"}


def along(trajectory: Trajectory, versus: str, steps: Array, unit: float | None = None) -> Array:
    """The places of steps on a time axis.

    Between two records time is linear; beyond the last one it continues at the network's average
    pace.
    The live page computes the same in ``timeOf`` of ``pages/shared/live/browser/run/store.js``.

    Args:
        trajectory: the trajectory whose clocks are read.
        versus: the axis, one of ``VERSUS``.
        steps: T numbers of gradient steps.
        unit: t₁ in steps, the unit of normalised time. A plateau takes ε^(2−L) I_L(α)/(ηc s_i)
            steps (a logarithm of ε for L = 2), so that runs of any ε, L, η and α have their first
            mode half grown at t/t₁ = 1 and mode i near s_1/s_i.
    """
    if versus == "normalised":
        assert unit, "normalised time needs the step of the first expected escape"
        return steps / unit
    if versus in LEAST:
        return np.maximum(steps, LEAST[versus])
    clock = getattr(trajectory, versus)
    if versus == "steps" or not len(clock):
        return steps
    end = trajectory.steps[-1]
    pace = (clock[-1] - clock[0]) / max(end - trajectory.steps[0], 1)
    beyond = clock[-1] + pace * (steps - end)
    return np.where(steps > end, beyond, np.interp(steps, trajectory.steps, clock))


def axis(network: str, versus: str, unit: float | None = None) -> dict[str, Any]:
    """For a trace's ``meta``: the column of a time axis, its unit and its least value."""
    by_step = versus in ("steps", "log steps", "normalised")
    described: dict[str, Any] = {"x": "step" if by_step else f"{network}.{versus}"}
    if versus == "normalised":
        described["unit"] = unit
    if versus in LEAST:
        described["least"] = LEAST[versus]
    return described
