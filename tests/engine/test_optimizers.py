"""Optimizers: against torch.optim where it has the same formula, else against optax's numbers."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from dynamics.core.config import choices
from dynamics.core.registry import load
from dynamics.engine.factors import drawn
from dynamics.engine.network import Network
from dynamics.engine.steps.plain import Descent
from tests.support.make import known, relative

GRADIENTS = (
    (1.0, -2.0, 1e-5),
    (0.5, 0.25, -1e-5),
    (-3.0, 0.0, 2e-5),
    (0.125, 4.0, 0.0),
    (1.0, -1.0, 1e-4),
)
# Minus the updates of optax 0.2.8 in float64 for these gradients at a learning rate of 1.
OPTAX = {
    "gradient_descent": GRADIENTS,
    "momentum": (
        (1.0, -2.0, 1e-05),
        (1.4, -1.55, -1.0000000000000006e-06),
        (-1.74, -1.395, 1.91e-05),
        (-1.441, 2.7445, 1.719e-05),
        (-0.29690000000000016, 1.47005, 0.000115471),
    ),
    "adam": (
        (0.9999999900000002, -0.999999995, 0.999000999000999),
        (0.9321796270183889, -0.5725345717104448, -0.05257899994742063),
        (-0.3472235050849504, -0.44257088261685584, 0.49789017047447365),
        (-0.2615217749400346, 0.3561836045728368, 0.40779668258022406),
        (-0.04830117520609261, 0.1748618979728428, 0.6117059003595366),
    ),
    "rmsprop": (
        (3.1622775020545086, -3.1622776206399097, 0.09995003746877733),
        (1.4744194974437774, 0.4130961867464755, -0.09990513516101199),
        (-2.9947637262558064, 0.0, 0.19943143372974895),
        (0.13141795813826168, 2.90445706808271, 0.0),
        (1.0458504590818072, -0.7439116725113815, 0.9514644065290877),
    ),
}
TORCH: dict[str, Callable[..., torch.optim.Optimizer]] = {
    "gradient_descent": torch.optim.SGD,
    "momentum": lambda groups, lr: torch.optim.SGD(groups, lr, momentum=0.9),
    "adam": torch.optim.Adam,
}


def test_every_optimizer_has_numbers_to_be_held_against() -> None:
    assert set(OPTAX) == set(choices("optimizer"))


@pytest.mark.parametrize("name", OPTAX)
def test_directions_are_those_that_optax_gives(name: str) -> None:
    """The authors train with optax; ε stands under RMSprop's root, and Adam's beside it."""
    memory: dict[str, Tensor] = {}
    for gradient, wanted in zip(GRADIENTS, OPTAX[name], strict=True):
        given, exact = (torch.tensor(each, dtype=torch.float64) for each in (gradient, wanted))
        found = load("optimizers", name).direction(given, memory)
        assert ((found - exact).abs() <= 1e-14 * exact.abs()).all()


def fresh(depth: int, alpha: float) -> tuple[Any, Any, Network]:
    problem, loss, _ = known("completion", 8, 11)
    generator = torch.Generator().manual_seed(3)
    factors = drawn([11, *[6] * (depth - 1), 8], 0.6, "normal", generator)
    return problem, loss, Network(factors, alpha)


@pytest.mark.parametrize("depth", [2, 3, 5])
@pytest.mark.parametrize("name", TORCH)
def test_training_follows_torch_optim_with_a_rate_for_each_group(name: str, depth: int) -> None:
    """Twenty steps, outer factors in a group of α times the rate: state must be kept right."""
    problem, loss, network = fresh(depth, 2.5)
    theirs = [factor.clone().requires_grad_() for factor in network.factors]
    groups = [
        {"params": [theirs[0], theirs[-1]], "lr": 0.05},
        {"params": theirs[1:-1], "lr": 0.02},
    ]
    optimizer = TORCH[name](groups if depth > 2 else groups[:1], lr=0.02)
    Descent(network, problem, load("optimizers", name), 0.02).step(20)
    for _ in range(20):
        optimizer.zero_grad()
        loss(torch.linalg.multi_dot(theirs[::-1])).backward()
        optimizer.step()
    for ours, their in zip(network.factors, theirs, strict=True):
        assert relative(ours, their.detach()) < 1e-11


@pytest.mark.parametrize("name", OPTAX)
def test_alpha_scales_the_step_of_the_outer_factors_and_not_their_gradient(name: str) -> None:
    """Adam and RMSprop ignore a scaled gradient: only a scaled step means the same for all."""
    moved = {}
    for alpha in (1.0, 3.0):
        problem, _, network = fresh(4, alpha)
        before = [factor.clone() for factor in network.factors]
        Descent(network, problem, load("optimizers", name), 0.01).step()
        moved[alpha] = [new - old for new, old in zip(network.factors, before, strict=True)]
    for index, (plain, scaled) in enumerate(zip(moved[1.0], moved[3.0], strict=True)):
        factor = 3 if index in (0, 3) else 1
        assert relative(scaled, factor * plain) < 1e-12
