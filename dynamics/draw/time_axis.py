"""Time axis: steps, seconds, operations or normalised time, and what each is called."""

from typing import Any

import numpy as np

from dynamics.core.records import Array, Trajectory
from dynamics.core.traits import called

VERSUS = {
    "steps": "Gradient steps",
    "log steps": "Gradient steps (log)",
    "seconds": "Training time (s)",
    "operations": "Floating-point operations",
    "normalised": "Normalised time t / t₁",
}
LEAST = {"log steps": 1}  # where a logarithmic axis begins: record 0 is drawn there
UNITS = {"recovery_error": "‖W − M*‖<sub>F</sub> / ‖M*‖<sub>F</sub>"}


def unit(trajectory: Trajectory) -> float:
    """t₁: the steps of one unit of normalised time, those to the first escape that is expected.

    A plateau takes ε^(2−L) I_L(α)/(ηc s_i) steps (a logarithm of ε for L = 2), so that runs of any
    ε, L, η and α have their first mode half grown at t/t₁ = 1 and mode i near s_1/s_i.

    Raises:
        ValueError: if none is expected; ``expected.beside`` says what is.
    """
    first = trajectory.expected and trajectory.expected.first
    if not first:
        raise ValueError(
            f"No escape of the {called(trajectory.network)} is foreseen, so there is no unit "
            "for normalised time; take steps."
        )
    return first


def along(trajectory: Trajectory, versus: str, steps: Array) -> Array:
    """Where steps lie on a time axis: between records in a line, beyond them at the pace so far."""
    if versus == "normalised":
        return steps / unit(trajectory)
    if versus in LEAST:
        return np.maximum(steps, LEAST[versus])
    clock = getattr(trajectory, versus)
    if versus == "steps" or not len(clock):
        return steps
    last = len(clock) - 1
    end = trajectory.steps[last]
    beyond = clock[last] * (steps / max(end, 1))
    return np.where(steps > end, beyond, np.interp(steps, trajectory.steps, clock))


def axis(trajectory: Trajectory, versus: str) -> dict[str, Any]:
    """For ``meta``: the column of a time axis, its unit, and the least that is drawn."""
    by_step = versus in ("steps", "log steps", "normalised")
    return {
        "x": "step" if by_step else f"{trajectory.network}.{versus}",
        **({"unit": unit(trajectory)} if versus == "normalised" else {}),
        **({"least": LEAST[versus]} if versus in LEAST else {}),
    }
