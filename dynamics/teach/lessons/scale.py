"""What ε buys: a longer wait, a cleaner result."""

from dynamics.core.sizes import curvature
from dynamics.teach.lesson import STAIRS, Found, Lesson
from dynamics.theory import stability

LARGE, SMALL = "ε = 0.04", "ε = 0.02"


def numbers(found: Found) -> dict[str, float]:
    """The first escapes and the last losses for both scales, as expected and as measured."""
    large, small = found[LARGE], found[SMALL]
    waits = [run.escapes()[0] for run in (large, small)]
    losses = [run.last("train_loss") for run in (large, small)]
    floors = []
    for config in (large.config, small.config):
        spare = config.rank_bound - config.rank
        floors.append(stability.floor(spare, config.init_scale, config.depth, curvature(config)))
    scales = large.config.init_scale / small.config.init_scale
    return {
        "wait_large": waits[0],
        "wait_small": waits[1],
        "longer": waits[1] / waits[0],
        "expected_longer": scales ** (small.config.depth - 2),
        "loss_large": losses[0],
        "loss_small": losses[1],
        "floor_large": floors[0],
        "floor_small": floors[1],
        "cleaner": losses[0] / losses[1],
        "expected_cleaner": scales ** (2 * small.config.depth),
        "spare": small.config.rank_bound - small.config.rank,
    }


LESSON = Lesson(
    place=2,
    title="What does a small start buy?",
    idea="The initial scale ε: what half of it costs in time, and what it buys.",
    minutes=4,
    setup="The same network of three factors as in the first lesson, twice: once all factors start "
    "at the scale ε = 0.04, once at half of it, ε = 0.02. It is 6 wide, though the matrix only has "
    "three singular values to learn: three modes (directions) are spare.",
    question="With ε halved, how long is the first plateau?",
    answers=(
        "As long as before",
        "A little longer, by a fixed number of steps",
        "Twice as long",
        "Eight times as long: each of three factors is halved",
    ),
    right=2,
    runs={LARGE: STAIRS | {"init_scale": 0.04}, SMALL: STAIRS | {"init_scale": 0.02}},
    figures=("singular_values", "losses"),
    watch="Watch: where does the first curve rise in each run, and how low does the training loss "
    "get?",
    numbers=numbers,
    facts=(
        ("With ε = 0.02 the plateau is longer, times", "expected_longer", "longer"),
        ("Loss that is left with ε = 0.04", "floor_large", "loss_large"),
        ("Loss that is left with ε = 0.02", "floor_small", "loss_small"),
    ),
    explanation="""
**What it costs.** A mode escapes after about

$$
N = \\frac{\\varepsilon^{2-L}}{(L-2)\\,\\eta\\, c\\, s} \\text{ steps},
$$

with $L = 3$ factors that is $1/(\\eta c s\\, \\varepsilon)$: half of ε, twice the wait. Your runs:
$@wait_large$ and $@wait_small$ steps, $@longer$ times as long.

**What it buys.** A spare mode has nothing to learn and stays where it started: a product of three
numbers ε, so at $\\varepsilon^3$. The $@spare$ spare modes leave a loss of

$$
\\tfrac{c}{2}\\,(\\hat r - r)\\,\\varepsilon^{2L}: \\qquad
@floor_large \\;\\to\\; @floor_small, \\qquad
\\text{your runs: } @loss_large \\;\\to\\; @loss_small.
$$

Half of ε makes what is left $2^6 = @expected_cleaner$ times smaller ($@cleaner$ in your runs). A
small start is a bet on low rank: pay once with waiting, and directions that nobody asked for stay
small.
""",
    beyond="Usual networks start much larger than this; the preference for simple solutions is "
    "weaker then and harder to see, but it does not vanish at once.",
    invitation="Here are only two factors, L = 2, with ε = 0.04. Train, note when the first mode "
    "is half grown; then halve ε and train again. How much longer is the plateau now?",
    attempt=STAIRS | {"depth": 2, "init_scale": 0.04, "steps": 2000, "record_every": 10},
    answer="By about 57 steps, whatever ε was. Two factors grow exponentially, each in "
    "proportion to the other, so halving ε adds a fixed $\\ln 4/(2\\eta c s)$ steps and "
    "multiplies nothing. Long plateaus begin at three factors.",
    compared="train_loss",
)
