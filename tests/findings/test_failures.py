"""Failures: each one is named in a run that fails so, and none in runs that do well."""

import dataclasses
import json
import math
import re
from collections.abc import Sequence

import numpy as np
import pytest

from dynamics.core.config import Config
from dynamics.core.records import Record
from dynamics.core.sizes import enough_seen, freedom
from dynamics.findings.failures import Failure, Watch
from tests.support.few import few
from tests.support.make import full, is_sentence, small, watched

NOISY = small(
    problem="completion", rows=30, cols=30, noise=0.5, rank_bound=8, networks="compressed",
    observed=0.5, learning_rate=0.3, rate_unit="limit", steps=3000,
)  # fmt: skip
FAILING = {
    "diverging": full(learning_rate=3.0, steps=1000, init_scale=0.3, networks="compressed"),
    "no room": full(rank=4, rank_bound=2, steps=2000, networks="compressed"),
    # Not longer: rounding grows in what oscillates, and ends it at a step that no test can know.
    "plateau": full(learning_rate=1.2, steps=400, init_scale=0.3, networks="compressed"),
    "no gain": full(alpha=0.2, steps=440),
    "merging": full(
        depth=2, init_scale=0.4, rank=3, spectrum="power-law", networks="compressed", record_every=2
    ),
    "overfitting": NOISY,
}
HEALTHY = {
    "factorization": full(steps=1500, rank=3, spectrum="power-law", init_scale=0.03),
    "top": full(steps=1000),
    "deep": full(depth=5, steps=1000, init_scale=0.3),
    "α = 1": full(alpha=1.0, steps=1000),
    "equal α": full(alpha=3.0, alpha_original=3.0, steps=1000),
    "momentum": full(optimizer="momentum", steps=1000, learning_rate=0.05),
    "adam": full(optimizer="adam", learning_rate=0.01, rate_unit="absolute", steps=1000),
    "float32": full(dtype="float32", steps=2000),
    "noise": full(noise=0.1, steps=2000, rank_bound=2),
    "completion": small(
        problem="completion", rows=30, cols=30, observed=0.7, rank_bound=2, learning_rate=0.2,
        rate_unit="limit", steps=2000,
    ),
    "sensing": small(
        problem="sensing", measurements=400, learning_rate=0.1, rate_unit="limit", steps=1500
    ),
    "compressed on the way": full(steps=1500, changes="600:compress"),
    "caught up": full(alpha=0.2, steps=1000),
    "other rates on the way": full(steps=1500, changes="100:alpha=1;300:alpha=4"),
    "a start above the target": full(
        init_scale=3.0, depth=2, rank=3, spectrum="power-law", learning_rate=0.02, steps=600
    ),
    "too short": full(steps=200, init_scale=0.01, record_every=2),
}  # fmt: skip


def found(config: Config) -> list[Failure]:
    return watched(config)[1]


@pytest.mark.parametrize("name", FAILING)
def test_each_failure_is_named_and_no_other(name: str) -> None:
    """In one sentence that says what would help."""
    named = found(FAILING[name])
    assert {each.name for each in named} == {name}
    for each in named:
        assert is_sentence(each.sentence)
        assert re.search(r"lower|raise|smaller|check", each.sentence), each.sentence


@pytest.mark.parametrize("name", few(HEALTHY, 5))
def test_runs_that_do_well_show_none(name: str) -> None:
    """Long plateaus, runs cut short, rounding and noise are no failures."""
    assert found(HEALTHY[name]) == []


def test_a_failure_is_named_at_the_record_at_which_it_shows() -> None:
    """Divergence at the first loss beyond twice that of the start, with η/η* in the sentence."""
    trajectories, named = watched(FAILING["diverging"])
    for each in named:
        (trajectory,) = [t for t in trajectories if t.network == each.network]
        losses = trajectory.series["train_loss"]
        first = int(np.argmin(losses <= 2 * losses[0]))
        assert each.step == trajectory.steps[first]
        assert re.search(r"η is (3|\d\.\d+) times", each.sentence)


def test_overfitting_names_the_step_to_stop_at() -> None:
    (trajectory,), (each,) = watched(NOISY)
    seen = trajectory.series["test_loss"][trajectory.steps <= each.step]
    best = trajectory.steps[int(np.argmin(seen))]
    assert f"step {best:,.0f} " in each.sentence and best < each.step
    assert seen[-1] > 1.05 * seen.min()


def test_each_failure_is_named_once() -> None:
    named = found(FAILING["no gain"])
    assert named and len({(each.name, each.network) for each in named}) == len(named)


GOALS = [6.0, 5.0, 4.0, 3.0, 2.0]


