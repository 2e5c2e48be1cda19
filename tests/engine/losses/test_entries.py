"""Entries: the sparse loss against the dense one on the same data, and on the real ratings."""

from pathlib import Path

import numpy as np
import pytest
import torch

from dynamics.core.config import Config
from dynamics.core.registry import load
from dynamics.engine.factors import drawn, product
from dynamics.engine.losses.entries import Entries
from dynamics.engine.losses.masked import Masked
from dynamics.engine.network import Network
from dynamics.engine.steps.plain import Descent
from dynamics.engine.target import Target
from dynamics.engine.training.comparison import prepare
from tests.support.make import gaussian, relative

SHAPES = [(20, 20), (15, 31), (31, 15)]


def pair(rows: int, cols: int, dtype: torch.dtype = torch.float64) -> tuple[Entries, Masked]:
    """The same observed entries of the same matrix, sparse and dense."""
    matrix, mask = gaussian(rows, cols).to(dtype), gaussian(rows, cols, seed=1) < -0.5
    parts = [(places.nonzero().mT, matrix[places]) for places in (mask, ~mask)]
    target = Target.of(matrix, 3, exact=False)
    return Entries((rows, cols), *parts, target), Masked(target, mask)


def network(rows: int, cols: int, dtype: torch.dtype = torch.float64) -> Network:
    factors = drawn([cols, 4, 4, rows], 0.8, "normal", torch.Generator().manual_seed(5))
    return Network([factor.to(dtype) for factor in factors], 2.0)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_losses_and_surrogate_equal_the_dense_ones(shape: tuple[int, int]) -> None:
    sparse, dense = pair(*shape)
    left, right = gaussian(shape[0], 4), gaussian(4, shape[1], seed=2)
    assert abs(sparse.train_loss(left, right) / dense.train_loss(left, right) - 1) < 1e-13
    assert abs(sparse.test_loss(left, right) / dense.test_loss(left, right) - 1) < 1e-13
    assert (sparse.scale, sparse.curvature) == (dense.scale, dense.curvature)
    for count in (1, 6, 15):
        (u, values, v), (wanted_u, wanted, wanted_v) = (
            problem.surrogate(count) for problem in (sparse, dense)
        )
        assert (values - wanted).abs().max() < 1e-12 * wanted[0]
        assert relative(u * values @ v, wanted_u * wanted @ wanted_v) < 1e-10


