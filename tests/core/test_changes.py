"""Changes on the way: their text, rates against scalar recursions, compression at a moment."""

from typing import Any

import numpy as np
import pytest
import torch

from dynamics.core import changes, cost
from dynamics.core.config import Config, ConfigError
from dynamics.engine.factors import product, truncated
from dynamics.engine.training.comparison import Comparison, prepare
from tests.engine.training.test_comparison import trained
from tests.support.make import gaussian, is_sentence, relative, small

OPTIMIZERS = {
    "gradient_descent": torch.optim.SGD,
    "momentum": lambda groups: torch.optim.SGD(groups, momentum=0.9),
    "adam": torch.optim.Adam,
}


def series(comparison: Comparison, network: str, name: str) -> dict[int, Any]:
    """A measurement of a network, by step."""
    rows = [row[network] for row in trained(comparison) if network in row]
    return {record.step: np.array(record.values[name]) for record in rows}


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", ""),
        (" 30 : learning_rate = 2.0 , alpha=0.5;", "30:alpha=0.5,learning_rate=2"),
        ("30:alpha=3;40: compress ;;", "30:alpha=3;40:compress"),
        ("7:compress,alpha=1e-5", "7:alpha=1e-05,compress"),
        ("5:alpha_original=0.30000000000000004", "5:alpha_original=0.30000000000000004"),
    ],
)  # fmt: skip
def test_equal_changes_have_one_text(text: str, wanted: str) -> None:
    """The key of a run is made of it: blanks and the order of writing decide nothing."""
    config = small(changes=text)
    assert config.changes == wanted == Config.from_dict(config.to_dict()).changes
    assert config.key == small(changes=wanted).key


def test_changes_to_what_is_so_already_do_not_make_another_run() -> None:
    """α is 2 from the start, and 3 from step 20 on: saying so again changes nothing."""
    assert small(changes="10:alpha=2").key == small().key
    again = small(changes="20:alpha=3;30:alpha=3,learning_rate=0.5")
    assert again.key == small(changes="20:alpha=3;30:learning_rate=0.5").key
    assert small(changes="20:alpha=3;30:alpha=2").key != small(changes="20:alpha=3").key


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("nonsense", "like"),
        ("0:alpha=2", "from 1 on"),
        ("-5:alpha=2", "from 1 on"),
        ("5.5:alpha=2", "from 1 on"),
        ("20:alpha=2;10:alpha=3", "ascending"),
        ("20:alpha=2;20:learning_rate=1", "ascending"),
        ("20:depth=4", "can set"),
        ("20:", "can set"),
        ("20:alpha", "a number"),
        ("20:alpha=0", "above 0"),
        ("20:learning_rate=1e9", "at most"),
        ("20:alpha=2,alpha=3", "once"),
        ("20:compress;30:compress", "once"),
        ("60:alpha=3", "before the last step"),
    ],
)
def test_what_cannot_change_gets_one_sentence(text: str, part: str) -> None:
    with pytest.raises(ConfigError) as caught:
        small(changes=text)
    assert set(caught.value.problems) == {"changes"}
    sentence = caught.value.problems["changes"]
    assert part in sentence and is_sentence(sentence)


@pytest.mark.parametrize(
    "settings", [{"networks": "compressed"}, {"width": 3, "rank_bound": 4}, {"changes": 3}]
)
def test_what_cannot_be_compressed_gets_one_sentence(settings: dict[str, Any]) -> None:
    with pytest.raises(ConfigError) as caught:
        small(**({"changes": "30:compress"} | settings))
    assert is_sentence(caught.value.problems["changes"])


def test_labels_say_from_what_to_what() -> None:
    config = small(changes="20:alpha=3,learning_rate=0.5;30:alpha=1,compress")
    assert changes.told(config.schedule, config.rates) == [
        (20, "α 2 → 3, η 1 → 0.5"),
        (30, "α 3 → 1, compressed"),
    ]  # fmt: skip


