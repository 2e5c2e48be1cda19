"""Network and State: what is measured of factors, against dense linear algebra and known angles."""

import math

import pytest
import torch
from torch import Tensor

from dynamics.engine.factors import drawn, orthonormal
from dynamics.engine.measuring.state import State, angles, overlaps, subspace_angles
from dynamics.engine.network import Network
from tests.support.make import relative

TINY = (1e-14, 1e-12, 1e-9, 1e-5, 0.1, math.pi / 4, 1.5, math.pi / 2 - 1e-9)


def network(*widths: int, scale: float = 1.0) -> Network:
    return Network(drawn([*widths], scale, "normal", torch.Generator().manual_seed(sum(widths))))


def columns(count: int, size: int = 20, seed: int = 0) -> Tensor:
    return orthonormal(size, count, torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(
    "widths",
    [(9, 4, 12), (12, 4, 9), (9, 5, 3, 9), (9, 3, 5, 9), (20, 2, 2, 2, 20), (8, 8, 8), (6, 9, 7)],
)
def test_the_svd_from_thin_factors_is_that_of_the_dense_product(widths: tuple[int, ...]) -> None:
    """Narrow networks never form the product; NumPy's dense decomposition does."""
    built = network(*widths)
    state = State(built, 3)
    dense = state.product
    left, values, right = state.svd
    count = min(3, *widths)
    wanted = torch.linalg.svdvals(dense)[:3]
    assert (values - wanted).abs().max() < 1e-13 * wanted[0]
    # Each singular vector up to a sign that left and right share.
    triplets = left[:, :count] * values[:count] @ right[:count]
    u, s, v = torch.linalg.svd(dense, full_matrices=False)
    assert relative(triplets, u[:, :count] * s[:count] @ v[:count]) < 1e-11


def test_singular_values_beyond_a_thin_network_s_width_are_zero() -> None:
    """Charts of both networks have the same number of lines, also when r̂ is smaller."""
    values = State(network(9, 2, 3, 8), 6).svd[1]
    assert values.shape == (6,)
    assert (values[2:] == 0).all() and (values[:2] > 0).all()


def test_small_singular_values_keep_their_digits() -> None:
    """At ε = 1e-4 and L = 3 the product is 1e-12 small; a Gram matrix would lose all of it."""
    built = network(30, 3, 3, 30, scale=1e-4)
    wanted = torch.linalg.svdvals(State(built, 3).product)[:3]
    assert ((State(built, 3).svd[1] - wanted) / wanted).abs().max() < 1e-12


@pytest.mark.parametrize("theta", TINY)
def test_a_rotation_by_a_known_angle_is_found_to_the_last_digits(theta: float) -> None:
    """arccos alone cannot tell angles below 1e-8 from zero, arcsin none near 90°."""
    basis = columns(6)
    mixed = orthonormal(3, 3, torch.Generator().manual_seed(1))
    turned = torch.tensor([theta, theta / 2, 0.0], dtype=torch.float64)
    found = (basis[:, :3] * turned.cos() + basis[:, 3:] * turned.sin()) @ mixed
    error = (angles(found, basis[:, :3]) - turned).abs().max()
    assert error < 4e-15


def test_right_angles_and_no_angles_come_in_order() -> None:
    basis = columns(6)
    found = torch.cat([basis[:, 4:6], basis[:, 2:3]], 1)
    wanted = torch.tensor([math.pi / 2, math.pi / 2, 0], dtype=torch.float64)
    assert (angles(found, basis[:, :3]) - wanted).abs().max() < 4e-15


def test_directions_that_the_found_subspace_lacks_are_at_right_angles() -> None:
    """r̂ < r: the network cannot have them."""
    basis = columns(5)
    lacking = subspace_angles(basis[:, :2], basis[:, :4])
    wanted = torch.tensor([math.pi / 2, math.pi / 2, 0, 0], dtype=torch.float64)
    assert (lacking - wanted).abs().max() < 4e-15


def test_only_the_first_r_found_directions_count() -> None:
    basis = columns(5)
    assert (subspace_angles(basis, basis[:, :2])).max() < 4e-15
    assert (subspace_angles(basis.flip(1), basis[:, :2]) - math.pi / 2).abs().max() < 4e-15


def test_a_subspace_larger_than_half_of_the_space_has_all_its_angles() -> None:
    """Two planes in three dimensions share a line: the sines are fewer than the angles."""
    basis = torch.eye(3, dtype=torch.float64)
    tilted = torch.stack([basis[0], math.cos(0.3) * basis[1] + math.sin(0.3) * basis[2]], 1)
    wanted = torch.tensor([0.3, 0.0], dtype=torch.float64)
    assert (angles(tilted, basis[:, :2]) - wanted).abs().max() < 4e-15


def test_overlaps_compare_directions_of_the_same_number_whatever_their_sign() -> None:
    basis = columns(4)
    found = torch.stack([-basis[:, 0], 0.6 * basis[:, 1] + 0.8 * basis[:, 3], basis[:, 3]], 1)
    wanted = torch.tensor([1.0, 0.6, 0.0, 0.0], dtype=torch.float64)
    assert (overlaps(found, basis) - wanted).abs().max() < 1e-14
    assert (overlaps(basis, found[:, :2]) - wanted[:2]).abs().max() < 1e-14


def test_a_state_is_finite_only_if_all_factors_are() -> None:
    built = network(5, 4, 4, 6)
    assert State(built, 2).finite
    built.factors[1][2, 3] = math.inf
    assert not State(built, 2).finite
