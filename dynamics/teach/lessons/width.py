"""Why r̂ ≥ r: too narrow has no room, too wide does no harm."""

import math
from typing import Any

from dynamics.teach.lesson import Found, Lesson

SETTINGS: dict[str, Any] = {
    "problem": "completion",
    "networks": "compressed",
    "steps": 4000,
    "record_every": 20,
}
LOW, EXACT, HIGH = "r̂ = 3", "r̂ = 5", "r̂ = 10"


def numbers(found: Found) -> dict[str, float]:
    """Errors of the three widths, the least possible error of the narrow one, and a spare mode."""
    low, high = found[LOW], found[HIGH]
    goals = [float(goal) for goal in low.networks["compressed"].facts["target_singular_values"]]
    missed = goals[low.config.rank_bound :]
    values = high.networks["compressed"].series["singular_values"][-1]
    return {
        "least": math.sqrt(sum(goal**2 for goal in missed) / sum(goal**2 for goal in goals)),
        "low": low.last("recovery_error"),
        "exact": found[EXACT].last("recovery_error"),
        "high": high.last("recovery_error"),
        "none": 0.0,
        "exact_steps": found[EXACT].steps_to(1e-4),
        "high_steps": high.steps_to(1e-4),
        "goal": goals[3],
        "goal2": goals[4],
        "spare": float(values[high.config.rank]),
        "start": high.config.init_scale**high.config.depth,
    }


LESSON = Lesson(
    place=5,
    title="Why r̂ ≥ r?",
    idea="The width bound r̂ is a guess of the unknown rank r. Which wrong guess costs you?",
    minutes=4,
    setup="A 100 × 100 matrix has rank 5, but you do not know that. You see 30 % of it and train "
    "three compressed networks: one r̂ = 3 wide, one r̂ = 5, one r̂ = 10.",
    question="Which of them find the whole matrix?",
    answers=(
        "Only r̂ = 5: the guess must be right",
        "r̂ = 5 and r̂ = 10",
        "All three: the narrow one only takes longer",
        "Only r̂ = 10: it takes some width to spare",
    ),
    right=1,
    runs={
        LOW: SETTINGS | {"rank_bound": 3},
        EXACT: SETTINGS | {"rank_bound": 5},
        HIGH: SETTINGS | {"rank_bound": 10},
    },
    figures=("singular_values", "recovery_error"),
    watch="Watch: how many curves rise in each run, and to which of the dotted lines?",
    numbers=numbers,
    columns=("r̂ = 3", "r̂ = 5", "r̂ = 10"),
    facts=(
        ("Least error that its width allows", "least", "none", "none"),
        ("Error in the end", "low", "exact", "high"),
    ),
    explanation="""
**Too narrow has no room.** A product through a width of 3 has rank 3 at most. Even the best such
matrix misses the two smallest singular values, $s_4 = @goal$ and $s_5 = @goal2$, so no error can
be below

$$
\\sqrt{\\frac{s_4^2 + s_5^2}{s_1^2 + \\dots + s_5^2}} = @least \\qquad
\\text{(Eckart and Young); your run: } @low.
$$

It does worse still: its three modes are distorted by trying to fit the two that are missing.

**Too wide does no harm.** With r̂ = 10, five modes are spare. They start at
$\\varepsilon^3 = @start$ and hardly anything pulls at them; the largest is $@spare$ in the end.
The error is $@high$ (with r̂ = 5: $@exact$), and it fell below $10^{-4}$ at step $@high_steps$
(with r̂ = 5: $@exact_steps$).

So guess high: each step costs more, but the result stays the same. The safe range is
$r \\le \\hat r \\le d - r$.
""",
    beyond="The same holds for low-rank adapters of large networks: too small a rank cannot be "
    "trained away, a generous one is mostly a matter of cost.",
    invitation="Here r̂ is 60, twelve times the rank. Will it need more steps than r̂ = 10, and how "
    "much more does each of them cost?",
    attempt=SETTINGS | {"rank_bound": 60},
    answer="The same steps, to within a record, and the same error. But a step takes about nine "
    "times as many operations: much of the compression is given away.",
    hide=("problem", "training", "seeds", "presets", "pictures", "changes"),
    compared="recovery_error",
)
