"""Updates of weight matrices: exact identities, and dense linear algebra on trained networks."""

import copy
import math
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from dynamics.core.registry import load
from dynamics.engine.factors import drawn
from dynamics.engine.losses.classification import Classification, Images
from dynamics.engine.measuring.state import State
from dynamics.engine.measuring.updates import EVERY
from dynamics.engine.network import Network
from dynamics.engine.steps.fastest import fastest
from dynamics.engine.training.comparison import prepare
from tests.engine.losses.test_classification import digits
from tests.engine.test_digits import config
from tests.support.make import gaussian

NAMES = ("own_energy", "gradient_energy", "gradient_angles")
SIDE, KINDS = 60, 4


def task(classes: int = KINDS, name: str = "mlp") -> Classification:
    """A few classes of the digits, so that 2K is far below the sides."""
    generator = torch.Generator().manual_seed(1)
    module: nn.Module = load("backbones", name).build((1, 8, 8), SIDE, "relu", generator)
    train, held = (
        Images(each.pixels[each.labels < classes], each.labels[each.labels < classes])
        for each in digits()
    )
    names = "abcdefghij"[:classes]
    return Classification(train, held, names, SIDE, module.double(), batch=16, seed=4)


def network(problem: Classification, scale: float = 0.5, rate: float = 1.0) -> Network:
    widths = [problem.shape[1], SIDE, SIDE, SIDE]
    factors = drawn(widths, scale, "orthogonal", torch.Generator().manual_seed(2))
    return Network(factors, backbone=problem.backbone(), backbone_rate=rate)


def frozen(net: Network) -> Network:
    """A copy that stays when the network moves."""
    factors = [factor.clone() for factor in net.factors]
    return Network(factors, backbone=copy.deepcopy(net.backbone))


def measured(net: Network, start: Network, problem: Classification) -> dict[str, Tensor]:
    state = State(net, problem.shape[1], State(start, problem.shape[1]))
    found = {name: load("measurements", name).measure(state, problem) for name in NAMES}
    assert all(isinstance(value, Tensor) for value in found.values())
    return found


def gradients(net: Network, problem: Classification) -> list[Tensor]:
    """∂loss/∂W of each weight, as outputs × inputs, by autograd layer by layer."""
    leaves = [factor.clone().requires_grad_() for factor in net.factors]
    assert net.backbone is not None
    weights = [each for each in net.backbone.parameters() if each.ndim > 1]
    signal = net.backbone(problem.recorded.pixels)
    for factor in reversed(leaves):
        signal = signal @ factor
    loss = nn.functional.cross_entropy(signal, problem.recorded.labels)
    found = torch.autograd.grad(loss, [*leaves, *weights])
    head = [gradient.mT for gradient in found[: len(leaves)]]
    return [*head, *(gradient.flatten(1) for gradient in found[len(leaves) :])]


def move(net: Network, number: int, update: Tensor) -> None:
    """Add an update, outputs × inputs, to one weight matrix."""
    if number < len(net.factors):
        net.factors[number] += update.mT
        return
    assert net.backbone is not None
    weight = [each for each in net.backbone.parameters() if each.ndim > 1]
    with torch.no_grad():
        weight[number - len(net.factors)] += update


@pytest.mark.parametrize("number", range(5))
def test_an_update_of_rank_2k_lies_in_its_own_directions(number: int) -> None:
    problem = task()
    start = network(problem)
    net = frozen(start)
    shape = gradients(start, problem)[number].shape
    rank = 2 * KINDS
    move(net, number, gaussian(shape[0], rank) @ gaussian(rank, shape[1], seed=1))
    found = measured(net, start, problem)
    assert float(found["own_energy"][number]) == pytest.approx(1, abs=1e-12)
    assert torch.isnan(found["own_energy"]).sum() == 4  # the others have not moved
    # One direction more, and a little is left outside.
    more = gaussian(shape[0], rank + 1) @ gaussian(rank + 1, shape[1], seed=1)
    if min(shape) > rank:
        move(net, number, more)
        assert float(measured(net, start, problem)["own_energy"][number]) < 1 - 1e-4


