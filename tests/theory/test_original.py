"""Simulation: 2r dimensions are the whole wide network."""

import numpy as np
import pytest

from dynamics.engine.training.comparison import prepare
from dynamics.theory import escapes, original, stability
from tests.support.few import few
from tests.support.formulas import random_overlap
from tests.support.make import full, rate_and_goals, trained


@pytest.mark.parametrize("depth", few(range(2, 6), 2))
@pytest.mark.parametrize("alpha", [1.0, 3.0])
@pytest.mark.parametrize("optimizer", ["gradient_descent", "momentum"])
def test_the_simulation_is_the_original_network(depth: int, alpha: float, optimizer: str) -> None:
    """Every singular value, loss and error, against training with whole matrices."""
    config = full(
        depth=depth,
        rows=20,
        cols=20,
        rank=3,
        alpha_original=alpha,
        init_scale=0.02 ** (1 / depth),
        networks="original",
        optimizer=optimizer,
        learning_rate=0.1,
        steps=1000,
    )
    rate, goals = rate_and_goals(config)
    overlap, steps = np.array(prepare(config).facts["overlap"]), range(0, 1001, 10)
    momentum = 0.9 if optimizer == "momentum" else 0.0
    course = original.simulate(
        goals, overlap, 20, depth, config.init_scale, rate, steps, alpha, momentum
    )
    found = trained(config)["original"]
    every = np.hstack([course.core_values, np.repeat(course.rest[:, None], 14, 1)])
    every = np.sort(every)[:, :-9:-1]  # the eight largest are recorded
    assert course.core_values[-1, 2] > 0.9 * goals[2]
    assert np.abs(every - found["singular_values"][:, :8]).max() < 1e-12 * goals[0]
    errors = (course.squared_error / (goals**2).sum()) ** 0.5
    assert np.abs(errors - found["recovery_error"]).max() < 1e-12
    loss = course.squared_error / (2 * 400)
    assert np.abs(loss - found["train_loss"]).max() < 1e-12 * loss[0]


def test_a_width_of_a_hundred_thousand_takes_no_more_than_its_rank() -> None:
    """From the overlap alone: 10¹⁰ entries a factor are never made."""
    width, goals = 100_000, np.array([20.0, 14.0, 9.0, 5.0, 3.0])
    rate = 0.3 * stability.stability_limit(3, 1.0, 1.0, 20.0)
    overlap = random_overlap(5, width, np.random.default_rng(0))
    steps = range(0, 15_001, 50)
    course = original.simulate(goals, overlap, width, 3, 0.01, rate, steps)
    assert course.core_values[-1, :5] == pytest.approx(goals, rel=1e-6)
    spare = stability.floor(width - 10, 0.01, 3, 1.0)
    assert course.squared_error[-1] / 2 == pytest.approx(spare, rel=1e-3)
    found = escapes.measured_escapes(course.steps, course.core_values, goals)
    late = escapes.escape_steps(goals, 3, 1.0, 0.01, rate) + escapes.delay(3, 1.0) * 100 / (
        rate * goals
    )
    assert np.abs(found / late - 1).max() < 0.02


def test_random_overlaps_are_those_of_random_factors() -> None:
    """Entries of mean 0 and mean square 1/d, from QR of thin or of whole factors."""
    draw = np.random.default_rng(0)
    direct = [random_overlap(3, 30, draw) for _ in range(300)]
    built = []
    for seed in range(40):
        config = full(rows=30, cols=30, rank=3, seed_init=seed, seed_target=seed, steps=10)
        built.append(np.array(prepare(config).facts["overlap"]))
    for drawn in (direct, built):
        entries = np.array(drawn)
        assert np.abs(np.linalg.svd(entries, compute_uv=False)).max() <= 1
        assert (entries**2).mean() * 30 == pytest.approx(1, rel=0.2)
        assert abs(entries.mean()) < 0.03


def test_a_rank_above_half_the_width_is_refused() -> None:
    with pytest.raises(ValueError, match="no room"):
        original.simulate([1.0, 1.0], np.zeros((2, 2)), 3, 3, 0.1, 0.1, [1])
