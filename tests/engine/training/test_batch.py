"""Runs trained together come out as they would alone."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch

from dynamics.core import registry
from dynamics.core.config import Config
from dynamics.engine.steps.plain import Descent
from dynamics.engine.training.batch import Batch, Stacked
from dynamics.engine.training.comparison import prepare

BASE: dict[str, Any] = {
    "rows": 24, "cols": 30, "rank": 2, "rank_bound": 5, "init_scale": 0.3, "observed": 0.6,
    "learning_rate": 0.2, "rate_unit": "limit", "steps": 90, "record_every": 30, "depth": 3,
    "spectrum": "top",
}  # fmt: skip
DIFFERENT: Sequence[dict[str, Any]] = (
    {},
    {"alpha": 1.5},
    {"init_scale": 0.2},
    {"learning_rate": 0.3},
    {"seed_target": 3, "seed_data": 4, "seed_init": 5},
    {"observed": 0.3},
    {"noise": 0.2},
    {"rank_bound": 9},
    {"rank_bound": 2},
)


def configs(**settings: Any) -> list[Config]:
    return [Config.from_dict(BASE | settings | each) for each in DIFFERENT]


@pytest.mark.parametrize("stacked", [True, False])
@pytest.mark.parametrize("network", ["original", "compressed"])
@pytest.mark.parametrize("depth", [2, 3, 5])
def test_a_batch_equals_its_runs_alone(stacked: bool, network: str, depth: int) -> None:
    """α, ε, η, seeds, p, noise and r̂ differ within one batch: all values to 1e-12."""
    many = configs(depth=depth, networks=network)
    records = list(Batch([prepare(each) for each in many], network, stacked=stacked))
    assert [{record.step for record in each.values()} for each in records] == [
        {0},
        {30},
        {60},
        {90},
    ]
    for run, config in enumerate(many):
        alone = [each[network] for each in prepare(config) if each]
        for found, wanted in zip(records, alone, strict=True):
            assert found[run].operations == wanted.operations
            for name in ("train_loss", "test_loss", "recovery_error", "singular_values"):
                values = wanted.values[name]
                scale = np.abs(values).max()
                np.testing.assert_allclose(
                    found[run].values[name], values, rtol=0, atol=1e-12 * scale
                )


@pytest.mark.parametrize("sensing", ["gaussian", "rank-one"])
def test_sensing_runs_of_one_batch_equal_runs_alone(sensing: str) -> None:
    """Different draws and rates, trained side by side."""
    settings = BASE | {"problem": "sensing", "sensing": sensing, "measurements": 300}
    many = [
        Config.from_dict(settings | {"networks": "compressed", "seed_data": seed, "alpha": alpha})
        for seed, alpha in ((0, 1.0), (1, 2.0), (2, 2.0))
    ]
    records = list(Batch([prepare(each) for each in many], "compressed"))
    for run, config in enumerate(many):
        alone = [each["compressed"] for each in prepare(config) if each]
        for found, wanted in zip(records, alone, strict=True):
            for name in ("train_loss", "test_loss", "singular_values"):
                np.testing.assert_allclose(found[run].values[name], wanted.values[name], rtol=1e-12)


@pytest.mark.parametrize("optimizer", ["gradient_descent", "momentum", "adam", "rmsprop"])
def test_every_optimizer_steps_a_stack(optimizer: str) -> None:
    """Their directions are entry by entry, so an axis more changes nothing."""
    many = configs(optimizer=optimizer, networks="compressed", learning_rate=0.02)
    rule = registry.load("optimizers", optimizer)
    together, alone = ([prepare(each) for each in many] for _ in range(2))
    networks = [each.networks["compressed"] for each in together]
    rates = [each.learning_rate for each in together]
    Stacked(networks, [each.problem for each in together], rule, rates).step(25)  # type: ignore
    for found, run in zip(networks, alone, strict=True):
        network = run.networks["compressed"]
        Descent(network, run.problem, rule, run.learning_rate).step(25)
        for ours, wanted in zip(found.factors, network.factors, strict=True):
            torch.testing.assert_close(ours, wanted, rtol=0, atol=1e-9)


@pytest.mark.parametrize("stacked", [True, False])
def test_ended_runs_leave_and_the_others_go_on(stacked: bool) -> None:
    """One meets its tolerance at once, one diverges, one needs all steps: none holds another up."""
    settings = [
        {"learning_rate": 0.5, "init_scale": 0.9},
        {"learning_rate": 40.0, "init_scale": 0.9},
        {"learning_rate": 0.01},
    ]
    many = [
        Config.from_dict(BASE | {"networks": "compressed", "tolerance": 0.01, "steps": 300} | each)
        for each in settings
    ]
    runs = [prepare(each) for each in many]
    last = {}
    for records in Batch(runs, "compressed", ("train_loss",), stacked=stacked):
        last |= records
    alone = [[each["compressed"] for each in prepare(config) if each][-1] for config in many]
    assert [last[run].step for run in range(3)] == [record.step for record in alone]
    assert [last[run].outcome for run in range(3)] == [record.outcome for record in alone]
    assert last[0].values["train_loss"] <= 0.01 and last[0].step < 300
    assert not math.isfinite(last[1].values["train_loss"])
    for run in (0, 2):
        wanted = float(alone[run].values["train_loss"])
        assert float(last[run].values["train_loss"]) == pytest.approx(wanted, rel=1e-12)
        # A run that has ended must stay where its last record found it.
        network = runs[run].networks["compressed"]
        loss = runs[run].problem.train_loss(
            network.factors[2], network.factors[1] @ network.factors[0]
        )
        assert float(loss) == pytest.approx(wanted, rel=1e-9)


def test_runs_of_different_shape_or_kind_are_refused() -> None:
    """One sentence that names what differs."""
    small = prepare(Config.from_dict(BASE | {"networks": "compressed"}))
    for other, words in (
        ({"rows": 25}, "shape"),
        ({"depth": 4}, "depth"),
        ({"steps": 60}, "steps"),
    ):
        unlike = prepare(Config.from_dict(BASE | {"networks": "compressed"} | other))
        with pytest.raises(ValueError, match=words):
            Batch([small, unlike], "compressed")
    for other in ({"changes": "30: alpha=2"}, {"recording": "escapes"}):
        unlike = prepare(Config.from_dict(BASE | {"networks": "compressed"} | other))
        with pytest.raises(ValueError, match="train them one by one"):
            Batch([unlike], "compressed")
    sensing = prepare(Config.from_dict(BASE | {"problem": "sensing", "networks": "compressed"}))
    with pytest.raises(ValueError, match="can be stacked"):
        Batch([sensing], "compressed", stacked=True)
