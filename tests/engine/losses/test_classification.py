"""Classification: closed-form steps against torch, layer by layer, on real digits."""

import dataclasses
import functools
import math
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from dynamics.core.registry import load
from dynamics.engine.around import Around
from dynamics.engine.factors import drawn, spectral
from dynamics.engine.losses import classification
from dynamics.engine.losses.classification import Classification, Halves, Images
from dynamics.engine.measuring.state import State
from dynamics.engine.network import Network
from dynamics.engine.steps.fastest import fastest
from dynamics.engine.steps.layered import LayeredDescent
from dynamics.engine.steps.thin import ThinDescent
from tests.support.make import relative

BACKBONES = ("mlp", "cnn", "residual", "vit")
FIRST = ("0.weight", "0.map.weight")  # of a CNN and of a ViT
FEATURES, CLASSES, BATCH, STEPS = 12, 10, 16, 100
NAMES = "abcdefghij"


class RMSprop(torch.optim.Optimizer):
    """As optax has it; torch's own adds ε to the root and starts with another share."""

    def __init__(self, groups: Any) -> None:
        super().__init__(groups, {"lr": 0.0})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            for each in group["params"]:
                square = self.state[each].setdefault("square", torch.zeros_like(each))
                square.copy_(0.9 * square + 0.1 * each.grad**2)
                each.sub_(group["lr"] * each.grad / (square + 1e-8).sqrt())


OPTIMIZERS: dict[str, Any] = {
    "gradient_descent": torch.optim.SGD,
    "momentum": functools.partial(torch.optim.SGD, momentum=0.9),
    "adam": torch.optim.Adam,
    "rmsprop": RMSprop,
}


@functools.cache
def digits() -> tuple[Images, Images]:
    """250 training and 100 held-out images in float64."""
    bunch = load_digits()
    pixels = torch.tensor(bunch.images / 16)[:, None]
    labels = torch.tensor(bunch.target)
    return Images(pixels[:250], labels[:250]), Images(pixels[250:350], labels[250:350])


def backbone(name: str = "mlp", activation: str = "relu") -> nn.Module:
    generator = torch.Generator().manual_seed(1)
    build = load("backbones", name).build
    module: nn.Module = build((1, 8, 8), FEATURES, activation, generator)
    return module.double()


def task(name: str = "mlp", batch: int = BATCH, activation: str = "relu") -> Classification:
    return Classification(
        *digits(), NAMES, FEATURES, backbone(name, activation), batch=batch, seed=4
    )


def around(inside: bool, name: str = "mlp") -> Classification:
    """W as a hidden layer, also with the activation between its factors."""
    generator = torch.Generator().manual_seed(3)
    both = Around(backbone(name), "relu", FEATURES, CLASSES, inside, generator).double()
    return Classification(*digits(), NAMES, FEATURES, both, batch=BATCH, seed=4)


def head(
    problem: Classification, kind: str, rate: float = 1.0, depth: int = 3, first: float = 1.0
) -> Network:
    """A head of this kind at scale 0.4, behind a backbone of its own."""
    generator = torch.Generator().manual_seed(2)
    if kind == "spectral":
        left, _, right = problem.surrogate(4)
        factors = spectral(left, right, depth, 0.4)
    else:
        hidden = {"plain": [], "narrow": [4] * (depth - 1)}.get(kind, [FEATURES] * (depth - 1))
        widths = [problem.shape[1], *hidden, FEATURES]
        factors = drawn(widths, 0.4, "orthogonal", generator)
    return Network(
        factors,
        2.0,
        backbone=problem.backbone(),
        backbone_rate=rate,
        alpha_first=first,
        layered=kind == "layered",
    )


