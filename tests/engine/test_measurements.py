"""Measurements: against exactly representable matrices and dense linear algebra."""

import numpy as np
import pytest
import torch
from torch import Tensor

from dynamics.core.config import choices
from dynamics.core.registry import load, options
from dynamics.engine.factors import drawn
from dynamics.engine.losses.masked import Masked
from dynamics.engine.measuring.state import State
from dynamics.engine.network import Network
from dynamics.engine.target import Target
from tests.support.make import KINDS, gaussian, known, relative

DELTA = 2.0**-30


def measured(name: str, network: Network, problem: object, count: int = 4) -> Tensor:
    value = load("measurements", name).measure(State(network, count), problem)
    assert value is not None
    return value


def hadamard(order: int) -> Tensor:
    """An orthogonal matrix whose entries are plus or minus a power of two: no rounding in it."""
    block = torch.tensor([[1, 1], [1, -1]], dtype=torch.float64)
    matrix = torch.ones(1, 1, dtype=torch.float64)
    while len(matrix) < order:
        matrix = torch.kron(matrix, block)
    return matrix / order**0.5


@pytest.mark.parametrize("depth", [2, 4])
@pytest.mark.parametrize("shape", [(64, 64), (256, 256), (64, 256), (256, 64)], ids=str)
def test_a_recovery_error_of_1e_9_is_exact_dense_and_projected(
    shape: tuple[int, int], depth: int
) -> None:
    """Small sides take the dense difference, large ones the projection: no seam may show.

    All numbers are dyadic fractions of few digits, so that the product is exact and the error is
    known as a root of whole numbers: here the difference loses nothing by itself.
    """
    rows, cols = shape
    left, right = hadamard(rows), hadamard(cols).mT
    wanted = torch.tensor([9.0, 5.0, 2.0], dtype=torch.float64)
    target = Target(left[:, :3], wanted, right[:3])
    # In the target's own singular vectors and two more on either side, W is a 5 × 5 matrix.
    error = torch.tensor(
        [[3, -1, 2, 0, 5], [1, 0, -2, 4, 1], [0, 2, 2, -3, 0], [1, 1, 0, 2, -2], [-4, 0, 1, 3, 1]],
        dtype=torch.float64,
    )
    middle = torch.diag(torch.cat([wanted, wanted.new_zeros(2)])) + DELTA * error
    inner = [torch.eye(5, dtype=torch.float64)] * (depth - 2)
    network = Network([middle @ right[:5], *inner, left[:, :5].clone()])
    exact = DELTA * (float(error.square().sum()) / (81 + 25 + 4)) ** 0.5
    assert 1e-10 < exact < 1e-8
    found = float(measured("recovery_error", network, Masked(target)))
    assert abs(found / exact - 1) < 1e-12


@pytest.mark.parametrize("widths", [(200, 6, 160), (160, 2, 5, 200), (300, 1, 155), (151, 40, 151)])
def test_a_projected_recovery_error_is_the_dense_one(widths: tuple[int, ...]) -> None:
    """Also for networks thinner than the target's rank."""
    cols, *_, rows = widths
    generator = torch.Generator().manual_seed(0)
    network = Network(drawn([*widths], 3.0, "normal", generator))
    target = Target.of(gaussian(rows, 4) @ gaussian(4, cols, seed=1), 4)
    dense = network.factors[-1]
    for factor in network.factors[-2::-1]:
        dense = dense @ factor
    wanted = np.linalg.norm((dense - target.dense).numpy()) / np.linalg.norm(target.dense.numpy())
    found = float(measured("recovery_error", network, Masked(target)))
    assert abs(found / wanted - 1) < 1e-12


def test_a_target_of_full_rank_is_never_projected_onto_its_first_directions() -> None:
    """A photograph's first r singular triplets are not all of it."""
    picture = gaussian(160, 170)
    network = Network([0.1 * gaussian(3, 170, seed=1), gaussian(160, 3, seed=2)])
    target = Target.of(picture, 3, exact=False)
    wanted = (network.factors[1] @ network.factors[0] - picture).norm() / picture.norm()
    found = measured("recovery_error", network, Masked(target))
    assert abs(found / wanted - 1) < 1e-13


@pytest.mark.parametrize("kind", KINDS)
def test_losses_are_those_of_the_plain_formulas(kind: str) -> None:
    """Masks, means and held-out entries, each written down a second time on the dense product."""
    problem, train_loss, test_loss = known(kind, 9, 14)
    for widths in ((14, 3, 3, 9), (14, 12, 9)):
        generator = torch.Generator().manual_seed(1)
        network = Network(drawn([*widths], 0.9, "uniform", generator))
        product = State(network, 3).product
        for name, loss in (("train_loss", train_loss), ("test_loss", test_loss)):
            found, wanted = measured(name, network, problem), loss(product)
            assert abs(found / wanted - 1) < 1e-12, name


