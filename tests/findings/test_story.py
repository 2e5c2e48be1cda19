"""Story: sentences of real runs, their numbers held against what was recorded."""

import re
from typing import Any

import numpy as np
import pytest

from dynamics.core import cost
from dynamics.core.config import Config
from dynamics.core.records import Trajectory
from dynamics.core.words import RAISED, brief, lowered, value
from dynamics.findings.story import headline, story
from tests.support.few import few
from tests.support.make import full, is_sentence, small, watched


def told(config: Config) -> tuple[list[str], dict[str, Trajectory]]:
    """The story of a run that is trained now, and what it is about."""
    trajectories, failed = watched(config)
    return story(config, trajectories, failed), {each.network: each for each in trajectories}


def one(sentences: list[str], word: str) -> str:
    """The only sentence with this word."""
    (found,) = [each for each in sentences if word in each]
    return found


def number(sentence: str, before: str) -> float:
    """The number that follows these words."""
    found = re.search(rf"{re.escape(before)} ([\d,.]+)(?:\s×\s10({RAISED}))?", sentence)
    assert found, sentence
    return float(found[1].rstrip(".,").replace(",", "")) * 10 ** int(lowered(found[2] or "0"))


@pytest.mark.parametrize("problem", ["factorization", "completion", "sensing", "photograph"])
@pytest.mark.parametrize("networks", ["original,compressed", "compressed"])
def test_every_run_is_told_in_sentences(problem: str, networks: str) -> None:
    """The outcome of each network first; no number that is none."""
    config = small(problem=problem, networks=networks, rows=20, cols=20)
    sentences, found = told(config)
    assert all(is_sentence(each) for each in sentences), sentences
    assert not re.search(r"\b(nan|inf|None)\b", " ".join(sentences))
    for sentence, (name, trajectory) in zip(sentences, found.items(), strict=False):
        assert sentence.startswith(f"The {name} network reached")
        assert f"{trajectory.steps[-1]:,.0f} steps" in sentence


def test_a_run_without_records_has_no_story() -> None:
    assert story(full(), []) == []


def test_the_lead_is_the_product_of_its_causes() -> None:
    """Steps and cost of a step, from the records at which both networks came to the same error."""
    config = full(steps=2000, alpha=5.0, learning_rate=0.3)
    sentences, found = told(config)
    sentence = one(sentences, "To an error of")
    level = number(sentence, "To an error of")
    at = {name: each.first_at("recovery_error", level) for name, each in found.items()}
    steps, work = (
        getattr(found["original"], counter)[at["original"]]
        / getattr(found["compressed"], counter)[at["compressed"]]
        for counter in ("steps", "operations")
    )
    assert f"took {work:.2g} × fewer operations, the SVD of its start included: " in sentence
    cheaper = cost.operations(config, "original") / cost.operations(config, "compressed")
    assert f"{steps:.2g} × fewer steps, each {cheaper:.2g} × cheaper" in sentence
    assert "α = 5" in one(sentences, "same α")
    fair, _ = told(full(steps=2000, alpha=5.0, alpha_original=5.0, learning_rate=0.3))
    assert not any("same α" in each for each in fair)


