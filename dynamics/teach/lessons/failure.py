"""When compression fails: no network makes up for too few observations."""

from typing import Any

from dynamics.core.sizes import observed
from dynamics.teach.lesson import Found, Lesson

SETTINGS: dict[str, Any] = {
    "problem": "completion",
    "rows": 60,
    "cols": 60,
    "rank": 3,
    "rank_bound": 6,
    "steps": 6000,
    "record_every": 20,
}
FEW, MANY = "12 % seen", "30 % seen"


def numbers(found: Found) -> dict[str, float]:
    """Entries seen, free numbers of the matrix, how far the losses fell, and the last errors."""
    few, many = found[FEW], found[MANY]
    config = few.config
    values: dict[str, float] = {
        "free": config.rank * (config.rows + config.cols - config.rank),
        "few": observed(few.config),
        "many": observed(many.config),
    }
    for network in few.networks:
        losses = few.networks[network].series["train_loss"]
        values[f"fitted_{network}"] = float(losses[0] / losses[-1])
        values[f"few_{network}"] = few.last("recovery_error", network)
        values[f"many_{network}"] = many.last("recovery_error", network)
    return values


LESSON = Lesson(
    place=6,
    title="When does compression fail?",
    idea="One case that no width can mend, and three in which compression is at fault.",
    minutes=5,
    setup="A 60 × 60 matrix of rank 3 is made of 351 free numbers. You see about 432 of its "
    "3,600 entries, 12 %: more than the free numbers. The original network, 60 wide, and the "
    "compressed one, 6 wide, are fitted to them.",
    question="Both learn to fit the entries that they see. Which of them finds the matrix?",
    answers=(
        "Both: there are more entries than free numbers",
        "Only the original: it starts with all directions",
        "Only the compressed one: it has fewer to choose from",
        "Neither of them",
    ),
    right=3,
    runs={FEW: SETTINGS | {"observed": 0.12}, MANY: SETTINGS | {"observed": 0.3}},
    figures=("losses", "recovery_error"),
    watch="Compare the two charts with 12 % seen: what does the training loss say, and what the "
    "error of the whole matrix? Then look at the run with 30 % seen.",
    numbers=numbers,
    columns=("12 % seen", "30 % seen"),
    facts=(
        ("Entries seen, about (free numbers: 351)", "few", "many"),
        ("Error of the original network", "few_original", "many_original"),
        ("Error of the compressed network", "few_compressed", "many_compressed"),
    ),
    explanation="""
A matrix of rank $r$ has

$$
r\\,(d_{out} + d_{in} - r) = 3 \\times (60 + 60 - 3) = @free
$$

free numbers. About $@few$ entries are more than that, yet too few: some rows and columns are hardly
seen at all, and many other matrices of low rank fit all that is seen as well. The training losses
fell $@fitted_original$ and $@fitted_compressed$ times and do not show it: errors of
$@few_original$ and $@few_compressed$ remain. Data are missing, not width. With $@many$ entries both
networks find the matrix, to errors of $@many_original$ and $@many_compressed$.

Compression *is* at fault in three cases:

1. r̂ < r: there is no room for all modes (the lesson before).
2. The target is not low-rank, like a photograph: the width cuts off all that is beyond it.
3. r̂ > d − r: it still works, but the theorem that the compressed network is ahead of the original
   one at every step, for small η, no longer holds. (Near η* it may fail for every r̂.)
""",
    beyond="A training loss near zero says little about entries that were not seen, in deep "
    "networks as in matrices. Only held-out data show it.",
    invitation="The third case: the matrix is 12 × 12 with rank 3, and r̂ = 12 is above d − r = 9. "
    "Train. Which network has the smaller error in the end, and why?",
    attempt={
        "problem": "factorization",
        "rows": 12,
        "cols": 12,
        "rank": 3,
        "spectrum": "power-law",
        "rank_bound": 12,
        "init_scale": 0.1,
        "learning_rate": 1.0,
        "alpha": 1.0,
        "steps": 1500,
        "record_every": 5,
    },
    answer="The compressed network is ahead all the way and loses in the end, by a tenth: "
    "$3.7 \\cdot 10^{-4}$ against $3.3 \\cdot 10^{-4}$. Its $\\hat r - r = 9$ spare modes stay at "
    "$\\varepsilon^3$; the original has $d - 2r = 6$ of them and remains of three more. With "
    "r̂ = 9 or less the compressed network stays ahead until the end.",
)
