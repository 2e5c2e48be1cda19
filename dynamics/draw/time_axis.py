"""Time axes: steps, seconds, operations or normalised time, and the title of each.

On a logarithmic axis, record 0 is drawn at the first positive value of the axis.
"""

from typing import Any

import numpy as np

from dynamics.core import traits
from dynamics.core.config import Config
from dynamics.core.records import Array, Trajectory

VERSUS = {
    "steps": "Gradient steps",
    "log steps": "Gradient steps (log)",
    "seconds": "Training time (s)",
    "log seconds": "Training time (s, log)",
    "operations": "Floating-point operations",
    "log operations": "Floating-point operations (log)",
    "normalised": "Normalised time t / t₁",
}
LOG = "log "  # how the name of a logarithmic axis begins
UNITS = {
    "recovery_error": "‖W − M*‖<sub>F</sub> / ‖M*‖<sub>F</sub>",
    "accuracy": "share of held-out images",
    "psnr": "PSNR (dB)",
    "ssim": "SSIM",
    "held_out_rmse": "RMSE on held-out ratings (stars)",
    "validation_rmse": "RMSE on validation ratings (stars)",
}
SHARES = ("accuracy", "psnr", "ssim")  # series that no logarithmic axis suits


def offered(config: Config) -> list[str]:
    """The time axes that suit a run.

    A run that tells classes apart has no escape as the unit of normalised time, and the operations
    of a loop that another program runs are not known either.
    """
    axes = list(VERSUS)
    if config.watched or traits.problem(config.problem).classifies:
        axes.remove("normalised")
    if config.watched:
        axes = [name for name in axes if not name.endswith("operations")]
    return axes


def is_log(versus: str) -> bool:
    """Whether a time axis is logarithmic."""
    return versus.startswith(LOG)


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
    clock = getattr(trajectory, versus.removeprefix(LOG))
    if is_log(versus):
        places = along(trajectory, versus.removeprefix(LOG), steps)
        positive = clock[clock > 0]
        least = 1.0 if versus == "log steps" else positive[0] if len(positive) else 0.0
        return np.maximum(places, least)
    if versus == "steps" or not len(clock):
        return steps
    end = trajectory.steps[-1]
    pace = (clock[-1] - clock[0]) / max(end - trajectory.steps[0], 1)
    beyond = clock[-1] + pace * (steps - end)
    return np.where(steps > end, beyond, np.interp(steps, trajectory.steps, clock))


def axis(network: str, versus: str, unit: float | None = None) -> dict[str, Any]:
    """For a trace's ``meta``: the column of a time axis, its unit and its least value.

    ``first`` is the first positive value of the column, which is known once the run has it.
    """
    by_step = versus in ("steps", "log steps", "normalised")
    clock = versus.removeprefix(LOG)
    described: dict[str, Any] = {"x": "step" if by_step else f"{network}.{clock}"}
    if versus == "normalised":
        described["unit"] = unit
    if is_log(versus):
        described["least"] = 1 if by_step else "first"
    return described
