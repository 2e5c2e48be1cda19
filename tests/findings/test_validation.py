"""Validation: images kept apart, when they would have stopped the training, and what is said."""

import dataclasses
import re
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dynamics.core.config import Config
from dynamics.core.records import Trajectory
from dynamics.core.traits import full_name
from dynamics.core.words import plain
from dynamics.engine.losses.classification import Classification
from dynamics.engine.training.comparison import prepare
from dynamics.findings.story import story
from dynamics.findings.validation import best, told
from tests.engine.test_digits import config
from tests.support.make import is_sentence, recorded


def parts(**changes: Any) -> Classification:
    task = prepare(config(networks="plain", **changes)).problem
    assert isinstance(task, Classification)
    return task


def test_a_validation_part_is_kept_apart_from_training() -> None:
    """As much of each class as of all; with the same images it would tell nothing."""
    task, all_of_them = parts(validation=0.25), parts()
    apart = task._shown["validation"]
    assert (len(task._images), len(apart), len(task._held)) == (1050, 350, 397)
    images = torch.cat([task._images.pixels, apart.pixels]).flatten(1)
    assert len(images.unique(dim=0)) == len(all_of_them._images.pixels.flatten(1).unique(dim=0))
    for label in range(10):
        share = int((apart.labels == label).sum()) / int(
            (all_of_them._images.labels == label).sum()
        )
        assert share == pytest.approx(0.25, abs=0.01)
    assert torch.equal(task._held.labels, all_of_them._held.labels)
    assert not all_of_them.has("validation") and task.has("validation")


def test_wrong_labels_are_in_the_validation_part_too_and_in_none_that_is_held_out() -> None:
    clean, noisy = (parts(validation=0.25, label_noise=share) for share in (0.0, 0.4))
    wrong = noisy._shown["validation"].labels != clean._shown["validation"].labels
    assert int(wrong.sum()) == 140
    assert int((noisy._images.labels != clean._images.labels).sum()) == 420
    assert torch.equal(noisy._held.labels, clean._held.labels)


@pytest.mark.parametrize(
    "changes",
    [
        {"label_noise": 0.5, "images": 300, "learning_rate": 0.1, "steps": 300},
        {"steps": 40, "init_scale": 1.0},
        {"learning_rate": 500.0, "optimizer": "gradient_descent"},
    ],
    ids=str,
)
def test_what_is_said_of_stopping_is_what_the_records_have(changes: dict[str, Any]) -> None:
    made = config(validation=0.2, networks="original,compressed,plain", **changes)
    trajectories = recorded(made)
    sentences = [each for each in story(made, trajectories) if "validation" in each]
    sound = [each for each in trajectories if np.isfinite(each.series["train_loss"][-1])]
    assert len(sentences) == len(sound)
    for each, sentence in zip(sound, sentences, strict=True):
        check(each, sentence)
    assert not any("validation" in each for each in story(made, recorded(config(steps=20))))


def check(trajectory: Trajectory, sentence: str) -> None:
    """The numbers of a sentence, read back and found in the records."""
    assert is_sentence(sentence) and full_name(trajectory.network) in sentence
    validation, accuracy = (trajectory.series[name] for name in ("validation_accuracy", "accuracy"))
    step, *shares = map(float, re.findall(r"[\d.]+", sentence.replace(",", "").rstrip(".")))
    record = int(np.flatnonzero(trajectory.steps == step)[0])
    highest = np.nanmax(validation)
    assert validation[record] == highest and not (validation[:record] >= highest).any()
    wanted = [100 * highest]
    if record < len(accuracy) - 1:
        wanted += [100 * accuracy[record], 100 * accuracy[-1]]
    assert shares == pytest.approx(wanted, abs=0.051)
    assert ("last step" in sentence) == (record == len(accuracy) - 1)


@settings(max_examples=100, deadline=None)
@given(
    numbers=st.lists(
        st.tuples(*2 * [st.sampled_from([0.0, 0.1, 0.5, 0.505, 1.0])]), min_size=1, max_size=5
    )
)
def test_any_records_are_told_truly(numbers: list[tuple[float, float]]) -> None:
    """Ties, a single record, the best one first or last."""
    columns = np.array(numbers).T
    series = dict(zip(("validation_accuracy", "accuracy"), columns, strict=True))
    none = np.zeros(len(numbers))
    made = Trajectory("plain", 10.0 * np.arange(len(numbers)), none, none, none, series)
    (sentence,) = told([made])
    check(made, sentence)


def test_where_no_accuracy_is_known_no_record_is_best() -> None:
    none = np.zeros(3)
    for series in ({}, {"validation_accuracy": np.full(3, np.nan)}):
        made = Trajectory("plain", none, none, none, none, series)
        assert best(made) is None and not [*told([made])]
    made = Trajectory(
        "plain", none, none, none, none, {"validation_accuracy": np.array([np.nan, 0.5, 0.4])}
    )
    assert best(made) == 1


@pytest.mark.parametrize("seed", range(12))
def test_what_is_said_of_stopping_a_completion_is_what_the_records_have(seed: int) -> None:
    is_told_truly(seed)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_two_hundred_stops_of_completions_are_what_the_records_have() -> None:
    for seed in range(12, 212):
        is_told_truly(seed)


def is_told_truly(seed: int) -> None:
    """Noisy runs that overfit, and clean ones whose last record is their best."""
    draw = np.random.default_rng(seed)
    made = Config.from_dict({
        "rows": 24, "cols": 20, "rank": 2, "rank_bound": int(draw.integers(2, 9)),
        "observed": draw.uniform(0.4, 0.9), "noise": draw.choice([0.0, 0.2, 0.5]),
        "validation": 0.2, "init_scale": 0.3, "learning_rate": 0.2, "rate_unit": "limit",
        "depth": int(draw.integers(2, 5)), "steps": int(draw.choice([40, 1500])),
        "record_every": 20, "seed_data": seed, "seed_noise": seed,
    })  # fmt: skip
    trajectories = recorded(made)
    sentences = [each for each in story(made, trajectories) if "validation" in each]
    assert len(sentences) == len(trajectories)
    for each, sentence in zip(trajectories, sentences, strict=True):
        assert is_sentence(sentence) and full_name(each.network) in sentence
        validation, errors = (each.series[f"{of}_error"] for of in ("validation", "recovery"))
        record = int(np.nanargmin(validation))
        assert f"at step {each.steps[record]:,.0f}" in sentence
        last = record == len(errors) - 1
        shown = [errors[record], *([] if last else [errors[-1], np.nanmin(errors)])]
        power = r"(?:\u00a0×\u00a010[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)?"
        told = re.findall(rf"(?:error is |there, |and )([\d.]+{power})", sentence)
        assert told == [plain(value) for value in shown]
    without = dataclasses.replace(made, validation=0.0)
    assert not any("validation" in each for each in story(without, recorded(without)))
