"""The first singular triplets of wide matrices, and what is said of their error."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from dynamics.core.finite import NotFiniteError
from dynamics.core.registry import load
from dynamics.engine.factors import drawn, orthonormal
from dynamics.engine.losses.masked import Masked
from dynamics.engine.measuring.leading import Triplets, error, leading
from dynamics.engine.measuring.state import WIDE, State
from dynamics.engine.network import Network
from dynamics.engine.target import Target
from tests.support.make import gaussian, relative

SIDE, COUNT = 160, 20
PLACE = torch.arange(SIDE, dtype=torch.float64)
SPECTRA = {
    "flat": torch.ones_like(PLACE),
    "zeros after nine": (PLACE < 9).double(),
    "nine that stand out": torch.where(PLACE < 9, 20 - PLACE, 0.1),
    "one that stands out": torch.where(PLACE < 1, 100.0, 1.0),
    "a step at the last one shown": torch.where(PLACE < COUNT, 1.0, 0.9),
    "a small step beyond": torch.where(PLACE < 35, 1.0, 0.99),
    "a tiny step": torch.where(PLACE < 25, 1.0, 0.999),
    "straight": 1 - PLACE / SIDE,
    "slow power": (1 + PLACE) ** -0.2,
    "power": 1 / (1 + PLACE),
    "geometric": 0.9**PLACE,
}


def rotated(values: Tensor, rows: int = SIDE, seed: int = 0) -> Tensor:
    """A matrix with these singular values."""
    generator = torch.Generator().manual_seed(seed)
    left, right = (orthonormal(size, len(values), generator) for size in (rows, len(values)))
    return (left * values) @ right.mT


def check(matrix: Tensor, values: Tensor, before: Triplets | None = None) -> tuple[float, float]:
    """How far values are off, and what is said of that; neither too large nor beyond it."""
    triplets = leading(matrix, COUNT, before)
    off = values[:COUNT] - triplets.values[:COUNT]
    said = float(error(matrix, triplets, COUNT))
    rounding = 1e-13 * float(values[0])
    assert float(off.min()) > -rounding
    assert float(off.max()) <= said + rounding
    # Each triplet is one of the matrix's own as far as A V = U S goes, on the left exactly.
    left, kept, right = triplets.first(COUNT)
    assert relative(left.mT @ matrix, kept[:, None] * right) < 1e-12
    return float(off.max()), said


@pytest.mark.parametrize("rows", [SIDE, 400])
@pytest.mark.parametrize("name", SPECTRA)
def test_no_value_is_further_off_than_is_said(name: str, rows: int) -> None:
    values = SPECTRA[name].sort(descending=True).values
    off, said = check(rotated(values, rows), values)
    if name in ("nine that stand out", "zeros after nine", "one that stands out", "flat"):
        assert off < 1e-9 and said <= 0.0101 * float(values[COUNT - 1]) + 1e-6


def test_no_random_spectrum_is_further_off_than_is_said() -> None:
    """Steps anywhere, decays of any speed, values near one another."""
    rng = np.random.default_rng(0)
    turned = rotated(torch.ones(SIDE, dtype=torch.float64))
    basis = orthonormal(SIDE, SIDE, torch.Generator().manual_seed(5))
    for number in range(120):
        kinds = (
            torch.where(rng.integers(10, 80) > PLACE, 1.0, 1 - 10 ** rng.uniform(-3, -0.2)),
            (1 + PLACE) ** -rng.uniform(0.02, 1),
            torch.from_numpy(rng.random(SIDE)) ** rng.uniform(0.01, 2),
            1 + torch.where(rng.integers(1, 30) > PLACE, 5.0, 0.05) * torch.from_numpy(
                rng.random(SIDE)
            ),
        )  # fmt: skip
        values = kinds[number % 4].sort(descending=True).values
        check((turned @ basis) * values @ basis.mT, values)


@pytest.mark.parametrize("name", SPECTRA)
def test_from_another_matrix_no_value_is_further_off_than_is_said(name: str) -> None:
    """In one pass, even where all directions have changed since."""
    values = SPECTRA[name].sort(descending=True).values
    other = gaussian(SIDE, SIDE)
    for before in (leading(rotated(values, seed=8), COUNT), leading(other, COUNT)):
        check(rotated(values), values, before)


def test_passes_add_up_over_a_run() -> None:
    """A matrix that rests is known better at each record; one that is not finite is refused."""
    matrix = gaussian(300, 300)
    values = torch.linalg.svdvals(matrix)
    found = leading(matrix, COUNT)
    first = check(matrix, values)
    for _ in range(30):
        found = leading(matrix, COUNT, found)
    off, said = check(matrix, values, found)
    assert off < 0.1 * first[0] and said < 0.25 * first[1]
    matrix[7, 5] = math.inf
    with pytest.raises(NotFiniteError):
        leading(matrix, COUNT, found)


def test_a_gaussian_matrix_says_that_it_is_known_roughly() -> None:
    matrix = gaussian(300, 300)
    off, said = check(matrix, torch.linalg.svdvals(matrix))
    assert 1e-3 < off / 300**0.5 < said / 300**0.5 < 1


def test_a_thin_matrix_is_decomposed_whole_and_every_call_has_the_same_numbers() -> None:
    thin = gaussian(400, COUNT + 3)
    triplets = leading(thin, COUNT)
    np.testing.assert_allclose(triplets.values, torch.linalg.svdvals(thin), rtol=1e-12)
    assert float(error(thin, triplets, COUNT)) == 0
    wide = gaussian(150, 170)
    one, other = leading(wide, COUNT), leading(wide.clone(), COUNT)
    assert all(torch.equal(ours, theirs) for ours, theirs in zip(one, other, strict=True))
    assert torch.equal(error(wide, one, COUNT), error(wide, other, COUNT))


@pytest.mark.parametrize("initialization", ["orthogonal", "normal"])
def test_wide_factors_of_a_head_have_their_first_values_and_an_error(initialization: str) -> None:
    width, classes = WIDE + 20, 5
    generator = torch.Generator().manual_seed(1)
    factors = drawn([classes, width, width, width + 9], 0.3, initialization, generator)
    factors[1] += gaussian(width, 3) @ gaussian(3, width, seed=1) / width
    state = State(Network(factors, backbone=torch.nn.Identity()), classes)
    problem = Masked(Target.of(gaussian(width + 9, 2) @ gaussian(2, classes), 2))
    found, errors = (
        load("measurements", name).measure(state, problem)
        for name in ("factor_singular_values", "spectrum_error")
    )
    assert found.shape == (3, 2 * classes) and errors.shape == (3,)
    assert float(errors[0]) == 0 and torch.isnan(found[0, classes:]).all()
    for row, said, factor in zip(found, errors, factors, strict=True):
        off = torch.linalg.svdvals(factor)[: 2 * classes] - row[: min(factor.shape)]
        assert float(off.min()) > -1e-12 and float(off.max()) <= float(said) + 1e-12
    if initialization == "orthogonal":
        assert float(errors.max()) < 0.04 * 0.3
    assert load("measurements", "unmoved").measure(state, problem) is None
    # The balance needs all singular values; it has them in another way.
    exact = torch.linalg.svdvals(factors[0]) ** 2, torch.linalg.svdvals(factors[1]) ** 2
    wanted = math.hypot(float(exact[0].norm()) / state.alpha, float(exact[1].norm()))
    assert float(state.squares) == pytest.approx(wanted, rel=1e-12)


def test_factors_of_a_matrix_that_is_recovered_are_decomposed_whole() -> None:
    width = WIDE + 20
    state = State(Network(drawn([width] * 3, 1.0, "normal", torch.Generator().manual_seed(0))), 4)
    assert not state.wide and state.spectra[0].shape == (2, width)
    assert torch.equal(state.spectra[1], torch.zeros(2, dtype=torch.float64))
