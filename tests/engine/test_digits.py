"""Digits: every network of the problem, from its settings to the last record."""

import dataclasses
from typing import Any

import numpy as np
import pytest
import torch

from dynamics.core import cost, registry, traits
from dynamics.core.config import PROBLEM_SETTINGS, Config, ConfigError, choices
from dynamics.core.sizes import widths
from dynamics.engine.factors import product
from dynamics.engine.losses import classification
from dynamics.engine.losses.classification import Classification
from dynamics.engine.measuring.moment import Resumable
from dynamics.engine.steps.fastest import fastest
from dynamics.engine.training.comparison import prepare
from dynamics.findings.failures import CHECKS
from dynamics.findings.story import story
from dynamics.theory.forecast import forecast
from tests.support.make import is_sentence, relative, watched

HEADS = ("original", "original_layered", "compressed", "narrow_random", "plain")


def config(**changes: Any) -> Config:
    """All heads in float64 on small features: a few milliseconds a record."""
    settings = {"problem": "digits", "networks": HEADS, "dtype": "float64", "features": 16}
    more = {"init_scale": 0.3, "steps": 60, "record_every": 20, "batch": 32}
    return Config.from_dict(settings | more | changes)


def records(config: Config) -> list[dict[str, Resumable]]:
    return [each for each in prepare(config) if each]


@pytest.mark.parametrize("depth", [2, 4])
def test_the_original_layer_by_layer_has_the_same_numbers(depth: int) -> None:
    last = records(config(networks="original,original_layered", depth=depth))[-1]
    ours, theirs = (each.moment for each in last.values())
    assert ours and theirs
    for one, other in zip(ours.factors, theirs.factors, strict=True):
        assert relative(one, other) < 1e-12
    for name, value in ours.backbone.items():
        assert relative(value, theirs.backbone[name]) < 1e-12
    same = {name: last["original"].values[name] for name in ("train_loss", "accuracy")}
    for name, value in same.items():
        np.testing.assert_allclose(value, last["original_layered"].values[name], rtol=1e-12)


def test_what_is_recorded_of_each_head() -> None:
    first, *_, last = records(config(steps=200, init_scale=1.0))
    for name, record in last.items():
        depth, width = (1, None) if name == "plain" else (3, 10 if name in HEADS[2:4] else 16)
        values = record.values
        assert record.moment and len(record.moment.factors) == depth
        assert {"train_loss", "test_loss", "accuracy", "singular_values"} <= set(values)
        assert values["singular_values"].shape == (10,)
        assert values["factor_singular_values"].shape == (depth, min(width or 10, 16))
        assert float(values["accuracy"]) > 0.7 > 3 * float(first[name].values["accuracy"])
        assert float(values["train_loss"]) < 0.7 * float(first[name].values["train_loss"])
        values = np.linalg.svd(product(record.moment.factors).numpy())[1]
        np.testing.assert_allclose(record.values["singular_values"], values, atol=1e-12)
        assert record.operations > record.step * 6 * 32 * (64 * 16 + 16 * 16) * 0.8


def test_a_spectral_start_counts_its_look_at_all_images() -> None:
    first, *_ = records(config(steps=1, record_every=1))
    forward = 2 * (64 * 16 + 16 * 16) + 2 * 16 * 10
    counted = {name: record.operations for name, record in first.items()}
    assert counted.pop("compressed") == 1400 * forward + cost.svd(16, 10)
    assert set(counted.values()) == {0}


