"""A task without a matrix to recover trains by the same lanes, steps and optimizers."""

from typing import Any

import pytest
import torch
from torch import nn

from dynamics.core.registry import load
from dynamics.engine.measuring.moment import Resumable
from dynamics.engine.steps.fastest import fastest
from dynamics.engine.steps.plain import Descent
from tests.support.digits import Digits, backbone, digits, settings
from tests.support.make import relative

OPTIMIZERS: dict[str, Any] = {
    "gradient_descent": torch.optim.SGD,
    "momentum": lambda groups: torch.optim.SGD(groups, momentum=0.9),
    "adam": torch.optim.Adam,
}


def last_of(config: Any) -> dict[str, Resumable]:
    return [each for each in digits(config) if each][-1]


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("depth", [2, 3])
def test_a_head_behind_a_backbone_learns_as_torch_has_it(optimizer: str, depth: int) -> None:
    """Layer by layer, by autograd and torch.optim, from the same mini-batches: 1e-12."""
    rate = 0.003 if optimizer == "adam" else 0.03
    config = settings(optimizer=optimizer, depth=depth, learning_rate=rate, alpha=2.0)
    before = digits(config)
    for name, record in last_of(config).items():
        network, task, body = before.networks[name], Digits(), backbone()
        factors = [factor.clone().requires_grad_() for factor in network.factors]
        outer = {"params": [factors[0], factors[-1]], "lr": rate * network.alpha}
        inner = {"params": [*factors[1:-1], *body.parameters()], "lr": rate}
        rule = OPTIMIZERS[optimizer]([outer, inner])
        for _ in range(config.steps):
            pixels, labels = task.batch()
            signal = body(pixels)
            for factor in factors:
                signal = signal @ factor.mT
            rule.zero_grad()
            nn.functional.cross_entropy(signal, labels).backward()
            rule.step()
        assert record.step == config.steps and record.moment is not None
        found = [*record.moment.factors, *record.moment.backbone.values()]
        for ours, theirs, start in zip(
            found, [*factors, *body.parameters()],
            [*network.factors, *backbone().parameters()], strict=True,
        ):  # fmt: skip
            assert relative(ours, theirs.detach()) < 1e-12
            assert relative(ours, start.detach()) > 1e-3


def test_digits_are_learned_and_only_what_needs_a_target_is_missing() -> None:
    config = settings(optimizer="momentum", learning_rate=0.03, steps=300)
    records = [each for each in digits(config) if each]
    values = records[-1]["original"].values
    assert float(records[0]["original"].values["test_loss"]) > 0.8
    assert float(values["test_loss"]) < 0.2
    spectra = {"singular_values", "factor_singular_values"}
    assert set(values) == {"train_loss", "test_loss", *spectra, "balance", "unmoved"}
    assert records[-1]["original"].outcome == "done"


def test_a_task_takes_the_plain_steps_and_knows_no_stability_limit() -> None:
    """All other forms ask for a residual, a target or a list of entries."""
    comparison = digits(settings())
    plain = load("optimizers", "gradient_descent")
    for network in comparison.networks.values():
        assert type(fastest(network, comparison.problem, plain, 0.1)) is Descent
    with pytest.raises(ValueError, match="limit"):
        digits(settings(rate_unit="limit"))