@pytest.mark.parametrize("number", range(3))
def test_an_update_along_the_first_gradient_has_energy_1_and_angle_0(number: int) -> None:
    """Of the head, whose gradients have rank K − 1."""
    problem = task()
    start = network(problem)
    net = frozen(start)
    move(net, number, -0.3 * gradients(start, problem)[number])
    found = measured(net, start, problem)
    assert float(found["gradient_energy"][number]) == pytest.approx(1, abs=1e-12)
    assert float(found["gradient_angles"][number]) < 1e-7


def test_an_update_across_the_first_gradient_has_energy_0_and_a_right_angle() -> None:
    problem = task()
    start = network(problem)
    net = frozen(start)
    gradient = gradients(start, problem)[1]
    left, _, right = torch.linalg.svd(gradient)
    move(net, 1, left[:, 20:26] @ right[20:26])
    found = measured(net, start, problem)
    assert float(found["gradient_energy"][1]) < 1e-20
    assert float(found["gradient_angles"][1]) == pytest.approx(math.pi / 2)


@pytest.mark.parametrize("body", ["mlp", "cnn"])
def test_of_a_trained_network_they_are_those_of_dense_linear_algebra(body: str) -> None:
    problem = task(name=body)
    net = network(problem)
    start = frozen(net)
    before = gradients(start, problem)
    steps = fastest(net, problem, load("optimizers", "momentum"), 0.05)
    steps.step(30)
    found = measured(net, start, problem)
    assert net.backbone is not None and start.backbone is not None
    pairs = [*zip(net.factors, start.factors, strict=True)]
    moved = [(now - then).mT for now, then in pairs]
    weights = [
        [each.detach().flatten(1) for each in module.parameters() if each.ndim > 1]
        for module in (net.backbone, start.backbone)
    ]
    moved += [now - then for now, then in zip(*weights, strict=True)]
    assert len(moved) == len(before) == len(found["own_energy"])
    for number, (update, gradient) in enumerate(zip(moved, before, strict=True)):
        values, right = np.linalg.svd(update.numpy())[1:]
        share = (values[: 2 * KINDS] ** 2).sum() / (values**2).sum()
        # The randomized method finds a little less, most where values decay slowly.
        assert -1e-12 < share - float(found["own_energy"][number]) < 1e-3
        left, sizes, back = np.linalg.svd(gradient.numpy(), full_matrices=False)
        most = min(2 * KINDS, int((sizes > 1e-13 * sizes[0]).sum()))
        inside = left[:, :most].T @ update.numpy() @ back[:most].T
        share = (inside**2).sum() / (update.numpy() ** 2).sum()
        assert float(found["gradient_energy"][number]) == pytest.approx(share, rel=1e-9)
        cosines = np.linalg.svd(right[: KINDS - 1] @ back[: KINDS - 1].T)[1].clip(0, 1)
        angle = np.arccos(cosines).mean()
        assert float(found["gradient_angles"][number]) == pytest.approx(angle, abs=2e-3)


def test_a_frozen_backbone_has_no_updates() -> None:
    problem = task()
    start = network(problem, rate=0.0)
    assert measured(start, start, problem)["own_energy"].shape == (3,)
    facts = prepare(config(networks="plain", backbone_rate=0.0)).facts
    assert facts["backbone_weights"] == []


def test_updates_are_decomposed_at_every_fifth_record_and_at_the_last() -> None:
    settings = {"networks": "compressed", "record_every": 4, "steps": 50}
    rows = [each["compressed"] for each in prepare(config(**settings)) if each]
    for name in NAMES:
        known = [row.step for row in rows if np.isfinite(row.values[name]).all()]
        assert known == [*range(4 * EVERY, 51, 4 * EVERY), 50]


def test_records_that_the_losses_space_miss_no_decomposition() -> None:
    """On a plateau records are up to 16 Δt apart; each that passes a fifth Δt is decomposed."""
    settings: dict[str, Any] = {
        "networks": "compressed",
        "init_scale": 0.01,
        "recording": "escapes",
    }
    made = config(**settings, record_every=2, steps=200)
    rows = [each["compressed"] for each in prepare(made) if each]
    assert max(now.step - before.step for before, now in pairwise(rows)) > 2
    known = {row.step // (2 * EVERY) for row in rows if np.isfinite(row.values["own_energy"][1])}
    assert known == {row.step // (2 * EVERY) for row in rows} - {0}
