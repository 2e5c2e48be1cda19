"""What the first mode tells apart: two groups of classes, of which it can name one class each."""

from typing import Any

import numpy as np

from dynamics.findings.classes import named
from dynamics.teach.lesson import Found, Lesson, Numbers

SETTINGS: dict[str, Any] = {
    "problem": "digits",
    "networks": "compressed",
    "init_scale": 0.1,
    "steps": 600,
    "record_every": 10,
}
WHOLE, ONE = "r̂ = 10", "r̂ = 1"
ORDINALS = ("First", "Second", "Third", "Fourth")
RISEN = 1.0  # a mode counts from this singular value on; at the start it is ε³ = 0.001


def numbers(found: Found) -> Numbers:
    """When each mode rose, its classes and the accuracy then, and where the runs ended."""
    whole, one = (found[label].networks["compressed"] for label in (WHOLE, ONE))
    sizes, vectors = whole.series["singular_values"], whole.series["class_vectors"]
    values: dict[str, float | str] = {}
    for mode in range(len(ORDINALS)):
        record = _risen(sizes[:, mode])
        values |= {
            f"step{mode + 1}": float(whole.steps[record]),
            f"name{mode + 1}": named(vectors[record, mode], whole.facts["classes"]),
            f"right{mode + 1}": _percent(whole.series["accuracy"][record]),
        }
    first = np.array(whole.facts["gradient_class_vectors"])[0]
    overlaps = np.abs(vectors[:, 0] @ first)
    ends = np.argsort(one.series["class_vectors"][-1, 0])
    return values | {
        "asked": named(first, whole.facts["classes"]),
        "overlap": round(float(overlaps[_risen(sizes[:, 0])]), 2),
        "turned": round(float(overlaps[-1]), 2),
        "high": one.facts["classes"][ends[-1]],
        "low": one.facts["classes"][ends[0]],
        "start": _percent(whole.series["accuracy"][0]),
        "modes": float((sizes[-1] >= RISEN).sum()),
        "whole": _percent(whole.series["accuracy"][-1]),
        "one": _percent(one.series["accuracy"][-1]),
    }


def _risen(sizes: np.ndarray) -> int:
    """The first record at which a mode has risen."""
    return int(np.argmax(sizes >= RISEN))


def _percent(share: float) -> float:
    """A share of the held-out images in per cent; a tenth is less than one image."""
    return round(100 * float(share), 1)


LESSON = Lesson(
    place=9,
    title="What does the first mode of a network tell apart?",
    idea="Why a network that knows one direction knows two classes, and how many ten classes need.",
    minutes=5,
    setup="A network reads pictures of ten handwritten digits, 0 to 9. Its backbone (two layers "
    "with ReLU) turns a picture into 128 features $h$; its head $W = W_3 W_2 W_1$ turns them into "
    "a score for each digit, and the largest score wins. All is trained, and the head starts tiny: "
    "ε = 0.1. As with matrices, its singular values rise one after another. A mode has risen here "
    "once its singular value has passed 1.",
    question="The first mode has risen, and the others are still near zero. How many of the ten "
    "digits can the network name right by now?",
    answers=(
        "One: it has learned its first digit",
        "Two: one at each end of what the mode tells apart",
        "Five: one mode cuts the digits in half",
        "All ten, only not yet surely",
    ),
    right=1,
    runs={WHOLE: SETTINGS, ONE: SETTINGS | {"rank_bound": 1}},
    figures=("singular_values", "confusion", "accuracy"),
    watch="Each rise is named by the digits that it tells apart: those at one end of the mode | "
    "those at the other. In the confusion, a row is a digit and a column what it was taken for: "
    "how many columns are in use when the bar stands at the first rise? The second run has room "
    "for one mode only, r̂ = 1.",
    numbers=numbers,
    columns=("risen at step", "tells apart", "digits right then, %"),
    facts=tuple(
        (f"{ordinal} mode", f"step{i}", f"name{i}", f"right{i}")
        for i, ordinal in enumerate(ORDINALS, 1)
    ),
    explanation="""
A mode is a singular value σ with two directions: $u$ among the features, and $v$ with an entry
$v_c$ for each digit $c$. While there is only one, a picture is a single number $z$, its share of
$u$, and

$$
\\text{score of digit } c = \\sigma\\, z\\, v_c , \\qquad z = u^\\top h(x).
$$

If $z > 0$, the largest $v_c$ wins, whatever the picture; if $z < 0$, the smallest. So **one mode
names two digits, never a third**: with room for no more, the run with r̂ = 1 called every picture
@high or @low and was right for $@one$ % of them. What a mode has learned is coarser, and more:
which digits lie on the same side, **@name1**.

The first gradient says which. At $W = 0$ the loss asks for the class means of the features, less
the mean of all: a matrix of rank 9 for ten digits. Its largest direction tells **@asked** apart.
The first mode, as it rose, had an overlap of $@overlap$ with it (1 is the same direction). By the
end $@turned$ was left: the features kept learning, and the modes turned with them.

Look at the accuracy: it was $@start$ % at the start, and *fell* to $@right1$. While all nine modes
are equally tiny, their scores are tiny, too, but the largest still wins. Then the first mode runs
away and drowns the others, and little but two digits is left.

Each further mode splits what the others confuse: $@right1$, $@right2$, $@right3$, $@right4$ % right
as the first, second, third and fourth rose. In the end $@modes$ modes put $@whole$ % of unseen
digits into their class. Nine would have had room: a class need not have a direction of its own, a
place of its own is enough.
""",
    beyond="That one mode names two classes holds wherever the last layer is linear and has no "
    "biases. Which classes come first depends on the backbone's start: another seed, another first "
    "mode. And a usual, larger start shows no steps: at ε = 1 all modes are there from the "
    "beginning, and the accuracy is about the same in the end.",
    invitation="Now give the head room for two modes, r̂ = 2: all it knows of a picture are two "
    "numbers. Of a hundred digits, how many will it name right: 20, 30, 50, or more than 90?",
    # At η = 0.05 the accuracy of two modes falls and rises again for hundreds of steps.
    attempt=SETTINGS | {"rank_bound": 2, "learning_rate": 0.02, "steps": 1200, "record_every": 20},
    answer="More than 90. Two numbers are a point in a plane, and a plane has room for ten rays: "
    "the digits become a star, and the backbone learns to send each digit along its own ray. On a "
    "line, r̂ = 1, there are two, and about 20 are right.",
)
