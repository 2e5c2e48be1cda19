"""Digits: every network of the problem, from its settings to the last record."""

import dataclasses
import math
import subprocess
import sys
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

LAST_DIGIT = 1e-15  # of float64, and a little more
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


def test_the_first_record_comes_without_what_is_slow_to_load() -> None:
    """Scikit-learn, and torch's compiler with its algebra, take a second each."""
    code = (
        "import sys; from dynamics.core.config import Config; "
        "from dynamics.engine.training.comparison import prepare; "
        "config = Config.from_dict({'problem': 'digits', 'steps': 2, 'record_every': 1}); "
        "assert sum(each is not None for each in prepare(config)) == 3; "
        "print({'sklearn', 'sympy', 'torch._dynamo', 'pandas'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=300
    )
    assert done.stdout.strip() == "set()", done.stdout


def test_a_spectral_start_counts_its_look_at_all_images() -> None:
    first, *_ = records(config(steps=1, record_every=1))
    forward = 2 * (64 * 16 + 16 * 16) + 2 * 16 * 10
    counted = {name: record.operations for name, record in first.items()}
    assert counted.pop("compressed") == 1400 * forward + cost.svd(16, 10)
    assert set(counted.values()) == {0}


def test_the_last_record_reads_all_held_out_images(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(classification.SHOWN, "held", 50)
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
    "place": "hidden",
    "backbone": "cnn",
    "activation": "gelu",
    "features": 20,
    "backbone_rate": 0.5,
    "alpha_first": 3.0,
    "batch": 50,
    "images": 500,
    "validation": 0.1,
    "label_noise": 0.3,
    "sharpness": 2,
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
    found = []
    for made in (one, other):
        values = [each["original"].values for each in records(made)]
        found.append([(float(each["train_loss"]), [*each]) for each in values])
    assert (found[0] != found[1]) == read
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


def test_a_hidden_layer_can_be_replaced_by_a_narrow_one_on_the_way() -> None:
    """The cut is the best of rank r̂, so that it costs less the wider it is."""
    lost = []
    for bound in (2, 8, 16):
        rows = records(
            config(place="hidden", networks="original,compressed", changes="40:compress", steps=60,
                   rank_bound=bound, init_scale=1.0)
        )  # fmt: skip
        values = [float(rows[2][name].values["test_loss"]) for name in ("original", "compressed")]
        assert rows[-1]["compressed"].outcome == "done"
        lost.append(values[1] - values[0])
    assert lost[0] > lost[1] > abs(lost[2]) * 2 and abs(lost[2]) < 1e-10


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
        ({"changes": "40:compress", "rank_bound": 11}, "changes"),
        ({"rate_unit": "limit"}, "rate_unit"),
        ({"equal": "margin"}, "equal"),
        ({"place": "hidden"}, "networks"),
        ({"place": "hidden", "networks": "original,original_layered"}, "networks"),
        (
            {"place": "hidden-active", "networks": "original,compressed", "changes": "9:compress"},
            "changes",
        ),
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


@pytest.mark.parametrize("depth", [2, 4])
@pytest.mark.parametrize("optimizer", choices("optimizer"))
def test_hidden_units_above_the_classes_stay_at_zero_and_change_nothing(
    optimizer: str, depth: int
) -> None:
    """The network is that of r̂ = K, as the warning before the run says, but for rounding.

    Adam divides small gradients by themselves, so how much rounding grows depends on optimizer and
    processor: the measure is a start that differs by one unit in the last place of ε.
    """
    rate = {"adam": 0.003, "rmsprop": 0.003}.get(optimizer, 0.1)
    common = {"networks": "compressed", "optimizer": optimizer, "learning_rate": rate}
    exact = config(**common, depth=depth, rank_bound=10)
    wide = dataclasses.replace(exact, rank_bound=14)
    beside = dataclasses.replace(exact, init_scale=math.nextafter(exact.init_scale, 1))
    ends = [records(each)[-1]["compressed"].moment for each in (exact, wide, beside)]
    assert all(ends)
    first, *_, last = ends[1].factors
    assert not first[10:].any() and not last[:, 10:].any() and first[:10].any()
    products = [product(end.factors) for end in ends]
    weights = [torch.cat([value.flatten() for value in end.backbone.values()]) for end in ends]
    for same, spare, rounded in (products, weights):
        assert relative(spare, same) < 5 * relative(rounded, same) + LAST_DIGIT


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"rank_bound": 10}, ""),
        ({"rank_bound": 14}, "number of classes, 10: the gradient has no more directions to start "
         "from, so 4 hidden units of the compressed network"),
        ({"rank_bound": 7, "features": 6}, "number of features, 6: the gradient has no more "
         "directions to start from, so 1 hidden unit of the compressed network"),
        ({"rank_bound": 14, "networks": "narrow_random,original"}, ""),
    ],
    ids=str,
)  # fmt: skip
def test_a_width_without_a_direction_is_warned_of(changes: dict[str, Any], said: str) -> None:
    found = [advice.sentence for advice in forecast(config(**changes)).warnings]
    assert len(found) == bool(said)
    for sentence in found:
        assert said in sentence and is_sentence(sentence)
    mend = {
        name: value
        for each in forecast(config(**changes)).warnings
        for name, value in each.mend.items()
    }
    assert not forecast(config(**(changes | mend))).warnings


def test_a_random_start_takes_any_width() -> None:
    last = records(config(networks="narrow_random", rank_bound=12, steps=20))[-1]
    assert np.isfinite(last["narrow_random"].values["singular_values"]).all()


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
    """Nothing of a target, of its recovery or of a stability limit."""
    made = config(**changes)
    trajectories, failed = watched(made)
    sentences = [*story(made, trajectories, failed), *(each.sentence for each in failed)]
    assert sentences and all(map(is_sentence, sentences)), sentences
    for word in ("η*", "target", "recover", "rank", "mode", "theory", "error", "r̂", "invariant"):
        assert not any(word in sentence for sentence in sentences), (word, sentences)
    diverged = "learning_rate" in changes and changes["learning_rate"] > 1
    (said,) = [each for each in sentences if "on held-out images is" in each] or [""]
    assert diverged or all(f"for the {traits.full_name(name)}" in said for name in HEADS)
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