@pytest.mark.parametrize("engine", ["compressed", "compressed_reduced"])
@pytest.mark.parametrize("unit", ["absolute", "limit"])
def test_a_change_is_that_of_the_scalar_recursion_at_exactly_its_step(
    engine: str, unit: str
) -> None:
    """On a full target each mode is one pair of numbers: a step early or late shows at once."""
    config = small(
        problem="factorization",
        networks=engine,
        rank_bound=2,
        init_scale=0.3,
        learning_rate=0.2,
        rate_unit=unit,
        steps=200,
        changes="33:learning_rate=0.1,alpha=5;90:alpha=0.5;140:learning_rate=0.3,alpha_original=9",
    )
    comparison = prepare(config)
    goals = np.array(comparison.facts["target_singular_values"], np.longdouble)
    unit_rate = comparison.learning_rate / 0.2 / 144
    a, b, values = np.full(2, 0.3, np.longdouble), np.full(2, 0.3, np.longdouble), {}
    rate, alpha = 0.2, 2.0
    for step in range(201):
        values[step] = a * a * b
        rate, alpha = {33: (0.1, 5.0), 90: (0.1, 0.5), 140: (0.3, 0.5)}.get(step, (rate, alpha))
        error = rate * unit_rate * (a * a * b - goals)
        a, b = a - alpha * error * a * b, b - error * a * a
    found = series(comparison, engine, "singular_values")
    assert {33, 90, 140} < set(found) and list(found) == sorted({*range(0, 201, 10), 33})
    assert abs(1 - values[33][0] / goals[0]) > 1e-8 < abs(1 - values[90][1] / goals[1])
    for step, value in found.items():
        assert np.abs(value[:2] - np.sort(values[step])[::-1]).max() < 1e-12 * float(goals[0])


@pytest.mark.parametrize("optimizer", list(OPTIMIZERS))
def test_a_change_is_that_of_torch_with_new_rates_and_its_memory_kept(optimizer: str) -> None:
    """Autograd and torch.optim on the same factors, the groups' rates set anew at the step."""
    rate = 0.02 if optimizer == "adam" else 1.0
    config = small(
        optimizer=optimizer,
        learning_rate=rate,
        changes=f"25:learning_rate={rate / 4:g},alpha=3,alpha_original=2",
    )
    comparison = prepare(config)
    for name, alphas in {"original": (1.0, 2.0), "compressed": (2.0, 3.0)}.items():
        factors = [each.clone().requires_grad_() for each in comparison.networks[name].factors]
        outer, inner = [factors[0], factors[-1]], factors[1:-1]
        groups = [{"params": outer, "lr": rate * alphas[0]}, {"params": inner, "lr": rate}]
        ours, losses = OPTIMIZERS[optimizer](groups), {}
        for step in range(61):
            if step == 25:
                ours.param_groups[0]["lr"] = rate / 4 * alphas[1]
                ours.param_groups[1]["lr"] = rate / 4
            ours.zero_grad()
            mask, negative = comparison.problem.masked  # 0 and −Y where observed
            loss = (mask * product(factors) + negative).square().sum() / mask.sum() / 2
            losses[step] = float(loss.detach())
            loss.backward()
            ours.step()
        found = series(prepare(config), name, "train_loss")
        for step, loss in found.items():
            assert float(loss) == pytest.approx(losses[step], rel=1e-9), (name, step)


@pytest.mark.parametrize("problem", ["completion", "factorization", "sensing"])
@pytest.mark.parametrize("recording", ["even", "escapes"])
def test_a_run_with_a_change_is_the_run_without_it_until_then(problem: str, recording: str) -> None:
    """To the last bit, and another one from then on."""
    settings = {"problem": problem, "recording": recording, "learning_rate": 0.3}
    plain = prepare(small(**settings))
    turned = prepare(small(**settings, changes="35:alpha=4,alpha_original=3"))
    for name in ("original", "compressed"):
        before, after = series(plain, name, "train_loss"), series(turned, name, "train_loss")
        plain, turned = prepare(plain.config), prepare(turned.config)
        shared = [step for step in before if step in after and step <= 35]
        assert shared and 35 in after
        assert all(before[step] == after[step] for step in shared)
        assert before[60] != after[60]


def test_a_change_of_one_network_s_rate_leaves_the_other_alone() -> None:
    for name, other in (("alpha", "original"), ("alpha_original", "compressed")):
        plain = series(prepare(small()), other, "train_loss")
        assert series(prepare(small(changes=f"30:{name}=7")), other, "train_loss") == plain