def records(
    losses: Sequence[float], tests: Sequence[float], risen: Sequence[float]
) -> list[dict[str, Record]]:
    """The records of a compressed network with these losses, whose modes rise at once."""
    values = np.array(risen)
    return [
        {
            "compressed": Record(
                10 * number,
                float(number),
                0.0,
                0.0,
                {
                    "train_loss": np.array(loss),
                    "test_loss": np.array(tests[number] if tests else math.nan),
                    "recovery_error": np.array(0.7),
                    "singular_values": values if number else values / 1000,
                },
            )
        }
        for number, loss in enumerate(losses)
    ]


def seen(
    config: Config,
    losses: Sequence[float],
    tests: Sequence[float] = (),
    values: Sequence[float] = (6.0, 5.0),
) -> list[set[str]]:
    """The names of the failures that stand after each record."""
    facts = {
        "target_singular_values": GOALS[: config.rank],
        "surrogate_singular_values": [goal / 144 for goal in GOALS[: config.rank]],
        "learning_rate": [1.0],
    }
    watch = Watch(config, facts)
    return [
        {failure.name for failure in watch.see(each)} for each in records(losses, tests, values)
    ]


def test_a_stuck_loss_that_falls_again_is_no_failure() -> None:
    """Named while it is still, withdrawn at the first record below all before it."""
    config = full(rank_bound=2, networks="compressed", steps=2000, learning_rate=0.5)
    standing = seen(config, [1.0, *[0.1] * 150, 0.05, 0.01])
    assert standing[150] == {"plateau"} and standing[151] == set() == standing[-1]


def test_a_test_loss_at_a_new_minimum_is_no_overfitting() -> None:
    config = small(problem="completion", networks="compressed", steps=2000, rank_bound=2)
    fall = [0.5 * 0.9**number for number in range(60)]
    tests = [*np.linspace(1, 0.5, 20), *np.linspace(0.5, 0.7, 30), *np.linspace(0.7, 0.4, 10)]
    standing = seen(config, fall, tests)
    assert standing[49] == {"overfitting"} and standing[-1] == set()


def test_a_training_loss_that_bounces_is_no_overfitting() -> None:
    """Instability raised the test loss, not what was fitted."""
    config = small(problem="completion", networks="compressed", steps=2000, rank_bound=2)
    fall = [0.5 * 0.9**number * (5 if number in (25, 40) else 1) for number in range(60)]
    tests = [*np.linspace(1, 0.5, 20), *np.linspace(0.5, 0.7, 40)]
    assert all(not names for names in seen(config, fall, tests))


@pytest.mark.parametrize(
    ("rank", "rank_bound", "named"), [(3, 2, True), (2, 2, False), (5, 4, False)]
)
def test_a_lack_of_room_is_named_only_below_the_rank(
    rank: int, rank_bound: int, named: bool
) -> None:
    """And only once all r̂ modes have risen: with r̂ = 4 two of them have not."""
    config = full(rank=rank, rank_bound=rank_bound, networks="compressed", steps=2000)
    standing = seen(config, [1.0, *[0.1] * 150], values=[6.0, 5.0, 0.0, 0.0][:rank_bound])
    assert ("no room" in set().union(*standing)) == named


def test_no_room_is_named_in_no_plateau_before_the_modes_have_risen() -> None:
    """The first plateau of a network that is too narrow, on which its loss does not move."""
    config = full(rank=4, rank_bound=2, depth=4, init_scale=0.01, steps=2000, networks="compressed")
    assert found(config) == []


@pytest.mark.parametrize(
    ("observed", "words"),
    [(1.0, ["with a larger r̂ it may fit more"]), (0.3, ["stop early, or lower r̂"])],
)
def test_no_rank_is_said_to_be_too_low_where_none_is_known(
    observed: float, words: list[str]
) -> None:
    """And a network that overfits is never told of a larger r̂, too."""
    config = small(
        problem="photograph", rows=20, cols=20, rank_bound=2, networks="compressed",
        observed=observed, learning_rate=0.3, rate_unit="limit", steps=2500,
    )  # fmt: skip
    sentences = [failure.sentence for failure in found(config)]
    assert len(sentences) == len(words) and words[0] in sentences[0], sentences
    assert "rank" not in sentences[0]


@pytest.mark.parametrize(("problem", "named"), [("photograph", True), ("digits", False)])
def test_a_larger_width_is_not_advised_where_classes_are_told_apart(
    problem: str, named: bool
) -> None:
    """Nobody knows how many directions ten classes need."""
    config = small(problem=problem, networks="compressed", steps=3000, rank_bound=2)
    standing = seen(config, [1.0, 0.3, 0.2, *[0.1] * 120], [1.0, 0.9, *[0.5] * 121])
    assert ("no room" in set().union(*standing)) == named


