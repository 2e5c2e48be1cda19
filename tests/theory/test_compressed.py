"""Theory: plain numbers, held against training itself."""

import numpy as np
import pytest
import torch

from dynamics.core import registry
from dynamics.core.records import Array
from dynamics.engine.network import Network
from dynamics.engine.steps.plain import Descent
from dynamics.theory import stability
from dynamics.theory.compressed import end_to_end, recursion
from tests.support.few import few
from tests.support.formulas import balance, growth_rates, squared_error, unmoved
from tests.support.make import full, gaussian, known, rate_and_goals, trained


@pytest.mark.parametrize("depth", few(range(2, 7), 2))
@pytest.mark.parametrize("alpha", [0.5, 1.0, 5.0])
@pytest.mark.parametrize("optimizer", ["gradient_descent", "momentum"])
def test_the_recursion_is_the_compressed_network(depth: int, alpha: float, optimizer: str) -> None:
    """Outer and inner values, product and error, against training with whole matrices."""
    momentum = 0.9 if optimizer == "momentum" else 0.0
    config = full(
        depth=depth, alpha=alpha, init_scale=0.02 ** (1 / depth), steps=300, optimizer=optimizer
    )
    rate, goals = rate_and_goals(config)
    steps = range(0, 301, 10)
    outer, inner = recursion([*goals, 0, 0], depth, alpha, config.init_scale, rate, steps, momentum)
    values, found = end_to_end(outer, inner, depth), trained(config)["compressed"]
    assert values[-1, 0] > 0.5 * goals[0]
    for ours, theirs in (
        (values, found["singular_values"][:, :4]),
        (outer, found["factor_singular_values"][:, 0]),
        (outer, found["factor_singular_values"][:, -1]),
        *([(inner, found["factor_singular_values"][:, 1])] if depth > 2 else []),
    ):
        assert np.abs(np.sort(ours)[:, ::-1] - theirs).max() < 1e-12 * goals[0]
    error = (squared_error(values, goals) / (goals**2).sum()) ** 0.5
    assert np.abs(error - found["recovery_error"]).max() < 1e-12


def test_what_a_narrow_network_misses_counts_as_error() -> None:
    """With r̂ < r the error is that of the best approximation of rank r̂ in the end."""
    config = full(rank=4, rank_bound=2, steps=400, networks="compressed")
    rate, goals = rate_and_goals(config)
    outer, inner = recursion(goals[:2], 3, 2.0, 0.1, rate, range(0, 401, 10))
    errors = squared_error(end_to_end(outer, inner, 3), goals)
    found = trained(config)["compressed"]
    relative = (errors / (goals**2).sum()) ** 0.5
    assert np.abs(relative - found["recovery_error"]).max() < 1e-12
    left = stability.floor(0, 0.1, 3, 1 / 144, goals[2:])
    assert found["train_loss"][-1] == pytest.approx(left, rel=1e-6)


@pytest.mark.parametrize("kind", ["factorization", "completion", "sensing", "entries"])
@pytest.mark.parametrize("depth", [2, 3, 4])
def test_singular_values_grow_at_arora_s_rate_under_any_loss(kind: str, depth: int) -> None:
    """Central differences of one real gradient step, from balanced factors of distinct values."""
    problem, loss, _ = known(kind, 9, 7)
    left, _ = torch.linalg.qr(gaussian(9, 4, seed=7))
    right, _ = torch.linalg.qr(gaussian(7, 4, seed=8))
    values = torch.tensor([2.0, 1.1, 0.6, 0.2]).double()
    root = torch.diag(values ** (1 / depth))

    def stepped(rate: float) -> Array:
        factors = [root @ right.mT, *[root.clone() for _ in range(depth - 2)], left @ root]
        network = Network(factors)
        Descent(network, problem, registry.load("optimizers", "gradient_descent"), rate).step()
        product = torch.linalg.multi_dot(network.factors[::-1])
        return np.asarray(torch.linalg.svdvals(product)[:4])

    matrix = (left * values @ right.mT).requires_grad_()
    (slope,) = torch.autograd.grad(loss(matrix), matrix)
    pulls = -torch.einsum("ik,ij,jk->k", left, slope, right)
    h = 1e-5 / float(slope.norm())
    speeds = (stepped(h) - stepped(-h)) / (2 * h)
    predicted = growth_rates(values.numpy(), pulls.numpy(), depth)
    assert np.abs(speeds - predicted).max() < 1e-7 * np.abs(predicted).max()


@pytest.mark.parametrize("depth", [2, 3, 5])
def test_the_balance_is_kept_up_to_the_size_of_the_step(depth: int) -> None:
    """a² − αb² stays at (1 − α) ε² under the flow; half the step leaves half the drift."""
    drifts = []
    for share in (1, 2):
        config = full(
            depth=depth,
            alpha=3.0,
            init_scale=0.5,
            networks="compressed",
            learning_rate=0.1 / share,
            steps=200 * share,
            record_every=200 * share,
        )
        balances = balance(trained(config)["compressed"]["factor_singular_values"], 3.0)
        assert balances[0] == pytest.approx(0 if depth == 2 else -2 * 0.25, abs=1e-12)
        drifts.append(float(np.abs(balances[-1] - balances[0]).max()))
    if depth == 2:  # the two outer factors have equal values at all times
        assert max(drifts) < 1e-12
    else:
        assert 1e-3 < drifts[0] < 0.5 and drifts[0] / drifts[1] == pytest.approx(2, rel=0.2)


def test_all_but_2r_singular_values_of_a_wide_network_never_move() -> None:
    """And all but r of the compressed one's: the dimensions in which something is learned."""
    found = trained(full(depth=4, init_scale=0.2, steps=4000, record_every=100))
    assert unmoved(found["original"]["factor_singular_values"]) == [12 - 2 * 2] * 4
    assert unmoved(found["compressed"]["factor_singular_values"]) == [4 - 2] * 4


@pytest.mark.parametrize("seed", few(range(12), 4))
def test_the_compressed_network_s_error_is_never_above_the_original_s(seed: int) -> None:
    """With α = 1, the same η and ε and r̂ ≤ d − r: at every record of random draws."""
    draw = np.random.default_rng(seed)
    rank, depth = int(draw.integers(1, 4)), int(draw.integers(2, 5))
    config = full(
        seed_target=seed,
        seed_init=seed + 100,
        depth=depth,
        rank=rank,
        rank_bound=int(draw.integers(rank, 12 - rank + 1)),
        spectrum=["top", "spread", "flat", "power-law"][seed % 4],
        alpha=1.0,
        init_scale=float(draw.uniform(0.05, 0.3)),
        steps=2000,
        record_every=10,
    )
    found = trained(config)
    original, compressed = (found[each]["recovery_error"] for each in ("original", "compressed"))
    assert compressed.min() < 0.5
    assert (compressed <= original * (1 + 1e-12)).all()
