"""Theory: plain numbers, held against training itself."""

import pytest
import torch

from dynamics.compare import prepare
from tests.support import small


def first_mode(learning_rate: float, depth: int, alpha: float) -> dict[str, float]:
    """|σ_1/s_1 − 1| of each network after 3,000 steps, in units of the limit."""
    settings = {"depth": depth, "alpha": alpha, "alpha_original": alpha, "init_scale": 0.5}
    config = small(
        problem="factorization",
        learning_rate=learning_rate,
        rate_unit="limit",
        steps=3000,
        record_every=3000,
        **settings,
    )
    comparison = prepare(config)
    *_, last = (records for records in comparison if records)
    target = comparison.facts["target_singular_values"][0]
    return {
        name: abs(float(record.values["singular_values"][0]) / target - 1)
        for name, record in last.items()
    }


@pytest.mark.parametrize(("depth", "alpha"), [(2, 1.0), (2, 5.0), (3, 0.5), (3, 5.0), (5, 2.0)])
def test_descent_converges_below_the_stability_limit_and_not_above(
    depth: int, alpha: float
) -> None:
    """λ_max is the loss's sharpest curvature at the minimum, exact for a full target."""
    below, above = (first_mode(rate, depth, alpha) for rate in (0.97, 1.03))
    assert set(below) == {"original", "compressed"}
    assert all(error < 1e-9 for error in below.values()), below
    # Above it, the first mode ends on a cycle around the minimum, or leaves for infinity.
    assert all(not error < 1e-3 for error in above.values()), above


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
