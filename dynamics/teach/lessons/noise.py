"""Noise and early stopping: spare modes learn the noise, later."""

import math
from typing import Any

import numpy as np

from dynamics.core.sizes import observed
from dynamics.teach.lesson import Found, Lesson

SETTINGS: dict[str, Any] = {
    "problem": "completion",
    "networks": "compressed",
    "noise": 0.1,
    "steps": 20_000,
    "tolerance": 0.0,
}
WIDE, TIGHT = "r̂ = 10", "r̂ = 5"


def numbers(found: Found) -> dict[str, float]:
    """The best error, its step, the last error, and the error that least squares would leave."""
    wide, tight = found[WIDE], found[TIGHT]
    config = wide.config
    trajectory = wide.networks["compressed"]
    errors, losses = (trajectory.series[name] for name in ("recovery_error", "train_loss"))
    best = int(np.nanargmin(errors))
    free = config.rank * (config.rows + config.cols - config.rank)
    entries = config.rows * config.cols
    shown = observed(config)
    goals = np.array(trajectory.facts["target_singular_values"])
    size = math.sqrt(float((goals**2).sum()))
    return {
        "best": float(errors[best]),
        "when": float(trajectory.steps[best]),
        "final": float(errors[-1]),
        "worse": float(errors[-1] / errors[best]),
        "tight": tight.last("recovery_error"),
        "tight_best": float(np.nanmin(tight.networks["compressed"].series["recovery_error"])),
        "noise": config.noise,
        "free": free,
        "shown": shown,
        "size": size,
        "least": config.noise * math.sqrt(entries * free / (shown - free)) / size,
        "loss_best": float(losses[best]),
        "loss_final": float(losses[-1]),
    }


LESSON = Lesson(
    place=7,
    title="Noise: when to stop?",
    idea="What spare width does when the entries are noisy, and why stopping early helps.",
    minutes=4,
    setup="30 % of a 100 × 100 matrix of rank 5 is seen, but every entry seen is off by noise of "
    "standard deviation 0.1 (a typical entry is 0.4 large). The compressed network is 10 wide, "
    "twice the rank, and trains for 20,000 steps. Its training loss falls all the time.",
    question="And the error of the whole matrix, against the true one without noise?",
    answers=(
        "It falls all the time, too",
        "It falls, then stays where it is",
        "It falls, then rises again to more than twice its best",
        "It never falls: the noise is too strong",
    ),
    right=2,
    runs={WIDE: SETTINGS | {"rank_bound": 10}, TIGHT: SETTINGS | {"rank_bound": 5}},
    figures=("singular_values", "recovery_error", "losses"),
    watch="The error and the training loss, and the five spare singular values far below the "
    "others. A second run has no spare width: r̂ = 5.",
    numbers=numbers,
    columns=("r̂ = 10", "r̂ = 5"),
    facts=(
        ("Least error on the way", "best", "tight_best"),
        ("Error in the end", "final", "tight"),
    ),
    explanation="""
The network first learns the five modes of the matrix, because they pull hardest. The error is
smallest at step $@when$: $@best$. Hardly any method could do better: least squares that knew the
rank and fitted its $@free$ free numbers to about $@shown$ entries, with noise $\\sigma = @noise$,
would leave about

$$
\\frac{\\sigma}{\\|M^\\ast\\|_F}\\sqrt{\\frac{d^2\\, n}{|\\Omega| - n}} = @least,
$$

with $d = 100$, $n = @free$, $|\\Omega| = @shown$ and $\\|M^\\ast\\|_F = @size$.

Then only noise is left to fit, and the five spare modes begin to fit it. The training loss keeps
falling, $@loss_best \\to @loss_final$; the error rises to $@final$, $@worse$ times its best.
Without spare width (r̂ = 5) nothing can learn the noise: the error ends at $@tight$.

You cannot see the true error, but entries that you hold back show the same turn. Stop where *they*
are best; the more so, the wider you have guessed r̂.
""",
    beyond="This is why networks are stopped by a validation set: what is learned first carries "
    "over, what is learned last is often particular to the sample.",
    invitation="Here the noise is halved, to 0.05, with r̂ = 10. How far does the error come down "
    "now, and does it turn sooner or later?",
    attempt=SETTINGS | {"rank_bound": 10, "noise": 0.05},
    answer="Half the noise, half the error: 0.087 at best. And it turns later, at about step "
    "14,500 and not 7,500, because weaker noise pulls less at the spare modes.",
    hide=("training", "seeds", "presets", "pictures", "changes", "forecast", "theory"),
    compared="recovery_error",
)