def clocked(network: str, paces: list[float], operations: float = 1.0) -> Trajectory:
    """A network that reaches an error of 0.1 at step 80 after stretches of these seconds a step."""
    steps = np.arange(0.0, 90, 10)
    seconds = np.append(0, np.cumsum(10 * np.repeat(paces, 8 // len(paces))))
    errors = np.where(steps < 80, 1.0, 0.05)
    series = {"recovery_error": errors, "train_loss": errors}
    return Trajectory(network, steps, seconds, 0 * steps, operations * steps, series)


@pytest.mark.parametrize(
    ("original", "compressed", "said", "noise"),
    [
        ([1e-3], [1e-5], "too short to compare seconds", ""),
        ([0.1], [0.01], "10 × less time", "10 to 10"),
        ([0.1], [0.005, 0.015], "10 × less time", "6.7 to 20"),
        ([0.01], [0.1], "10 × more time", "10 to 10"),
        ([0.05, 0.15], [0.15, 0.06], "within the noise of the clock", ""),
    ],
)
def test_a_ratio_of_seconds_comes_with_its_noise_or_is_not_given(
    original: list[float], compressed: list[float], said: str, noise: str
) -> None:
    pair = [clocked("original", original), clocked("compressed", compressed)]
    sentence = one(story(full(alpha=1.0), pair), said)
    assert f"fast or slow, {noise} ×" in sentence if noise else "fast or slow" not in sentence


@pytest.mark.parametrize(("start", "told"), [(60, True), (80, False), (90, False)])
def test_no_lead_is_told_if_the_original_was_there_before_the_other_started(
    start: int, told: bool
) -> None:
    """Cutting the original to r̂ can raise its error; a ratio to no step or fewer means nothing."""
    steps = np.arange(start, 120.0, 10)
    errors = np.where(steps == start, 0.5, 0.05)
    series = {"recovery_error": errors, "train_loss": errors}
    late = Trajectory("compressed", steps, steps, 0 * steps, steps, series)
    config = full(steps=200, alpha=1.0, changes=f"{start}:compress")
    sentences = story(config, [clocked("original", [0.1]), late])
    assert any(each.startswith("To an error of") for each in sentences) == told


def held(sentences: list[str], found: dict[str, Trajectory]) -> bool:
    """Whether a lead is told; its numbers are those of the records at which both met the error."""
    told = [each for each in sentences if each.startswith("To an error of")]
    for sentence in told:
        level = value(sentence.removeprefix("To an error of ").partition(" the ")[0])
        other, own = found["original"], found["compressed"]
        theirs, mine = (each.first_at("recovery_error", level) for each in (other, own))
        assert theirs and mine
        start = own.steps[0]
        work = other.operations[theirs] / own.operations[mine]
        steps = (other.steps[theirs] - start) / (own.steps[mine] - start)
        for size, more, less in (
            (work, "fewer operations", "more operations"),
            (steps, "fewer steps", "more steps"),
        ):
            words = brief(max(size, 1 / size))
            assert 1 / 1.05 < size < 1.05 or f"{words} × {more if size > 1 else less}" in sentence
    return bool(told)


@pytest.mark.parametrize(
    "count", [4, pytest.param(120, marks=[pytest.mark.slow, pytest.mark.timeout(900)])]
)
def test_leads_of_random_runs_are_those_of_their_records(count: int) -> None:
    """Half of them with a late start; those that reach nothing tell no lead."""
    leads = 0
    for seed in range(count):
        draw = np.random.default_rng(seed)
        rank = int(draw.integers(1, 4))
        config = full(
            steps=2500,
            rank=rank,
            rank_bound=int(draw.integers(rank, 6)),
            depth=int(draw.integers(2, 5)),
            alpha=float(draw.uniform(0.3, 5)),
            alpha_original=float(draw.uniform(0.3, 5)),
            learning_rate=float(draw.uniform(0.03, 0.8)),
            seed_target=seed,
            changes=f"{draw.integers(1, 80) * 10}:compress" if seed % 2 else "",
        )
        sentences, found = told(config)
        leads += held(sentences, found)
        line = headline([*found.values()])
        lead = [each for each in sentences if each.startswith("To an error of")]
        if not seed % 2:  # the line at the foot of the page says what the sentence says
            assert bool(line) == bool(lead)
            assert all(
                part in lead[0]
                for part in line.replace(", the SVD included", "").split(": ")
                if part
            )
        else:
            assert not line
        if not seed % 2 and all(
            each.lowest("recovery_error") is not None and each.series["recovery_error"].min() <= 0.1
            for each in found.values()
        ):
            assert any(each.startswith("To an error of") for each in sentences)
    assert leads >= count / 4


@pytest.mark.parametrize("when", few([400, 100, 1200], 1))
@pytest.mark.parametrize("alpha", [1.0, 4.0])
def test_a_network_that_starts_late_carries_what_the_original_did(when: int, alpha: float) -> None:
    """Its counters go on from the original's, and it leads by what it did itself."""
    config = full(steps=2500, alpha=alpha, changes=f"{when}:compress", spectrum="power-law", rank=3)
    sentences, found = told(config)
    original, late = found["original"], found["compressed"]
    start = int(np.flatnonzero(original.steps == when)[0])
    assert late.seconds[0] > original.seconds[start] > 0
    own = cost.start(config, "compressed")
    assert late.operations[0] == original.operations[start] + own > own
    text = " ".join(sentences)
    measured = re.findall(r"(?:first|next) mode of the compressed network was half grown", text)
    times = re.findall(r"mode of the compressed network was half grown at step ([\d,]+)", text)
    assert all(int(each.replace(",", "")) > when for each in times) and len(measured) == len(times)
    before = (late.series["mode_values"][0] >= late.series["mode_values"][-1] / 2)[:3].sum()
    assert ("had risen in the original before it began" in text) == (before > 0)
    assert held(sentences, found) == any(
        f"{when:,} steps of the original before it included" in each for each in sentences
    )


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"depth": 3, "init_scale": 0.03, "spectrum": "power-law"}, "a plateau of its own"),
        ({"depth": 2, "init_scale": 0.4, "spectrum": "power-law"}, "their plateaus merged"),
    ],
    ids=["apart", "merged"],
)
def test_plateaus_are_told_apart_from_merging_modes(changes: dict[str, Any], word: str) -> None:
    config = full(
        **({"rank": 3, "networks": "compressed", "steps": 6000, "record_every": 5} | changes)
    )
    sentences, found = told(config)
    sentence = one(sentences, "half grown")
    assert word in sentence
    values = found["compressed"].series["singular_values"][:, 0]
    half = found["compressed"].steps[np.argmax(values >= values[-1] / 2)]
    assert abs(number(sentence, "at step") - half) <= 5


