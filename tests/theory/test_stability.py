"""Stability: the largest learning rate, its zones, and the lowest loss, held against training."""

import pytest
import torch

from dynamics.engine.training.comparison import prepare
from dynamics.theory import stability
from tests.support.make import full, rate_and_goals, small, trained


def first_mode(learning_rate: float, depth: int, alpha: float) -> dict[str, float]:
    """|σ_1/s_1 − 1| of each network after 3,000 steps, in units of the limit."""
    config = full(
        learning_rate=learning_rate,
        depth=depth,
        alpha=alpha,
        alpha_original=alpha,
        init_scale=0.5,
        steps=3000,
        record_every=3000,
    )
    goal = rate_and_goals(config)[1][0]
    return {
        name: abs(float(found["singular_values"][-1, 0]) / goal - 1)
        for name, found in trained(config).items()
    }


@pytest.mark.parametrize(("depth", "alpha"), [(2, 1.0), (2, 5.0), (3, 0.5), (3, 5.0), (5, 2.0)])
def test_descent_converges_up_to_the_stability_limit_and_not_above(
    depth: int, alpha: float
) -> None:
    """λ_max is the loss's sharpest curvature at the minimum, exact for a full target: bisection."""
    errors = first_mode(0.99, depth, alpha)
    assert set(errors) == {"original", "compressed"} and max(errors.values()) < 1e-9, errors
    for network in errors:
        low, high = 0.8, 1.2
        while high - low > 2e-3:
            middle = (low + high) / 2
            # Above, the first mode ends on a cycle around the minimum, or leaves for infinity.
            settled = first_mode(middle, depth, alpha)[network] < 1e-3
            low, high = (middle, high) if settled else (low, middle)
        assert low > 0.99 and high < 1.005, (network, low, high)


def test_the_zones_of_the_learning_rate_have_words() -> None:
    words = [stability.zone(ratio) for ratio in (0.3, 0.6, 0.9, 1.2, 2.0)]
    assert words == ["safe", "safe", "near the limit", "oscillates", "diverges"]
    noisy = [stability.zone(ratio, noise=0.5) for ratio in (0.1, 0.3, 0.6, 0.9)]
    assert noisy == ["safe", "may bounce", "may bounce", "near the limit"]


@pytest.mark.parametrize("problem", ["factorization", "completion", "sensing"])
def test_a_rate_in_units_of_the_limit_is_a_multiple_of_the_smallest_limit(problem: str) -> None:
    """One η for both networks, so the more sensitive one decides."""
    absolute = prepare(small(problem=problem))
    limits = absolute.facts["stability_limits"]
    in_limits = prepare(small(problem=problem, rate_unit="limit", learning_rate=0.5))
    assert in_limits.learning_rate == pytest.approx(0.5 * min(limits), rel=1e-12)
    assert absolute.learning_rate == 1.0
    assert len(limits) == 2 and limits[0] != limits[1]
    torch.testing.assert_close(in_limits.facts["learning_rate"], [in_limits.learning_rate])


@pytest.mark.parametrize("depth", [2, 3, 4])
def test_the_loss_ends_at_the_floor_of_the_spare_modes(depth: int) -> None:
    """r̂ − r of them, exactly; of the original network at least d − 2r, at most d − r."""
    scale = {2: 0.003, 3: 0.03, 4: 0.1}[depth]
    config = full(depth=depth, init_scale=scale, alpha=1.0, steps=20_000, record_every=20_000)
    found = {name: float(each["train_loss"][-1]) for name, each in trained(config).items()}
    floors = {spare: stability.floor(spare, scale, depth, 1 / 144) for spare in (2, 8, 10)}
    assert found["compressed"] == pytest.approx(floors[2], rel=0.01)
    assert 0.99 * floors[8] < found["original"] < floors[10]