def test_more_room_is_no_longer_advised_once_the_network_overfits() -> None:
    """Its test loss rises above its minimum long after its training loss has come to rest."""
    config = small(problem="photograph", networks="compressed", steps=3000, rank_bound=2)
    tests = [1.0, 0.9, 0.5, *[0.51] * 100, *[0.6] * 20]
    standing = seen(config, [1.0, 0.3, 0.2, *[0.1] * 120], tests)
    assert standing[102] == {"no room"} and standing[-1] == {"overfitting"}


@pytest.mark.parametrize("changed", [1.2, 3.0])
def test_the_cause_is_sought_in_the_rates_in_force(changed: float) -> None:
    """η was sound at the start and above its limit later, also by a larger α."""
    for change in (f"learning_rate={changed}", f"alpha={2 * (changed / 0.2) ** 1.5}"):
        config = full(steps=1000, changes=f"200:{change}", networks="compressed", init_scale=0.3)
        (failure,) = found(config)
        assert f"η is {changed:g} times its limit η*; lower η" in failure.sentence


@pytest.mark.parametrize("merging_first", [False, True])
def test_one_network_is_not_told_the_opposite_of_the_other(merging_first: bool) -> None:
    """The original is stuck, which a larger ε may help; the compressed one's modes merge."""
    goals = np.array([6.0, 4.0])
    facts = {
        "target_singular_values": [*goals],
        "surrogate_singular_values": [*(goals / 144)],
        "learning_rate": [1.0, 1.0],
    }
    watch = Watch(full(rank_bound=2, steps=2000, learning_rate=0.5), facts)
    begin = 5 if merging_first else 150  # the number of the record at which modes begin to rise
    rises = np.clip((np.arange(200) - begin) / 10, 1e-3, 1)
    stuck = records([1.0, *[0.1] * 199], [], goals)
    rising = records([*(1 - rises)], [], goals)
    for one, other, risen in zip(stuck, rising, rises, strict=True):
        values = other["compressed"].values | {"singular_values": goals * risen}
        both = {"original": one["compressed"]}
        both["compressed"] = dataclasses.replace(other["compressed"], values=values)
        told = watch.see(both)
    first, second = told
    names = [(first.name, first.network), (second.name, second.network)]
    assert sorted(names) == [("merging", "compressed"), ("plateau", "original")]
    assert names == sorted(names, reverse=not merging_first)
    advice = f"{first.sentence} {second.sentence}"
    assert ("larger ε" in advice) != ("smaller ε" in advice), advice


def test_more_depth_is_not_advised_where_too_little_is_seen() -> None:
    """60 sums are to fix 80 unknowns."""
    few = small(problem="sensing", rank=4, measurements=60)
    assert freedom(few) == 80 and not enough_seen(few)
    assert enough_seen(small(problem="sensing", rank=4, measurements=80))
    assert enough_seen(small(problem="factorization", rank=4))
    assert enough_seen(small(problem="photograph", rank=4, observed=0.1))


@pytest.mark.parametrize("name", FAILING)
def test_a_failure_survives_a_status_file(name: str) -> None:
    for each in found(FAILING[name]):
        assert Failure.read(json.loads(json.dumps(vars(each)))) == each


OLDER = {  # sentences of runs whose status has only step and sentence
    ("diverging", "original"): "The original network diverges: η is 3 times its limit η*; lower η.",
    ("no room", "compressed"): "All 2 modes of the compressed network are in use and its train "
    "loss stands still at 0.03: r̂ is below the rank; raise r̂.",
    ("plateau", "compressed_even"): "The compressed network without α comes no lower than a train "
    "loss of 0.0027, though noise and ε would allow 1.6 × 10⁻¹⁴: other seeds may help.",
    ("no gain", "original"): "No gain: the original network had an error of 0.1 by step 200, the "
    "compressed one has not yet; check r̂, α and L.",
    ("merging", "compressed"): "The modes of the compressed network rose together, not one by one: "
    "their plateaus merge at this ε; a smaller ε or more depth L sets them apart.",
    ("overfitting", "narrow_random"): "The narrow network with random start overfits: its test "
    "loss was lowest at step 800 and rises; stop early, or lower r̂.",
}


@pytest.mark.parametrize(("name", "network"), OLDER)
def test_a_failure_of_an_older_run_is_read(name: str, network: str) -> None:
    sentence = OLDER[name, network]
    read = Failure.read({"step": 800, "sentence": sentence})
    assert read == Failure(name, network, 800, sentence)