def test_a_diverged_network_is_told_with_its_distance_from_the_limit() -> None:
    sentences, found = told(full(learning_rate=3.0, steps=3000, init_scale=0.3))
    assert not np.isfinite(found["compressed"].series["train_loss"][-1])
    sentence = one(sentences, "The compressed network diverged")
    assert number(sentence, "η was") == pytest.approx(3.0, rel=0.01)
    assert number(sentence, "by step") == found["compressed"].steps[-1]


def test_a_width_below_the_rank_is_told_with_the_error_that_stays() -> None:
    """The network ends at the bound that the sentence names."""
    sentences, found = told(full(rank=4, rank_bound=2, steps=2000))
    sentence = one(sentences, "no room for 2 of the 4 modes")
    left = found["compressed"].series["recovery_error"][-1]
    assert number(sentence, "cannot fall below") == pytest.approx(left, rel=0.06)
    assert not any("had not risen" in each for each in sentences)


def test_a_short_budget_is_told_with_the_steps_that_it_lacks() -> None:
    """A longer run of the same settings has its last mode half grown at the step foretold."""
    long = full(networks="compressed", spectrum="power-law", init_scale=0.05, steps=4000)
    _, found = told(long)
    values = found["compressed"].series["singular_values"][:, 1]
    needed = found["compressed"].steps[np.argmax(values > values[-1] / 2)]
    short = full(**{**long.to_dict(), "steps": int(0.7 * needed)})
    sentence = one(told(short)[0], "1 of the 2 modes of the compressed network had not risen")
    assert number(sentence, "at about step") == pytest.approx(needed, rel=0.02)
    assert not any("had not risen" in each for each in told(long)[0])


def test_noise_that_is_learned_is_told_with_the_step_to_stop_at() -> None:
    config = small(
        problem="completion", rows=30, cols=30, noise=0.5, rank_bound=8, networks="compressed",
        observed=0.5, learning_rate=0.3, rate_unit="limit", steps=3000,
    )  # fmt: skip
    sentences, found = told(config)
    losses = found["compressed"].series["test_loss"]
    sentence = one(sentences, "stopping early")
    assert number(sentence, "lowest at step") == found["compressed"].steps[losses.argmin()]
    assert number(sentence, "and") == pytest.approx(losses[-1] / losses.min(), rel=0.06)


def test_what_was_not_seen_is_told_apart_from_what_was_fitted() -> None:
    """Two factors and few entries: zero train loss far from the matrix."""
    config = small(
        problem="completion", rows=20, cols=20, depth=2, init_scale=0.3, rank_bound=12,
        observed=0.3, networks="compressed", learning_rate=0.3, rate_unit="limit", steps=8000,
    )  # fmt: skip
    sentences, found = told(config)
    series = found["compressed"].series
    assert series["train_loss"][-1] < 1e-6 * series["train_loss"][0]
    assert series["recovery_error"][-1] > 0.05
    assert one(sentences, "not the rest")


def test_too_few_sums_are_told_with_the_number_that_is_needed() -> None:
    """More depth cannot help where 30 sums are to fix 80 unknowns."""
    config = small(
        problem="sensing", rank=4, rank_bound=8, measurements=30, networks="compressed",
        init_scale=0.3, learning_rate=0.3, rate_unit="limit", steps=4000,
    )  # fmt: skip
    sentences, found = told(config)
    series = found["compressed"].series
    assert series["train_loss"][-1] < 1e-6 * series["train_loss"][0]
    assert "80 free parameters, so 30 sums" in one(sentences, "not the rest")
    assert "depth" not in " ".join(sentences)


def test_changes_on_the_way_are_told_first() -> None:
    config = small(changes="20:alpha=3;30:compress", networks="original,compressed")
    sentences, _ = told(config)
    assert sentences[:2] == [
        "From step 20 on: α 2 → 3.",
        "From step 30 on: the compressed network continues from the original.",
    ]


def test_what_is_told_apart_is_named_in_the_order_of_its_steps() -> None:
    """What all share, then plants from animals, then smaller groups; each at its measured step."""
    config = Config.from_dict({"problem": "semantic"})
    sentences, found = told(config)
    for name, trajectory in found.items():
        (sentence,) = [each for each in sentences if f"{name} network learned, in this" in each]
        listed = re.findall(r"([^:;]+) \(step ([\d,]+)\)", sentence)
        assert [words.strip() for words, _ in listed][:2] == ["what all share", "animals | plants"]
        steps = [int(step.replace(",", "")) for _, step in listed]
        assert steps == sorted(steps) and len(steps) > 3
        first = trajectory.series["singular_values"][:, 0]
        crossed = trajectory.steps[np.argmax(first >= first[-1] / 2)]
        assert abs(crossed - steps[0]) <= config.record_every
