"""The loss as a function of all weights: gradients and curvature against torch's own."""

import dataclasses

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from dynamics.core.config import Config
from dynamics.core.registry import load
from dynamics.engine.factors import drawn
from dynamics.engine.losses.classification import Classification, Images
from dynamics.engine.measuring import whole_loss
from dynamics.engine.measuring.state import State
from dynamics.engine.network import Network
from dynamics.engine.training.comparison import prepare
from dynamics.runs.fork import shared
from tests.engine.losses.test_classification import digits
from tests.engine.test_digits import config
from tests.support.make import relative

FEATURES, CLASSES = 3, 3


def images(count: int = 20) -> Images:
    """Digits below 3, in the four middle pixels."""
    train = digits()[0]
    kept = train.labels < CLASSES
    return Images(train.pixels[kept][:count, :, 3:5, 3:5], train.labels[kept][:count])


def tiny(scale: float, rate: float = 1.0) -> Network:
    """43 parameters behind a smooth activation, whose Hessian exists everywhere."""
    with torch.random.fork_rng():
        torch.manual_seed(3)
        body = nn.Sequential(nn.Flatten(), nn.Linear(4, FEATURES), nn.GELU()).double()
    factors = drawn([CLASSES, 4, FEATURES], scale, "normal", torch.Generator().manual_seed(1))
    return Network(factors, backbone=body, backbone_rate=rate)


def hessian(net: Network) -> Tensor:
    """The full Hessian, from a loss that is written a second time."""
    shapes = [factor.shape for factor in net.factors]
    body = net.backbone
    assert body is not None
    weights = [*net.factors, *(each for each in body.parameters() if each.requires_grad)]
    fixed = [each.detach() for each in body.parameters()]
    point = torch.cat([each.detach().flatten() for each in weights])
    data = images()

    def loss(flat: Tensor) -> Tensor:
        parts = flat.split([each.numel() for each in weights])
        head = [part.view(shape) for part, shape in zip(parts, shapes, strict=False)]
        weight, bias = (
            (parts[2].view(FEATURES, 4), parts[3]) if len(parts) > 2 else (fixed[0], fixed[1])
        )
        features = nn.functional.gelu(data.pixels.flatten(1) @ weight.mT + bias)
        return nn.functional.cross_entropy(features @ head[1] @ head[0], data.labels)

    found: Tensor = torch.autograd.functional.hessian(loss, point)
    return found


@pytest.mark.parametrize("rate", [1.0, 0.0])
@pytest.mark.parametrize("scale", [0.02, 0.6, 2.0])
def test_sharpness_is_the_largest_eigenvalue_of_the_full_hessian(scale: float, rate: float) -> None:
    net = tiny(scale, rate)
    values = torch.linalg.eigvalsh(hessian(net))
    assert len(values) == (39 if rate else 24)
    found = whole_loss.sharpness(State(net, CLASSES), images())
    assert found == pytest.approx(float(values[-1]), rel=1e-3)


def test_paces_give_the_curvature_that_bounds_the_step() -> None:
    """Gradient descent with these paces is I − η D H near a point: D H has the same eigenvalues."""
    net = tiny(0.6)
    assert net.backbone is not None
    parameters = [*net.factors, *net.backbone.parameters()]
    paces = [5.0, 0.3, 1.0, 2.0]
    pairs = zip(parameters, paces, strict=True)
    pace = torch.cat([torch.full((each.numel(),), size).double() for each, size in pairs])
    values = torch.linalg.eigvals(pace[:, None] * hessian(net)).real
    found = whole_loss.sharpness(State(net, CLASSES), images(), paces)
    assert found == pytest.approx(float(values.max()), rel=1e-3)


def test_at_a_saddle_the_most_negative_eigenvalue_is_not_taken() -> None:
    net = tiny(0.02)
    net.factors[1][:] = 0
    values = torch.linalg.eigvalsh(hessian(net))
    assert 0 < float(values[-1]) <= float(-values[0]) * 1.0001
    found = whole_loss.sharpness(State(net, CLASSES), images())
    assert found == pytest.approx(float(values[-1]), rel=1e-3)


@pytest.mark.parametrize("name", ["mlp", "cnn", "residual", "vit"])
def test_first_gradients_are_those_of_one_pass_and_curvature_exists(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = load("backbones", name).build((1, 8, 8), 8, "gelu", torch.Generator().manual_seed(1))
    net = Network(
        drawn([10, 5, 8], 0.5, "normal", torch.Generator().manual_seed(2)), backbone=body.double()
    )
    state, data = State(net, 8), digits()[0].first(30)
    whole = whole_loss.first_gradients(state, data)
    monkeypatch.setattr(whole_loss, "PART", 7)
    for part, wanted in zip(whole_loss.first_gradients(state, data), whole, strict=True):
        assert relative(part, wanted) < 1e-12
    one, other = (whole_loss.sharpness(state, data) for _ in range(2))
    assert one == other > 0
    assert all(each.grad is None for each in body.parameters())


def test_sharpness_is_measured_at_as_many_moments_as_asked() -> None:
    def moments(made: Config) -> list[int]:
        rows = [each["compressed"] for each in prepare(made) if each]
        if "sharpness" not in rows[0].values:
            return []
        return [row.step for row in rows if np.isfinite(row.values["sharpness"])]

    made = config(networks="compressed", steps=60, record_every=5, images=50)
    assert moments(made) == []
    for number, steps in (
        (1, [60]),
        (2, [0, 60]),
        (4, [0, 20, 40, 60]),
        (6, [0, 15, 25, 40, 50, 60]),
    ):
        assert moments(dataclasses.replace(made, sharpness=number)) == steps


def test_runs_of_another_length_measure_it_at_other_moments() -> None:
    """So they share no record, and one that continues another is as if trained from the start."""
    made = config(steps=60)
    assert shared(made, dataclasses.replace(made, steps=80)) == 60
    sharp = dataclasses.replace(made, sharpness=3)
    assert shared(sharp, dataclasses.replace(sharp, steps=80)) == 0
    assert shared(sharp, dataclasses.replace(sharp, tolerance=0.1)) == 60


def test_a_class_problem_alone_has_a_sharpness() -> None:
    made = Config.from_dict({"problem": "completion", "sharpness": 3})
    assert made.key == Config.from_dict({"problem": "completion"}).key
    body = tiny(0.5)
    data = images()
    assert body.backbone is not None
    problem = Classification(data, data, "012", FEATURES, body.backbone, sharpness=2)
    measure = load("measurements", "sharpness").measure
    assert float(measure(State(body, CLASSES), problem)) > 0
    assert np.isnan(float(measure(State(body, CLASSES, step=-1), problem)))
