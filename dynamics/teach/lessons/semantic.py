"""What is learned first: general distinctions before special ones, in the order of strength."""

from typing import Any

from dynamics.core.sizes import curvature
from dynamics.findings.classes import named, names_of
from dynamics.teach.lesson import Done, Found, Lesson, Numbers
from dynamics.theory import escapes

SETTINGS: dict[str, Any] = {"problem": "semantic"}
PLAIN = "one run"
MODES = 5  # modes that the lesson's table has


def numbers(found: Found) -> Numbers:
    """What each mode tells apart, its singular value, and its escapes; what a child confuses."""
    run = found[PLAIN]
    config = run.config
    whole = run.networks["compressed"]
    goals = list(whole.facts["target_singular_values"])
    pace = config.learning_rate * curvature(config)
    expected = escapes.leading_steps(goals, config.depth, config.alpha, config.init_scale, pace)
    series, items, groups = names_of(whole.facts)
    values: dict[str, float | str] = {}
    for mode in range(MODES):
        vector = whole.series[series][-1, mode]
        values |= {
            f"name{mode + 1}": named(vector, items, groups),
            f"goal{mode + 1}": round(goals[mode], 2),
            f"expected{mode + 1}": float(expected[mode]),
            f"measured{mode + 1}": run.escapes()[mode],
            f"random{mode + 1}": run.escapes("original")[mode],
        }
    return values | _between(run)


def _between(run: Done) -> dict[str, float]:
    """The answers midway between the escapes of the third and of the fifth mode."""
    whole = run.networks["compressed"]
    items = list(whole.facts["items"])
    step = sum(run.escapes()[mode] for mode in (2, 4)) / 2
    record = int((whole.steps <= step).sum()) - 1
    shared = whole.series["item_similarity"][record]
    canary, robin, salmon = (items.index(name) for name in ("canary", "robin", "salmon"))
    return {
        "step": float(whole.steps[record]),
        "itself": round(float(shared[canary, canary]), 2),
        "robin": round(float(shared[canary, robin]), 2),
        "salmon": round(float(shared[canary, salmon]), 2),
        "truth": float(round(whole.facts["shared_properties"][canary][robin])),
    }


LESSON = Lesson(
    place=8,
    title="Why is the general learned before the special?",
    idea="Why a network knows animals from plants before it knows a canary from a robin.",
    minutes=5,
    setup="Two networks of three factors learn which of 20 properties eight living things have: "
    "canary, robin, salmon, sunfish, oak, pine, rose and daisy. All can grow; animals move; plants "
    "have roots and are green; birds have two properties of their own, so have fish; and most "
    "things have one or two that nothing else has. $W$ has a row for each property and a column "
    "for each thing, and starts tiny.",
    question="Animals and plants differ as such in three properties: move, roots, green. Canary "
    "and robin differ in four: the one sings and is yellow, the other is red and eats worms. Which "
    "distinction is learned first?",
    answers=(
        "Canary from robin: four differences, and only two things to tell apart",
        "Animals from plants: only three differences, but they hold for all eight",
        "Both at the same time",
    ),
    right=1,
    runs={PLAIN: SETTINGS},
    figures=("singular_values", "item_similarity"),
    watch="Each singular value is a distinction, and the chart says between what. Move the cursor "
    "over the steps and watch the similarities: when do blocks appear, and which?",
    numbers=numbers,
    facts=tuple(
        (
            f"Mode {mode}",
            f"name{mode}",
            f"goal{mode}",
            f"expected{mode}",
            f"measured{mode}",
            f"random{mode}",
        )
        for mode in range(1, MODES + 1)
    ),
    columns=("tells apart", "sᵢ", "theory, steps", "spectral start", "random start"),
    explanation="""
A network of small numbers does not learn property by property. It learns *modes*, the singular
vectors of the table, and each waits for about

$$
N_i = \\frac{1}{\\eta\\, c\\, s_i\\, \\varepsilon} \\text{ steps.}
$$

So the order is that of the singular values $s_i$, and these count for how many things a difference
holds. Whether it grows is the same for all eight, $s_1 = @goal1$. Whether it moves or has roots
tells four from four, $s_2 = @goal2$. What tells canary from robin says something of two things
only: $s_5 = @goal5$, though it is more properties. Where each thing has an input of its own, no
mode disturbs another: theory has $@expected2$ and $@expected5$ steps, the spectral start took
$@measured2$ and $@measured5$. A random start must turn first and takes longer, in the same order.

**In between, it confuses.** At step $@step$ the modes for birds and fish are learned, that for
canary and robin is not. The network gives the same answers for both: they share $@robin$
properties, and the canary has $@itself$ with itself. In truth they share $@truth$; as it cannot
tell them apart, each of the two half sings and is half red. With the salmon the canary shares
$@salmon$, grow and move, which is right.
""",
    beyond="That is the theory of Saxe, McClelland and Ganguli (2019), who compare it with how "
    "children come to tell things apart. It holds for small starts and for a hierarchy in the "
    "data; where a special distinction has the larger singular value, it is learned first.",
    invitation="Now the inputs of neighbours in the list are correlated, κ = 0.6: a robin looks "
    "somewhat like a canary, a salmon like both. Which distinctions are learned sooner than "
    "before, and which later?",
    attempt=SETTINGS | {"input_correlation": 0.6},
    answer="With the spectral start, what all share takes a third of the steps and animals from "
    "plants three fifths; everything finer takes longer, canary from robin two and a half times as "
    "long. Similar inputs carry what their items share, and hide in what they differ. The modes "
    "now disturb one another, so there is no exact course to draw.",
    hide=("training", "seeds", "presets", "pictures", "changes", "forecast", "theory"),
)
