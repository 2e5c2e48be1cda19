"""Factors: the product and the first values of both networks."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from dynamics.engine.factors import DISTRIBUTIONS, drawn, orthonormal, product, spectral
from tests.support.make import gaussian, relative

WIDTHS = [[5, 7], [5, 3, 9], [9, 4, 4, 5], [6, 6, 6, 6, 6], [3, 8, 2, 8, 20]]


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("widths", WIDTHS)
def test_the_product_is_last_times_first_whatever_the_shapes(widths: list[int]) -> None:
    """It is multiplied from the narrower side; NumPy's left-to-right order is the oracle."""
    factors = drawn(widths, 1.0, "normal", seeded())
    wanted = torch.eye(widths[-1], dtype=torch.float64)
    for factor in reversed(factors):
        wanted = torch.from_numpy(wanted.numpy() @ factor.numpy())
    assert relative(product(factors), wanted) < 1e-14


def test_a_leading_axis_of_runs_multiplies_each_run_alone() -> None:
    factors = [gaussian(4, 3, 5), gaussian(4, 3, 3, seed=1), gaussian(4, 6, 3, seed=2)]
    for run, together in enumerate(product(factors)):
        assert relative(together, product([factor[run] for factor in factors])) < 1e-14


@pytest.mark.parametrize("shape", [(6, 6), (4, 9), (9, 4), (1, 5)])
def test_orthogonal_factors_are_orthonormal_along_their_shorter_side(
    shape: tuple[int, int],
) -> None:
    """Rectangular ones too: their singular values are all ε."""
    (factor,) = drawn([shape[1], shape[0]], 0.25, "orthogonal", seeded())
    assert factor.shape == shape
    values = torch.linalg.svdvals(factor)
    assert (values - 0.25).abs().max() < 1e-15


def test_orthogonal_factors_favour_no_direction() -> None:
    """The signs of a QR decomposition are its algorithm's: unmended, the first entries lean."""
    generator = seeded()
    draws = torch.stack([orthonormal(5, 3, generator) for _ in range(600)])
    # Haar measure: every entry has mean 0 and variance 1/5.
    assert draws.mean(0).abs().max() < 5 * (1 / 5 / 600) ** 0.5
    assert (draws.square().mean(0) - 1 / 5).abs().max() < 0.05


@pytest.mark.parametrize("distribution", sorted(DISTRIBUTIONS))
@pytest.mark.parametrize("shape", [(12, 12), (6, 20), (20, 6)])
def test_all_distributions_have_the_orthogonal_one_s_frobenius_norm(
    distribution: str, shape: tuple[int, int]
) -> None:
    """Else a comparison of initializations would compare scales: ‖W‖² = ε² min(m, n) on average."""
    generator = seeded()
    factors = drawn([shape[1], *[shape[0], shape[1]] * 150], 0.5, distribution, generator)
    squares = torch.stack([factor.square().sum() for factor in factors[::2]])
    wanted = drawn([shape[1], shape[0]], 0.5, "orthogonal", generator)[0].square().sum()
    assert abs(squares.mean() - wanted) < 5 * squares.std() / len(squares) ** 0.5 + 1e-12


@pytest.mark.parametrize(("distribution", "kurtosis"), [("normal", 3.0), ("uniform", 1.8)])
def test_distributions_have_the_shapes_that_their_names_say(
    distribution: str, kurtosis: float
) -> None:
    """The fourth moment tells them apart: 3 for a Gaussian, 9/5 for a uniform variable."""
    (factor,) = drawn([300, 300], 1.0, distribution, seeded())
    found = factor.pow(4).mean() / factor.square().mean() ** 2
    assert abs(found - kurtosis) < 0.05
    assert abs(factor.mean()) < 5 * factor.std() / 300


def test_an_unknown_distribution_is_refused() -> None:
    with pytest.raises(ValueError, match=r"'cauchy' is not one of orthogonal, normal, uniform"):
        drawn([3, 3], 1.0, "cauchy", seeded())


@pytest.mark.parametrize("depth", [2, 3, 6])
def test_the_spectral_start_multiplies_to_the_surrogate_s_subspaces(depth: int) -> None:
    """The product is ε^L Û V̂ᵀ: the surrogate's first singular directions, all equally strong."""
    left, _, right = torch.linalg.svd(gaussian(9, 7), full_matrices=False)
    factors = spectral(left[:, :3], right[:3], depth, 0.1)
    assert [factor.shape for factor in factors] == [(3, 7), *[(3, 3)] * (depth - 2), (9, 3)]
    assert relative(product(factors), 0.1**depth * left[:, :3] @ right[:3]) < 1e-14
    assert all(abs(factor.norm() / 3**0.5 - 0.1) < 1e-15 for factor in factors)


@pytest.mark.parametrize(
    "make",
    [
        lambda left, right: spectral(left, right, 1, 0.1),
        lambda left, right: spectral(left, right[:2], 3, 0.1),
    ],
)
def test_sides_that_do_not_fit_are_refused(make: Callable[[Tensor, Tensor], object]) -> None:
    with pytest.raises(ValueError, match="factors between"):
        make(gaussian(9, 3), gaussian(3, 7))