@pytest.mark.parametrize("widths", [(9, 9, 9, 9), (12, 4, 4, 8), (12, 3, 5, 2, 8), (6, 10, 7)])
def test_factor_singular_values_are_those_of_each_factor(widths: tuple[int, ...]) -> None:
    """One row a factor; a factor with fewer than another leaves NaN, not zeros."""
    network = Network(drawn([*widths], 1.0, "normal", torch.Generator().manual_seed(2)))
    problem, *_ = known("factorization", widths[-1], widths[0])
    found = measured("factor_singular_values", network, problem).numpy()
    assert found.shape == (len(network.factors), max(min(f.shape) for f in network.factors))
    for row, factor in zip(found, network.factors, strict=True):
        wanted = np.linalg.svd(factor.numpy(), compute_uv=False)
        assert np.abs(row[: len(wanted)] - wanted).max() < 1e-13
        assert np.isnan(row[len(wanted) :]).all()


@pytest.mark.parametrize("width", [3, 5, 12])
def test_singular_vectors_are_compared_to_the_target_s(width: int) -> None:
    """W is the target with its first left singular vector turned by a known angle.

    The first r = 3 left directions then lie one at that angle and two at none; the right ones
    agree. The values are far apart, so that each direction keeps its number.
    """
    theta = 0.4
    left, right = hadamard(16), hadamard(16)[:, :12].mT[:12]
    right = torch.linalg.qr(right.mT)[0].mT
    values = torch.tensor([8.0, 4.0, 2.0], dtype=torch.float64)
    target = Target(left[:, :3], values, right[:3])
    turned = left[:, :3].clone()
    turned[:, 0] = np.cos(theta) * left[:, 0] + np.sin(theta) * left[:, 7]
    first, last = right.new_zeros(width, 16)[:, : right.shape[1]], left.new_zeros(16, width)
    first[:3], last[:, :3] = values[:, None] * right[:3], turned
    network, problem = Network([first, last]), Masked(target)
    expected = {
        "left_angles": [theta, 0, 0],
        "right_angles": [0, 0, 0],
        "left_overlaps": [np.cos(theta), 1, 1],
        "right_overlaps": [1, 1, 1],
        "singular_values": [8, 4, 2],
    }
    for name, wanted in expected.items():
        found = measured(name, network, problem, 3).numpy()
        assert np.abs(found - wanted).max() < 1e-14, name


def test_what_needs_the_full_matrix_is_left_out_where_nobody_knows_it() -> None:
    """Real ratings have no target: no recovery error, no angles, but losses and spectra."""
    problem, *_ = known("entries", 9, 7)
    problem.target = None
    state = State(Network([gaussian(3, 7), gaussian(9, 3)]), 3)
    given = {
        name
        for name in options("measurements")
        if load("measurements", name).measure(state, problem) is not None
    }
    spectra = {"singular_values", "factor_singular_values"}
    assert given == {"train_loss", "test_loss", *spectra, "balance", "leak", "unmoved"}


def test_every_measurement_has_a_headline() -> None:
    """It is what menus and exports say."""
    assert all(text.endswith(".") for text in options("measurements").values())
    assert all(text for text in choices("problem").values())


def test_measuring_changes_no_factor() -> None:
    problem, *_ = known("completion", 9, 7)
    network = Network([gaussian(3, 7), gaussian(9, 3)])
    before = [factor.clone() for factor in network.factors]
    for name in options("measurements"):
        load("measurements", name).measure(State(network, 4), problem)
    assert all(relative(*pair) == 0 for pair in zip(network.factors, before, strict=True))


@pytest.mark.parametrize(("rows", "cols", "width"), [(30, 30, 30), (40, 25, 5), (25, 40, 5)])
def test_first_vectors_are_those_of_the_outer_factors(rows: int, cols: int, width: int) -> None:
    """Wide, tall and broad factors: one eigenvector gives what a whole decomposition does."""
    target = Target.of(gaussian(rows, 3) @ gaussian(3, cols, seed=1), 3)
    first, last = gaussian(width, cols, seed=2), gaussian(rows, width, seed=3)
    found = measured("first_vectors", Network([first, last]), Masked(target))
    left, right = torch.linalg.svd(last)[0][:, 0], torch.linalg.svd(first)[2][0]
    wanted = [(left @ target.left[:, 0]).abs(), (right @ target.right[0]).abs()]
    assert torch.allclose(found, torch.stack(wanted), atol=1e-10)


@pytest.mark.parametrize("size", [12, 100])
def test_tied_factors_have_some_first_vector(size: int) -> None:
    """At the start all singular values are equal, and LAPACK may look for one in vain."""
    target = Target.of(gaussian(size, 2) @ gaussian(2, size, seed=1), 2)
    for seed in range(60):
        start = drawn([size] * 3, 0.1, "orthogonal", torch.Generator().manual_seed(seed))
        found = measured("first_vectors", Network(start), Masked(target))
        assert (found >= 0).all() and (found <= 1 + 1e-12).all()