def reference(
    problem: Classification, network: Network, optimizer: str, learning_rate: float
) -> Iterator[Tensor]:
    """All factors and the backbone after STEPS steps of torch, from the same start and batches."""
    factors = [factor.clone().requires_grad_() for factor in network.factors]
    body = problem.backbone()
    moved = learning_rate * network.backbone_rate
    first = [each for name, each in body.named_parameters() if name in FIRST]
    rest = [each for name, each in body.named_parameters() if name not in FIRST]
    outer = factors[:1] + factors[1:][-1:]
    groups = [
        {"params": outer, "lr": learning_rate * network.alpha},
        {"params": factors[1:-1], "lr": learning_rate},
        {"params": first, "lr": moved * network.alpha_first},
        {"params": rest, "lr": moved},
    ]
    rule = OPTIMIZERS[optimizer]([group for group in groups if group["params"]])
    pixels, labels = digits()[0].pixels, digits()[0].labels
    epoch = len(labels) // problem.size
    for step in range(STEPS):
        rows = torch.arange(len(labels))
        if problem.size < len(labels):
            order = classification._order(4, step // epoch, len(labels))
            rows = order[step % epoch * problem.size :][: problem.size]
        hidden = isinstance(body, Around)
        signal = (body.before if hidden else body)(pixels[rows])
        for number, factor in enumerate(reversed(factors)):
            if number and hidden and body.inside:
                signal = torch.relu(signal)
            signal = signal @ factor
        if hidden:
            signal = torch.relu(signal) @ body.last.weight.mT + body.last.bias
        rule.zero_grad()
        nn.functional.cross_entropy(signal, labels[rows]).backward()
        rule.step()
    yield from (each.detach() for each in (*factors, *body.parameters()))


def check(
    problem: Classification, kind: str, optimizer: str, within: float = 1e-12, **more: Any
) -> None:
    network = head(problem, kind, **more)
    start = [each.detach().clone() for each in (*network.factors, *problem.backbone().parameters())]
    learning_rate = 0.003 if optimizer in ("adam", "rmsprop") else 0.02
    wanted = list(reference(problem, network, optimizer, learning_rate))
    steps = fastest(network, problem, load("optimizers", optimizer), learning_rate)
    steps.step(STEPS)
    assert network.backbone is not None
    found = [*network.factors, *network.backbone.parameters()]
    for ours, theirs in zip(found, wanted, strict=True):
        assert relative(ours.detach(), theirs) < within
    moved = max(relative(now.detach(), before) for now, before in zip(found, start, strict=True))
    assert moved > 1e-2


@pytest.mark.parametrize(
    ("name", "optimizer"),
    [
        pytest.param(name, optimizer, marks=[] if name == "mlp" or few else [pytest.mark.slow])
        for number, name in enumerate(BACKBONES)
        for optimizer in OPTIMIZERS
        for few in [optimizer == [*OPTIMIZERS][number - 1]]
    ],
)
def test_a_wide_head_and_its_backbone_learn_as_torch_has_them(name: str, optimizer: str) -> None:
    activation = "gelu" if name == "vit" else "relu"
    # RMSprop takes a first step of one size however small a gradient is, so rounding grows.
    amplified = (name, optimizer) == ("vit", "rmsprop")
    check(task(name, activation=activation), "wide", optimizer, 1e-8 if amplified else 1e-12)


@pytest.mark.parametrize("depth", [2, 5])
@pytest.mark.parametrize("kind", ["wide", "narrow", "spectral", "plain", "layered"])
def test_every_head_learns_as_torch_has_it(kind: str, depth: int) -> None:
    """1e-12 in float64, by momentum, with α = 2 on the outer factors."""
    check(task(), kind, "momentum", depth=depth)


@pytest.mark.parametrize("inside", [False, True])
@pytest.mark.parametrize("kind", ["wide", "narrow", "plain"])
def test_a_hidden_layer_learns_as_torch_has_it(kind: str, inside: bool) -> None:
    check(around(inside), kind, "momentum", depth=4)


@pytest.mark.parametrize("inside", [False, True])
def test_what_is_measured_of_a_hidden_layer_is_what_it_computes(inside: bool) -> None:
    problem = around(inside)
    network = head(problem, "wide")
    steps = fastest(network, problem, load("optimizers", "adam"), 0.01)
    steps.step(60)
    body = network.backbone
    assert isinstance(body, Around)
    pixels, labels = digits()[1].pixels, digits()[1].labels
    signal = body.before(pixels)
    for number, factor in enumerate(reversed(network.factors)):
        signal = (torch.relu(signal) if number and inside else signal) @ factor
    scores = (torch.relu(signal) @ body.last.weight.mT + body.last.bias).detach()
    state = State(network, 4)
    found = {
        name: float(load("measurements", name).measure(state, problem))
        for name in ("test_loss", "accuracy", "train_loss")
    }
    assert found["test_loss"] == pytest.approx(float(nn.functional.cross_entropy(scores, labels)))
    assert found["accuracy"] == float((scores.argmax(1) == labels).double().mean()) > 0.2
    assert found["train_loss"] == pytest.approx(steps.loss(), rel=1e-12)
    balance = load("measurements", "balance").measure(state, problem)
    assert (balance is None) == inside  # nothing is conserved where an activation stands between


@pytest.mark.parametrize("batch", [0, 250, 90])
def test_full_batches_and_epochs_that_leave_images_out(batch: int) -> None:
    check(task(batch=batch), "wide", "gradient_descent")


def test_a_slow_backbone_moves_by_its_share_of_the_rate() -> None:
    check(task(), "wide", "gradient_descent", rate=0.2)


@pytest.mark.parametrize("name", ["cnn", "vit"])
def test_the_first_matrix_of_a_backbone_moves_by_a_rate_of_its_own(name: str) -> None:
    check(task(name, activation="gelu"), "narrow", "momentum", first=3.0)


def test_a_frozen_backbone_stays_and_its_head_learns() -> None:
    problem = task()
    network = head(problem, "wide", rate=0.0)
    wanted = head(problem, "layered", rate=0.0)
    for each in (network, wanted):
        steps = fastest(each, problem, load("optimizers", "adam"), 0.003)
        steps.step(50)
        assert len(steps.memory) == 3 * len(each.factors)
    assert network.backbone is not None
    for now, before in zip(
        network.backbone.parameters(), problem.backbone().parameters(), strict=True
    ):
        assert torch.equal(now, before) and now.grad is None
    for ours, theirs in zip(network.factors, wanted.factors, strict=True):
        assert relative(ours, theirs) < 1e-12


def test_forms_are_chosen_by_head() -> None:
    problem = task()
    plain = load("optimizers", "gradient_descent")
    forms = {
        kind: type(fastest(head(problem, kind), problem, plain, 0.1)).__name__
        for kind in ("wide", "plain", "layered", "narrow")
    }
    assert forms == {
        "wide": ThinDescent.__name__,
        "plain": ThinDescent.__name__,
        "layered": LayeredDescent.__name__,
        "narrow": "Descent",
    }


def test_each_epoch_reads_every_image_once_in_a_new_order() -> None:
    problem = task(batch=50).behind(backbone())
    epochs = []
    for _ in range(2):
        seen = torch.cat([problem.batch()[0] for _ in range(5)])
        assert len(seen.flatten(1).unique(dim=0)) == len(
            digits()[0].pixels.flatten(1).unique(dim=0)
        )
        epochs.append(seen)
    assert not torch.equal(*epochs)
    problem.next_step = 5
    assert torch.equal(problem.batch()[0], epochs[1][:50])
    other = task(batch=50).behind(backbone())
    assert torch.equal(other.batch()[0], epochs[0][:50])


def test_surrogate_is_minus_the_gradient_at_zero_that_autograd_finds() -> None:
    problem = task()
    matrix = torch.zeros(FEATURES, CLASSES, dtype=torch.float64, requires_grad=True)
    images = digits()[0]
    logits = problem.backbone()(images.pixels) @ matrix
    (gradient,) = torch.autograd.grad(nn.functional.cross_entropy(logits, images.labels), matrix)
    left, values, right = problem.surrogate(CLASSES)
    assert relative((left * values) @ right, -gradient) < 1e-12
    assert values[-1] < 1e-12 * values[0]  # its rank is K − 1


def test_losses_and_accuracy_are_those_of_torch() -> None:
    problem = task().behind(backbone())
    left, right = drawn([CLASSES, 4, FEATURES], 3.0, "normal", torch.Generator().manual_seed(0))[
        ::-1
    ]
    train, held = digits()
    body = backbone().requires_grad_(False)
    logits = body(held.pixels) @ left @ right
    share = (logits.argmax(1) == held.labels).double().mean()
    assert float(problem.accuracy("held", Halves([right, left], left @ right))) == pytest.approx(
        float(share), abs=1e-15
    )
    loss = float(nn.functional.cross_entropy(logits, held.labels))
    assert float(problem.test_loss(left, right)) == pytest.approx(loss, rel=1e-12)
    loss = float(nn.functional.cross_entropy(body(train.pixels) @ left @ right, train.labels))
    assert float(problem.train_loss(left, right)) == pytest.approx(loss, rel=1e-12)
    assert float(problem.train_loss(0 * left, right)) == pytest.approx(math.log(CLASSES))


def test_records_read_the_first_held_out_images_and_the_last_record_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(classification.SHOWN, "held", 30)
    problem = task().behind(backbone())
    left, right = drawn([CLASSES, 4, FEATURES], 3.0, "normal", torch.Generator().manual_seed(0))[
        ::-1
    ]
    few = float(problem.accuracy("held", Halves([right, left], left @ right)))
    every = float(problem.at_end().accuracy("held", Halves([right, left], left @ right)))
    correct = (backbone()(digits()[1].pixels) @ left @ right).argmax(1) == digits()[1].labels
    assert few == pytest.approx(float(correct[:30].double().mean()))
    assert every == pytest.approx(float(correct.double().mean())) and few != every


def test_measurements_share_one_pass_until_the_next_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(classification.SHOWN, "train", 70)
    problem = task()
    network = head(problem, "narrow")
    body = network.backbone
    assert body is not None
    passed: list[int] = []
    body.register_forward_hook(lambda module, images, features: passed.append(len(features)))
    steps = fastest(network, problem, load("optimizers", "momentum"), 0.05)
    names = ("test_loss", "accuracy", "train_accuracy", "train_loss")
    for wanted in ([70, 100], [BATCH, 70, 100], [BATCH, 70, 100]):
        state = State(network, CLASSES)
        loss = steps.loss()
        found = {name: load("measurements", name).measure(state, steps.problem) for name in names}
        assert passed == wanted and float(found["train_loss"]) == loss
        for part, images, share in zip(
            ("held", "train"), reversed(digits()), ("accuracy", "train_accuracy"), strict=True
        ):
            few = images.first(70 if part == "train" else 100)
            told = (body(few.pixels) @ state.product).argmax(1)
            correct = (told == few.labels).double().mean()
            assert float(found[share]) == pytest.approx(float(correct), abs=1e-15)
        assert isinstance(steps.problem, Classification)
        for matrix in (state.product, 2 * state.product):
            exact = body(digits()[1].pixels).detach() @ matrix
            assert relative(steps.problem.logits("held", Halves([], matrix)), exact) < 1e-14
        passed.clear()
        steps.step()
        assert passed == [BATCH]


@pytest.mark.parametrize("batch", [0, BATCH])
def test_a_backbone_that_stays_sees_each_image_once_for_all_networks(batch: int) -> None:
    train, held = digits()
    body = backbone().requires_grad_(False)
    problem = Classification(train, held, NAMES, FEATURES, body, batch, seed=4)
    passed: list[int] = []
    body.register_forward_hook(lambda module, images, features: passed.append(len(features)))
    for kind in ("spectral", "wide", "layered"):
        network = head(problem, kind, rate=0.0)
        steps = fastest(network, problem, load("optimizers", "momentum"), 0.05)
        steps.step(30)
        state = State(network, CLASSES)
        load("measurements", "test_loss").measure(state, steps.problem)
        assert steps.loss() < math.log(CLASSES)
    assert sorted(passed) == [100, 250]
    assert problem.before == 250 * 2 * (64 * FEATURES + FEATURES**2)
    assert problem.look == 250 * 2 * FEATURES * CLASSES


def test_a_backbone_that_stays_but_is_another_one_has_its_own_features() -> None:
    problem = task()
    network = head(problem, "wide")
    other = backbone()
    for parameter in other.requires_grad_(False).parameters():
        parameter.mul_(2)
    network = dataclasses.replace(network, backbone=other)
    steps = fastest(network, problem, load("optimizers", "momentum"), 0.05)
    assert isinstance(steps.problem, Classification)
    assert torch.equal(steps.problem.features("held"), other(digits()[1].pixels))
    assert not torch.equal(steps.problem.features("held"), problem.features("held"))


@pytest.mark.parametrize("kind", ["wide", "narrow", "plain", "layered"])
@pytest.mark.parametrize("rate", [0.0, 1.0])
@pytest.mark.parametrize("name", BACKBONES)
def test_operations_are_those_that_torch_counts(kind: str, rate: float, name: str) -> None:
    problem = task(name)
    network = head(problem, kind, rate, depth=4)
    steps = fastest(network, problem, load("optimizers", "momentum"), 0.01)
    steps.step()  # a backbone that stays as it is sees all images once, before
    counted = FlopCounterMode(display=False)
    with counted:
        steps.step()
    # The few products beside: W itself, and the identity of a single factor.
    beside = 2.0 * FEATURES * CLASSES * max(network.widths[1:-1], default=2 * CLASSES)
    if kind == "layered":
        beside = 0
    assert steps.operations <= counted.get_total_flops() <= steps.operations + beside


def test_what_cannot_be_learned_is_refused_in_one_sentence() -> None:
    with pytest.raises(ValueError, match=r"^batch must be at most 250, .*; 251 was given\.$"):
        task(batch=251)
    train, held = digits()
    for images, others in ((train.first(0), held), (train, held.first(0))):
        with pytest.raises(ValueError, match="at least one training image"):
            Classification(images, others, NAMES, FEATURES, backbone())
