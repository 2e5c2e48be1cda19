"""Why plateaus: a mode's wait is one over its singular value."""

from dynamics.core.sizes import curvature
from dynamics.teach.lesson import STAIRS, Found, Lesson
from dynamics.theory import escapes

SETTINGS = STAIRS | {"init_scale": 0.02}


def numbers(found: Found) -> dict[str, float]:
    """The step at which each mode was half grown, and the step that the leading term predicts."""
    run = found["one run"]
    config = run.config
    measured = run.escapes()
    goals = list(run.networks["compressed"].facts["target_singular_values"])
    pace = config.learning_rate * curvature(config)
    expected = escapes.leading_steps(goals, config.depth, config.alpha, config.init_scale, pace)
    return {
        "entries": config.rows * config.cols,
        "rate": config.learning_rate,
        "scale": config.init_scale,
        "goal": goals[0],
        **{f"expected{i}": float(step) for i, step in enumerate(expected, 1)},
        **{f"measured{i}": step for i, step in enumerate(measured, 1)},
        "second": measured[1] / measured[0],
        "third": measured[2] / measured[0],
    }


LESSON = Lesson(
    place=1,
    title="Why plateaus?",
    idea="Why nothing seems to happen for thousands of steps, and how long the wait will be.",
    minutes=4,
    setup="A network of three factors, $W = W_3 W_2 W_1$, learns a 30 × 30 matrix and sees all of "
    "it. The matrix has three singular values (the strengths of its three directions): the second "
    "is half as large as the first, the third a third of it. All factors start tiny, at the scale "
    "ε = 0.02.",
    question="For thousands of steps the curves lie flat; then the largest singular value shoots "
    "up. When will the second, half as large, do the same?",
    answers=(
        "At about the same step",
        "About twice as late",
        "About four times as late",
        "Never: it is too small to be found",
    ),
    right=1,
    runs={"one run": SETTINGS},
    figures=("singular_values", "losses"),
    watch="Three long waits, three sudden rises. The dotted lines are the values to be learned.",
    numbers=numbers,
    facts=(
        ("First singular value half grown at step", "expected1", "measured1"),
        ("Second, half as large", "expected2", "measured2"),
        ("Third, a third as large", "expected3", "measured3"),
    ),
    explanation="""
Each singular value of $W$ is a product of three small numbers, one from each factor:
$\\sigma = b \\cdot b \\cdot b$. A step changes one of them in proportion to what the *other two*
multiply to, and both start at ε. With the goal $s$, the learning rate η and $c = 1/@entries$ (the
loss is a mean over so many entries):

$$
\\frac{db}{dt} = \\eta c\\, s\\, b^2 \\quad\\Rightarrow\\quad
b(t) = \\frac{\\varepsilon}{1 - \\eta c\\, s\\, \\varepsilon\\, t}
$$

That grows slowly, feeds on itself, and runs away at

$$
N = \\frac{1}{\\eta\\, c\\, s\\, \\varepsilon}
= \\frac{@entries}{@rate \\times @goal \\times @scale} = @expected1 \\text{ steps;}
\\qquad \\text{your run: } @measured1.
$$

So training is not stuck on a plateau: a plateau is a slow start that feeds on itself. And $N$ is
proportional to $1/s$: half the singular value, twice the wait. Your run waited
$1 : @second : @third$.
""",
    beyond="Nonlinear networks that start small learn in such steps, too. In practice they start "
    "larger, so the steps blur into one smooth curve.",
    invitation="Now the original network is trained as well, 30 wide, from a random start. Will it "
    "leave its plateau before the compressed one, or after?",
    attempt=SETTINGS | {"networks": "original,compressed"},
    answer="After, by about a third of the wait. Its random start does not point along the "
    "target's directions; each has to be turned into place before it can grow. The compressed "
    "network starts in line.",
)
