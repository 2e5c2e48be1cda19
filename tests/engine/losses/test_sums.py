"""Sums: rank-one measurements against the same ones written out as matrices."""

import pytest
import torch
from torch import Tensor

from dynamics.core.config import Config, choices
from dynamics.engine.losses.sums import Dense, RankOne
from dynamics.engine.network import Network
from dynamics.engine.optimizers import adam, gradient_descent
from dynamics.engine.steps.plain import Descent
from dynamics.engine.target import Target
from dynamics.engine.training.comparison import prepare
from tests.support.make import gaussian, relative

SHAPES = [(40, 40), (47, 61), (61, 47)]
COUNT = 250


def pair(rows: int, cols: int) -> tuple[Dense, RankOne]:
    """The same sums twice: by whole matrices and by their vectors."""
    target = Target.of(gaussian(rows, 3) @ gaussian(3, cols, seed=1), 3)
    left, right = gaussian(COUNT, rows, seed=2) / COUNT, gaussian(COUNT, cols, seed=3)
    whole = torch.einsum("ir,ic->irc", left, right)
    seen = whole.reshape(COUNT, -1) @ target.dense.reshape(-1) + 0.1 * gaussian(COUNT, seed=4)
    return Dense(target, whole, seen), RankOne(target, left, right, seen)


def factors(*widths: int) -> list[Tensor]:
    """Factors of a network with these widths, from the first on."""
    sizes = zip(widths[1:], widths[:-1], strict=True)
    return [0.3 * gaussian(after, before, seed=after) for after, before in sizes]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("width", [5, 40])
def test_vectors_give_what_their_matrices_give(shape: tuple[int, int], width: int) -> None:
    """Losses, both products with the residual, the surrogate: for narrow and for wide networks."""
    dense, vectors = pair(*shape)
    left, right = gaussian(shape[0], width, seed=7), gaussian(width, shape[1], seed=8)
    residual, _ = dense.residual(left, right)
    onto, back = vectors.pull(left, right)
    assert relative(onto[0] @ onto[1], residual @ right.mT) < 1e-12
    assert relative(back[0] @ back[1], residual.mT @ left) < 1e-12
    assert relative(vectors.residual(left, right)[0], residual) < 1e-12
    for name in ("train_loss", "test_loss"):
        pairs = [getattr(each, name)(left, right) for each in (vectors, dense)]
        assert relative(*pairs) < 1e-12
    made = [u * s @ v for u, s, v in (each.surrogate(9) for each in (vectors, dense))]
    assert relative(*made) < 1e-12


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("hidden", [(6,), (6, 6), (6, 6, 6), (40, 40)], ids=str)
@pytest.mark.parametrize("optimizer", [gradient_descent, adam], ids=["descent", "adam"])
def test_training_on_vectors_is_training_on_their_matrices(
    shape: tuple[int, int], hidden: tuple[int, ...], optimizer: object
) -> None:
    """A hundred steps, α included; Adam rescales rounding, so it may drift a little further."""
    found = []
    for problem in pair(*shape):
        network = Network(factors(shape[1], *hidden, shape[0]), alpha=2.0)
        descent = Descent(network, problem, optimizer, 1e-3)  # type: ignore[arg-type]
        descent.step(100)
        found.append(network.factors)
    for one, other in zip(*found, strict=True):
        assert relative(one, other) < (1e-12 if optimizer is gradient_descent else 1e-9)


def test_narrow_networks_make_no_residual_matrix() -> None:
    """Four products with the vectors instead: 4 m (rows + cols) width operations, and counted."""
    _, vectors = pair(47, 61)
    network = Network(factors(61, 6, 6, 47))
    descent = Descent(network, vectors, gradient_descent, 1e-3)
    vectors._product.fill_(torch.nan)
    descent.step(3)
    assert vectors._product.isnan().all() and all(each.isfinite().all() for each in network.factors)
    assert descent.operations == 4 * COUNT * 108 * 6 + 6 * 6 * 6 * 61


@pytest.mark.parametrize("sensing", choices("sensing"))
def test_both_kinds_of_measurements_recover_the_target(sensing: str) -> None:
    """At what the page suggests; rank-one sums carry a little less each."""
    config = Config.from_dict({"problem": "sensing", "sensing": sensing, "steps": 4500})
    last = {}
    for records in prepare(config):
        last |= records or {}
    assert set(last) == {"original", "compressed"}
    assert all(float(each.values["recovery_error"]) < 1e-5 for each in last.values())