def test_the_last_record_reads_all_held_out_images(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(classification, "SHOWN", 50)
    *before, last = records(config(networks="compressed", init_scale=1.0))
    for records_, count in ((before, 50), ([last], 397)):
        for record in records_:
            correct = count * float(record["compressed"].values["accuracy"])
            assert abs(correct - round(correct)) < 1e-9


def test_all_heads_share_the_backbone_and_the_mini_batches() -> None:
    comparison = prepare(config())
    start = comparison.problem.backbone()
    assert start and len({id(each.backbone) for each in comparison.networks.values()}) == len(HEADS)
    batches = []
    momentum = registry.load("optimizers", "momentum")
    for network in comparison.networks.values():
        assert network.backbone is not None
        for one, other in zip(start.parameters(), network.backbone.parameters(), strict=True):
            assert torch.equal(one, other)
        steps = fastest(network, comparison.problem, momentum, 0.1)
        steps.step(3)
        assert isinstance(steps.problem, Classification)
        batches.append(steps.problem.batch()[0])
    assert all(torch.equal(batches[0], batch) for batch in batches)


@pytest.mark.parametrize("network", HEADS)
def test_a_head_is_what_its_constants_say(network: str) -> None:
    comparison = prepare(config(networks=network, rank_bound=7, width=20))
    built = comparison.networks[network]
    assert built.widths == widths(comparison.config, network)
    assert built.layered == (network == "original_layered")
    left, _, _ = comparison.problem.surrogate(2)
    aligned = relative(built.factors[-1][:, :2] / 0.3, left) < 1e-12
    assert aligned == traits.network(network).spectral
    norm = float(built.factors[-1].norm()) / 0.3
    assert norm == pytest.approx(min(built.widths[-2:]) ** 0.5)


OTHER: dict[str, Any] = {
    "backbone": "cnn",
    "activation": "gelu",
    "features": 20,
    "backbone_rate": 0.5,
    "batch": 50,
    "images": 500,
    "label_noise": 0.3,
    "seed_data": 1,
    "seed_noise": 1,
    "seed_backbone": 1,
    "rows": 13,
    "noise": 0.3,
    "seed_target": 1,
}


@pytest.mark.parametrize("setting", OTHER)
def test_a_setting_counts_if_the_problem_says_that_it_reads_it(setting: str) -> None:
    """``READS`` decides which runs are the same: a wrong list would show one run for another."""
    one = config(networks="original", steps=2, record_every=1, label_noise=0.1)
    other = dataclasses.replace(one, **{setting: OTHER[setting]})
    read = setting in traits.problem("digits").reads
    assert (one.key != other.key) == read
    losses = [[float(each["original"].values["train_loss"]) for each in records(c)]
              for c in (one, other)]  # fmt: skip
    assert (losses[0] != losses[1]) == read
    assert set(traits.problem("digits").reads) <= {*OTHER} <= {*PROBLEM_SETTINGS}


def test_label_noise_and_fewer_images_are_what_is_asked_for() -> None:
    clean, noisy = (
        prepare(config(label_noise=share, images=1000, networks="plain")).problem
        for share in (0.0, 0.4)
    )
    assert isinstance(clean, Classification) and isinstance(noisy, Classification)
    assert len(clean._images) == len(noisy._images) == 1000
    assert torch.equal(clean._images.pixels, noisy._images.pixels)
    assert int((clean._images.labels != noisy._images.labels).sum()) == 400
    assert torch.equal(clean._held.labels, noisy._held.labels) and len(clean._held) == 397
    pixels = clean._images.pixels
    assert float(pixels.mean()) == pytest.approx(0, abs=1e-6)
    assert float(pixels.std(correction=0)) == pytest.approx(1, abs=1e-6)


def test_compressing_on_the_way_changes_no_logit_and_keeps_the_batches() -> None:
    """W has rank K at most, so a cut to r̂ = K keeps it; both then learn on at nearly one pace."""
    rows = records(config(networks="original,compressed", changes="40:compress", steps=80))
    cut = rows[2]
    for name in ("train_loss", "test_loss", "accuracy"):
        one, other = (cut[network].values[name] for network in ("original", "compressed"))
        np.testing.assert_allclose(one, other, rtol=1e-10)
    losses = [float(rows[-1][name].values["train_loss"]) for name in ("original", "compressed")]
    assert losses[0] == pytest.approx(losses[1], rel=0.05)
    assert losses[0] < float(cut["original"].values["train_loss"])


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"rank_bound": 11}, "rank_bound"),
        ({"features": 6}, "rank_bound"),
        ({"rate_unit": "limit"}, "rate_unit"),
        ({"equal": "margin"}, "equal"),
        ({"networks": "original_reduced"}, "networks"),
        ({"problem": "completion", "rank": 2}, "networks"),
        ({"matrices": "depth"}, "matrices"),
    ],
    ids=str,
)
def test_settings_that_mean_nothing_here_get_one_sentence(
    changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        config(**changes)
    assert set(caught.value.problems) == {field}
    assert is_sentence(caught.value.problems[field])


def test_a_width_above_the_classes_is_only_refused_to_a_spectral_start() -> None:
    assert config(networks="narrow_random", rank_bound=20).rank_bound == 20
    last = records(config(networks="narrow_random", rank_bound=12, steps=20))[-1]
    assert np.isfinite(last["narrow_random"].values["singular_values"]).all()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"batch": 1401}, "batch must be at most 1,400"),
        ({"images": 1401}, "images must be at most 1,400"),
        ({"images": 20}, "batch must be at most 20"),
    ],
)
def test_more_images_than_there_are_get_one_sentence(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words) as caught:
        prepare(config(**changes))
    assert is_sentence(str(caught.value))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"steps": 400, "label_noise": 0.5, "images": 200, "learning_rate": 0.1},
        {"learning_rate": 500.0, "optimizer": "gradient_descent"},
        {"rank_bound": 2, "steps": 300},
    ],
    ids=str,
)
def test_what_is_said_of_a_run_is_only_what_is_known(changes: dict[str, Any]) -> None:
    """Nothing of a target, of its recovery, of a stability limit or of modes."""
    made = config(**changes)
    trajectories, failed = watched(made)
    sentences = [*story(made, trajectories, failed), *(each.sentence for each in failed)]
    assert sentences and all(map(is_sentence, sentences)), sentences
    for word in ("η*", "target", "recover", "matrix", "rank", "mode", "theory", "error", "r̂"):
        assert not any(word in sentence for sentence in sentences), (word, sentences)
    diverged = "learning_rate" in changes and changes["learning_rate"] > 1
    said = [sentence for sentence in sentences if "of the held-out images" in sentence]
    assert len(said) == (0 if diverged else len(HEADS)) or diverged
    assert {each.name for each in failed} <= {"diverging", "overfitting"} <= {*CHECKS}
    if diverged:
        assert any("diverge" in sentence for sentence in sentences)


def test_theory_is_silent() -> None:
    made = forecast(config())
    for network in made.networks.values():
        for field in dataclasses.fields(network):
            assert getattr(network, field.name).standing == "unknown"
    assert not made.warnings and made.zone("original") is None


@pytest.mark.parametrize("backbone", sorted(choices("backbone")))
def test_every_backbone_trains_in_single_precision(backbone: str) -> None:
    made = config(backbone=backbone, dtype="float32", networks="compressed", steps=5)
    last = records(made)[-1]["compressed"]
    assert np.isfinite(float(last.values["train_loss"])) and last.outcome == "done"
