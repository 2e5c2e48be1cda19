"""Why depth: three factors keep small modes small, two do not."""

from typing import Any

from dynamics.teach.lesson import Found, Lesson

SETTINGS: dict[str, Any] = {
    "problem": "completion",
    "rows": 50,
    "cols": 50,
    "rank": 3,
    "observed": 0.3,
    "networks": "compressed",
    "rank_bound": 10,
    "alpha": 1.0,
    "steps": 6000,
    "record_every": 10,
}
SHALLOW, DEEP = "L = 2", "L = 3"


def numbers(found: Found) -> dict[str, float]:
    """Errors, losses, the first escapes and the first spare singular values of both depths."""
    values: dict[str, float] = {}
    for run in found.values():
        spare = run.networks["compressed"].series["singular_values"][-1, run.config.rank]
        values |= {
            f"error{run.config.depth}": run.last("recovery_error"),
            f"loss{run.config.depth}": run.last("train_loss"),
            f"spare{run.config.depth}": float(spare),
            f"escape{run.config.depth}": run.escapes()[0],
        }
    return values | {"slower": 1000 ** (1 - 2 / found[DEEP].config.depth)}


LESSON = Lesson(
    place=3,
    title="Why depth?",
    idea="What a third factor does that two cannot, although both can write every matrix.",
    minutes=5,
    setup="70 % of a 50 × 50 matrix of rank 3 is missing. Two networks are fitted to the entries "
    "that are there: one with two factors, $W_2 W_1$, one with three, $W_3 W_2 W_1$. Both are 10 "
    "wide, so they can write exactly the same matrices, and both start at ε = 0.01.",
    question="Both learn to fit the entries that they see. Which one fills in the others, too?",
    answers=(
        "Both: they can write the same matrices",
        "Only the one with two factors: it is simpler",
        "Only the one with three factors",
        "Neither: 70 % of the matrix is missing",
    ),
    right=2,
    runs={SHALLOW: SETTINGS | {"depth": 2}, DEEP: SETTINGS | {"depth": 3}},
    figures=("singular_values", "recovery_error"),
    watch="The three singular values that belong to the matrix rise in both. Look below them: what "
    "do the other seven do?",
    numbers=numbers,
    columns=("L = 2", "L = 3"),
    facts=(
        ("Fourth singular value, which should be zero", "spare2", "spare3"),
        ("Error of the whole matrix", "error2", "error3"),
        ("First mode half grown at step", "escape2", "escape3"),
    ),
    explanation="""
Both fit what they saw (training losses $@loss2$ and $@loss3$), but so do many matrices. Which of
these a network finds depends on how singular values grow. For $L$ factors that start small and
alike,

$$
\\frac{d\\sigma}{dt} = L\\,\\sigma^{\\,2-2/L} \\times (\\text{how much the loss pulls at it}).
$$

With $L = 2$ that is proportional to $\\sigma$: every direction grows at an exponential rate of its
own, wrong ones too. In your run the fourth singular value, which should be zero, reached $@spare2$;
the error of the whole matrix stayed at $@error2$.

With $L = 3$ it is $\\sigma^{4/3}$: relative to its size, a direction a thousand times smaller grows
$1000^{1/3} = @slower$ times more slowly. The large ones run away from the small ones, which never
catch up: $@spare3$ in your run, and an error of $@error3$. Depth does not change what can be
written; it changes what is *found first*.

The price is the plateau: the first mode was half grown at step $@escape2$ with two factors, at
step $@escape3$ with three.
""",
    beyond="That depth prefers low rank is a fact about gradient descent on products of matrices. "
    "In nonlinear networks it is a tendency that is measured, not a theorem.",
    invitation="What does a fourth factor cost? Before you train, look at the forecast with L = 4 "
    "and with L = 3: how many times longer is the plateau?",
    attempt=SETTINGS | {"depth": 4},
    answer="Fifty times: some 82,000 steps and not 1,600. With L factors the wait is "
    "$\\varepsilon^{2-L}/((L-2)\\,\\eta c s)$, so the fourth costs a factor "
    "$1/(2\\varepsilon) = 50$. Raise ε to 0.1, and the plateau is short again.",
    hide=("problem", "seeds", "presets", "pictures", "changes"),
    compared="recovery_error",
)