@pytest.mark.parametrize("width", [1, 3, 5])
@pytest.mark.parametrize("sides", [(7, 5, 9, 6), (6, 6), (5, 8)])
def test_truncation_is_the_best_approximation_of_the_product(
    width: int, sides: tuple[int, ...]
) -> None:
    """Whatever the factors are: Eckart and Young's bound is met."""
    cols, *hidden, rows = (8, *sides, 7)
    shapes = zip([*hidden, rows], [cols, *hidden], strict=True)
    factors = [gaussian(*shape, seed=seed) for seed, shape in enumerate(shapes)]
    whole = product(factors)
    cut = truncated(factors, width)
    values = torch.linalg.svdvals(whole)
    left = torch.linalg.matrix_norm(whole - product(cut))
    assert float(left) == pytest.approx(float(values[width:].norm()), rel=1e-9)
    assert [each.shape[0] for each in cut] == [*[width] * len(hidden), rows]
    with pytest.raises(ValueError, match="compressed"):
        truncated(factors, 10)


def test_truncation_of_factors_that_share_their_modes_gives_each_mode_s_own_values() -> None:
    """W_l = Q_l diag(σ_l) Q_(l−1)ᵀ: the inner factors come out diagonal."""
    turns = [torch.linalg.qr(gaussian(8, 8, seed=seed)).Q for seed in range(4)]
    values = [0.1 * scale * torch.arange(8, 0, -1).double() for scale in (1.0, 2.0, 3.0)]
    factors = [turns[i + 1] * values[i] @ turns[i].mT for i in range(3)]
    first, inner, last = truncated(factors, 3)
    assert relative(inner, torch.diag(values[1][:3])) < 1e-13
    assert relative(first @ first.mT, torch.diag(values[0][:3] ** 2)) < 1e-13
    assert relative(last.mT @ last, torch.diag(values[2][:3] ** 2)) < 1e-13


@pytest.mark.parametrize(("side", "step"), [(50, 450), (100, 600)])
def test_the_original_compressed_at_a_moment_goes_on_as_the_original(side: int, step: int) -> None:
    """Once modes rise it follows up to what was cut off, d − r̂ singular values of ε^L.

    The recovery error differs by no more than √(d − r̂) ε^L / ‖M*‖, the singular values by less
    than a ten-thousandth of that. Before the step there is nothing of it, and it has done no work.
    """
    config = Config(
        problem="factorization",
        rows=side,
        cols=side,
        rank=3,
        rank_bound=8,
        init_scale=0.03,
        learning_rate=0.3,
        rate_unit="limit",
        alpha=1.0,
        steps=1000,
        tolerance=0.0,
        changes=f"{step}:compress",
    )
    comparison = prepare(config)
    rows = trained(comparison)
    cut = (side - 8) ** 0.5 * 0.03**3
    goals = np.array(comparison.facts["target_singular_values"])
    for row in rows:
        original, compressed = row["original"].values, row["compressed"].values
        if row["original"].step < step:
            assert all(np.isnan(value).all() for value in compressed.values())
            continue
        apart = np.abs(compressed["singular_values"][:8] - original["singular_values"][:8])
        assert apart.max() < 1e-4 * cut
        errors = compressed["recovery_error"] - original["recovery_error"]
        assert abs(errors) <= cut / np.linalg.norm(goals)
    first = next(row for row in rows if row["original"].step == step)
    assert first["original"].values["recovery_error"] > 0.05  # much is still to be learned
    before = first["original"]  # what the original did before counts for both
    assert first["compressed"].seconds > before.seconds > 0
    own = cost.start(comparison.config, "compressed")
    assert first["compressed"].operations == before.operations + own > own
    assert 0 < rows[-1]["compressed"].operations < rows[-1]["original"].operations


def test_an_original_that_ends_before_it_is_compressed_leaves_nothing_to_start_from() -> None:
    """At a tolerance, or by diverging: the compressed network ends beside it, without a number."""
    for settings in ({"tolerance": 1.0}, {"learning_rate": 1e5, "init_scale": 1.0}):
        *_, last = trained(prepare(small(changes="50:compress", **settings)))
        assert {record.outcome for record in last.values()} == {last["original"].outcome}
        assert last["original"].step < 50 and np.isnan(last["compressed"].seconds)