@pytest.mark.parametrize("optimizer", ["gradient_descent", "adam"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_training_on_observed_entries_is_training_on_the_masked_matrix(
    shape: tuple[int, int], optimizer: str
) -> None:
    """Two hundred steps of either give the same network."""
    found = []
    for problem in pair(*shape):
        trained = network(*shape)
        Descent(trained, problem, load("optimizers", optimizer), 0.05).step(200)
        found.append(product(trained.factors))
    start = product(network(*shape).factors)
    assert relative(found[0], found[1]) < 1e-11
    assert relative(found[0], start) > 0.1


def test_entries_may_come_in_any_order() -> None:
    """Data sets are sorted by time, sparse matrices by row."""
    mask = gaussian(9, 7) > 0
    places, values = mask.nonzero().mT, gaussian(9, 7, seed=1)[mask]
    shuffled = torch.randperm(len(values), generator=torch.Generator().manual_seed(0))
    left, right = gaussian(9, 2, seed=3), gaussian(2, 7, seed=4)
    one = Entries((9, 7), (places, values), (places[:, :2], values[:2]))
    other = Entries(
        (9, 7), (places[:, shuffled], values[shuffled]), (places[:, [1, 0]], values[[1, 0]])
    )
    for ours, theirs in zip(one.residual(left, right), other.residual(left, right), strict=True):
        assert torch.equal(ours.to_dense(), theirs.to_dense())
    assert one.test_loss(left, right) == other.test_loss(left, right)


def test_no_held_out_entry_means_no_held_out_loss() -> None:
    places = torch.tensor([[0, 1, 2], [0, 1, 1]])
    empty = (places[:, :0], torch.zeros(0).double())
    problem = Entries((3, 2), (places, torch.ones(3).double()), empty)
    zero = torch.zeros(3, 1).double()
    assert problem.test_loss(zero, torch.zeros(1, 2).double()).isnan()
    assert problem.train_loss(zero, torch.zeros(1, 2).double()) == 0.5


def test_rows_without_any_entry_are_no_obstacle() -> None:
    """Nobody has rated some film: its row of the sparse matrix is empty."""
    places = torch.tensor([[1, 1, 5], [0, 3, 2]])
    values = torch.tensor([1.0, 2.0, 3.0]).double()
    problem = Entries((7, 4), (places, values), (places, values))
    dense = torch.zeros(7, 4).double()
    dense[places[0], places[1]] = values
    zero = torch.zeros(7, 1).double()
    residual, transposed = problem.residual(zero, torch.zeros(1, 4).double())
    assert torch.equal(residual.to_dense(), -dense)
    assert torch.equal(transposed.to_dense(), -dense.mT)


def test_float32_entries_train_like_float32_matrices() -> None:
    found = []
    for problem in pair(15, 31, torch.float32):
        trained = network(15, 31, torch.float32)
        Descent(trained, problem, load("optimizers", "gradient_descent"), 0.05).step(50)
        found.append(product(trained.factors))
    assert found[0].dtype is torch.float32 and relative(*found) < 1e-5


def movielens(**settings: object) -> Config:
    return Config.from_dict(
        {"problem": "movielens", "networks": "compressed", "rank_bound": 4, **settings}
    )


def test_the_ratings_give_the_dense_losses(ratings: Path) -> None:
    """All 100,000 real ratings in a dense matrix, read a second time by NumPy."""
    table = np.loadtxt(ratings, dtype=int)
    stars = np.zeros((943, 1682))
    stars[table[:, 0] - 1, table[:, 1] - 1] = table[:, 2]
    rated = stars > 0
    problem = prepare(movielens(observed=0.2)).problem
    left, right = gaussian(943, 3).abs(), gaussian(3, 1682, seed=1).abs()
    zero = torch.zeros(943, 1).double(), torch.zeros(1, 1682).double()
    seen = problem.residual(*zero)[0].to_dense().numpy() != 0
    assert seen.sum() == 20_000 and (seen <= rated).all()
    squares = (left.numpy() @ right.numpy() - stars) ** 2
    for found, places in (
        (problem.train_loss(left, right), seen),
        (problem.test_loss(left, right), rated & ~seen),
    ):
        assert abs(float(found) / (squares[places].mean() / 2) - 1) < 1e-12
    residual = problem.residual(left, right)[0].to_dense().numpy()
    dense = (left.numpy() @ right.numpy() - stars) * seen
    assert np.linalg.norm(residual - dense) < 1e-12 * np.linalg.norm(dense)


@pytest.mark.usefixtures("ratings")
def test_the_ratings_start_at_half_their_mean_square() -> None:
    """About 6.88, as in the paper's figure; the split decides the third digit."""
    comparison = prepare(movielens(init_scale=1e-3, observed=0.2))
    first = next(row for row in comparison if row)
    assert abs(float(first["compressed"].values["test_loss"]) - 6.88) < 0.05


@pytest.mark.usefixtures("ratings")
def test_splits_differ_by_seed_and_share_nothing() -> None:
    """Training and held-out ratings are all ratings, once each."""
    splits = []
    for seed in (0, 0, 1):
        problem = prepare(movielens(seed_data=seed, observed=0.8)).problem
        zero = torch.zeros(943, 1).double(), torch.zeros(1, 1682).double()
        splits.append(problem.residual(*zero)[0].to_dense())
        total = 80_000 * problem.train_loss(*zero) + 20_000 * problem.test_loss(*zero)
        # The published file has 6,110, 11,370, 27,145, 34,174 and 21,201 ratings of 1 to 5 stars.
        wanted = 6110 + 4 * 11370 + 9 * 27145 + 16 * 34174 + 25 * 21201
        assert abs(2 * float(total) / wanted - 1) < 1e-12
    assert torch.equal(splits[0], splits[1]) and not torch.equal(splits[0], splits[2])


@pytest.mark.usefixtures("ratings")
def test_a_short_training_on_the_ratings_descends() -> None:
    comparison = prepare(movielens(steps=40, record_every=20, learning_rate=5, init_scale=0.3))
    rows = [records["compressed"] for records in comparison if records]
    losses = [float(record.values["train_loss"]) for record in rows]
    assert losses == sorted(losses, reverse=True) and losses[-1] < losses[0]
    assert "recovery_error" not in rows[0].values
