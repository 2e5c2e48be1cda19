"""Descent: one step against automatic differentiation, and its count of operations."""

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from dynamics.core.registry import load
from dynamics.engine.factors import drawn, product, spectral
from dynamics.engine.network import Network
from dynamics.engine.problem import Recovery
from dynamics.engine.steps.plain import Descent
from tests.support.make import KINDS, gaussian, known, relative

SHAPES = [(10, 10), (8, 14), (14, 8)]
WIDTHS = [(4,), (10,), (17,), (3, 6, 5, 4, 9)]
PLAIN = load("optimizers", "gradient_descent")


def networks(problem: Recovery, depth: int) -> Iterator[Network]:
    """A spectral start, and random factors: narrow, wide, over-wide and of uneven widths."""
    rows, cols = problem.shape
    left, _, right = problem.surrogate(3)
    yield Network(spectral(left, right, depth, 0.6), 2.5)
    for widths in WIDTHS:
        hidden = (widths * depth)[: depth - 1]
        generator = torch.Generator().manual_seed(depth)
        yield Network(drawn([cols, *hidden, rows], 0.7, "normal", generator), 1.5)


def copies(network: Network) -> list[Tensor]:
    return [factor.clone().requires_grad_() for factor in network.factors]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("depth", range(2, 7))
@pytest.mark.parametrize("kind", KINDS)
def test_a_step_moves_every_factor_by_the_gradient_that_autograd_finds(
    kind: str, depth: int, shape: tuple[int, int]
) -> None:
    """The loss is written down apart from the problem; outer factors move α times as far."""
    problem, loss, _ = known(kind, *shape)
    for network in networks(problem, depth):
        factors = copies(network)
        before = [factor.detach().clone() for factor in factors]
        gradients = torch.autograd.grad(loss(torch.linalg.multi_dot(factors[::-1])), factors)
        Descent(network, problem, PLAIN, 0.3).step()
        for index, gradient in enumerate(gradients):
            rate = 0.3 * (network.alpha if index in (0, depth - 1) else 1)
            moved = before[index] - network.factors[index]
            # The difference of two factors cannot be better than a factor's own last digit.
            rounding = 1e-15 * before[index].norm()
            assert (moved - rate * gradient).norm() < 1e-12 * (rate * gradient).norm() + rounding


@pytest.mark.parametrize("kind", KINDS)
def test_ten_steps_at_once_are_ten_steps(kind: str) -> None:
    """Buffers are used again in each step: none may carry anything over."""
    problem, _, _ = known(kind, 9, 7)
    together, alone = (next(networks(problem, 4)) for _ in range(2))
    Descent(together, problem, PLAIN, 0.2).step(10)
    for _ in range(10):
        Descent(alone, problem, PLAIN, 0.2).step()
    assert relative(product(together.factors), product(alone.factors)) < 1e-14


def test_networks_that_share_a_problem_do_not_disturb_each_other() -> None:
    """The residual's buffer is shared, and overwritten by whoever steps next."""
    problem, _, _ = known("completion", 9, 7)
    first, second, alone = (list(networks(problem, 3))[i] for i in (0, 1, 0))
    descents = [Descent(network, problem, PLAIN, 0.2) for network in (first, second)]
    for _ in range(5):
        for descent in descents:
            descent.step()
    Descent(alone, problem, PLAIN, 0.2).step(5)
    assert relative(product(first.factors), product(alone.factors)) < 1e-14


def counted(descent: Descent) -> int:
    """Operations of the products that one step makes, as torch itself sees them go by."""

    def matrices(*parts: Tensor, out_val: object = None, **more: object) -> int:
        *_, left, right = parts
        if left.layout is torch.sparse_csr:
            return 2 * left.values().numel() * right.shape[1]
        return 2 * left.shape[0] * left.shape[1] * right.shape[1]

    def vector(_: Tensor, matrix: Tensor, *parts: Tensor, **more: object) -> int:
        return 2 * matrix.numel()

    def sampled(places: Tensor, left: Tensor, right: Tensor, **more: object) -> int:
        return 2 * places.values().numel() * left.shape[1]

    aten, mapping = torch.ops.aten, {}
    for count, operators in (
        (matrices, (aten.mm, aten.addmm, aten.addmm_)),
        (vector, (aten.addmv, aten.addmv_)),
        (sampled, (aten.sparse_sampled_addmm,)),
    ):
        count._get_raw = True  # type: ignore[attr-defined] - tensors, not their shapes
        mapping |= dict.fromkeys(operators, count)
    with FlopCounterMode(display=False, custom_mapping=mapping) as counter:
        descent.step()
    return counter.get_total_flops()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("depth", range(2, 7))
def test_operations_are_those_of_the_products_that_a_step_makes(kind: str, depth: int) -> None:
    """Cost axes are only honest if the formula counts what runs."""
    problem, _, _ = known(kind, 8, 14)
    for network in networks(problem, depth):
        descent = Descent(network, problem, PLAIN, 0.1)
        assert counted(descent) == descent.operations


def test_a_last_factor_stays_stored_by_columns() -> None:
    """The step's skinny products read along rows then; an update must not undo that."""
    problem, _, _ = known("completion", 14, 8)
    network = next(networks(problem, 3))
    Descent(network, problem, PLAIN, 0.1).step(2)
    assert network.factors[-1].mT.is_contiguous()
    assert all(factor.is_contiguous() for factor in network.factors[:-1])


def test_a_step_at_a_solution_does_not_move() -> None:
    """Where all entries are met, every gradient is zero."""
    problem, _, _ = known("factorization", 6, 6)
    matrix = problem.target.dense  # type: ignore[union-attr]
    factors = [torch.eye(6, dtype=torch.float64), gaussian(6, 6), matrix @ gaussian(6, 6).inverse()]
    network = Network([factor.clone() for factor in factors])
    Descent(network, problem, PLAIN, 0.5).step(3)
    assert max(relative(*pair) for pair in zip(network.factors, factors, strict=True)) < 1e-12
