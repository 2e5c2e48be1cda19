"""Measurements of networks that tell classes apart: against NumPy, scikit-learn and autograd."""

import numpy as np
import pytest
import torch
from sklearn.metrics import confusion_matrix
from torch import Tensor

from dynamics.core.registry import load
from dynamics.engine.factors import drawn, product
from dynamics.engine.losses import classification
from dynamics.engine.losses.classification import Classification, Images, oriented
from dynamics.engine.losses.masked import Masked
from dynamics.engine.measuring.state import State
from dynamics.engine.network import Network
from dynamics.engine.target import Target
from tests.engine.losses.test_classification import CLASSES, FEATURES, NAMES, digits, task
from tests.support.make import gaussian, relative

ONLY_CLASSES = ("class_vectors", "confusion", "inner_coordinates")


def network(*hidden: int, problem: Classification | None = None) -> Network:
    rng = torch.Generator().manual_seed(3)
    factors = drawn([CLASSES, *hidden, FEATURES], 2.0, "normal", rng)
    return Network(factors, backbone=(problem or task()).backbone())


def measured(name: str, net: Network, problem: Classification) -> Tensor:
    value = load("measurements", name).measure(State(net, CLASSES), problem)
    assert isinstance(value, Tensor)
    return value


@pytest.mark.parametrize("hidden", [(), (FEATURES,) * 2, (4, 4), (3,)])
def test_class_vectors_are_the_singular_vectors_on_the_side_of_the_classes(
    hidden: tuple[int, ...],
) -> None:
    net = network(*hidden)
    found = measured("class_vectors", net, task()).numpy()
    vectors = np.linalg.svd(product(net.factors).numpy(), full_matrices=False)[2]
    rank = min(hidden, default=CLASSES)
    assert found.shape == (CLASSES, CLASSES) and np.isnan(found[rank:]).all()
    for row, wanted in zip(found[:CLASSES][:rank], vectors, strict=False):
        assert row[np.abs(row).argmax()] > 0
        np.testing.assert_allclose(row, wanted * np.sign(row @ wanted), atol=1e-12)


def test_rounding_decides_no_sign() -> None:
    """Two classes have vectors (1, −1)/√2, whose entries are of one size."""
    tied = torch.tensor([[1.0, -1.0], [-1.0, 1.0]]).mul(0.5**0.5)
    for change in (0.0, 1e-7, -1e-7):
        signs = oriented(tied + torch.tensor([change, 0.0])).sign()
        assert torch.equal(signs, torch.tensor([[1.0, -1.0], [1.0, -1.0]]))


def test_confusion_is_that_of_scikit_learn(monkeypatch: pytest.MonkeyPatch) -> None:
    problem, net = task(), network(4)
    held = digits()[1]
    assert net.backbone is not None
    with torch.no_grad():
        told = (net.backbone(held.pixels) @ product(net.factors)).argmax(1)
    wanted = confusion_matrix(held.labels, told, normalize="true")
    found = measured("confusion", net, problem)
    np.testing.assert_allclose(found, wanted, atol=1e-15)
    share = found.diagonal() @ held.labels.bincount().double() / len(held)
    assert float(measured("accuracy", net, problem)) == pytest.approx(float(share))
    monkeypatch.setitem(classification.SHOWN, "held", 30)
    few = measured("confusion", net, task())
    assert not torch.equal(few, found)
    assert torch.equal(measured("confusion", net, task().at_end()), found)


def test_a_class_without_held_out_images_has_no_shares() -> None:
    train, held = digits()
    kept = held.labels != 3
    others = Images(held.pixels[kept], held.labels[kept])
    problem = Classification(train, others, NAMES, FEATURES, task().backbone())
    rows = measured("confusion", network(4), problem).sum(1)
    assert torch.isnan(rows[3]) and torch.allclose(rows[torch.arange(10) != 3], rows.new_ones(9))


def test_inner_coordinates_are_the_features_behind_the_first_factor(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(classification, "PLACED", 40)
    for hidden in ((2, 2), (3,), (FEATURES, 3)):
        net = network(*hidden)
        found = measured("inner_coordinates", net, task())
        assert net.backbone is not None
        with torch.no_grad():
            wanted = net.backbone(digits()[1].pixels[:40]) @ net.factors[-1]
        assert found.shape == (40, hidden[-1]) and relative(found, wanted) < 1e-14
    for hidden in ((4, 4), (), (3, FEATURES)):
        state = State(network(*hidden), CLASSES)
        assert load("measurements", "inner_coordinates").measure(state, task()) is None


@pytest.mark.parametrize("name", ONLY_CLASSES)
def test_a_matrix_to_recover_has_none_of_them(name: str) -> None:
    target = Target.of(gaussian(9, 2) @ gaussian(2, 14), 2)
    net = Network([gaussian(3, 14), gaussian(9, 3)])
    assert load("measurements", name).measure(State(net, 4), Masked(target)) is None


def test_facts_name_classes_images_and_weights() -> None:
    facts = task("vit", activation="gelu").facts
    assert facts["classes"] == list(NAMES)
    assert facts["shown_labels"] == digits()[1].labels[:200].tolist()
    vectors = torch.tensor(facts["gradient_class_vectors"], dtype=torch.float64)
    problem = task("vit", activation="gelu")
    left, values, right = problem.surrogate(CLASSES)
    assert facts["gradient_singular_values"] == values.tolist()
    # Each vector is an eigenvector of GᵀG, G = −∇loss(0), with its largest entry positive.
    gradient = (left * values) @ right
    assert relative(vectors @ (gradient.mT @ gradient), values[:, None] ** 2 * vectors) < 1e-12
    assert bool((vectors.amax(1) >= 0.99 * vectors.abs().amax(1)).all())
    names = facts["backbone_weights"]
    weights = dict(problem.backbone().named_parameters())
    assert len(names) == 1 + 2 * 4 + 1 and all(weights[name].ndim > 1 for name in names)
    assert not any("position" in name or "norm" in name for name in names)


def test_no_subspace_is_claimed_for_a_narrow_head() -> None:
    """Narrower than the classes, it is narrow by shape; no theory says what it keeps."""
    problem, net = task(), network(2)
    assert State(net, CLASSES).narrow
    assert load("measurements", "leak").measure(State(net, CLASSES), problem) is None
