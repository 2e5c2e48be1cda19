"""Escape: times by quadrature against training, closed forms and published runs."""

import math
from pathlib import Path

import numpy as np
import pytest

from dynamics.core.records import Array
from dynamics.theory import escapes, original, stability
from dynamics.theory.compressed import end_to_end, recursion
from tests.support.few import few
from tests.support.formulas import random_overlap
from tests.support.make import FIXTURE, full, rate_and_goals, recorded


def test_the_ten_escapes_of_the_published_factorization_are_met(shared: Path) -> None:
    """Steps of the authors' gradient descent to the half of each mode."""
    with np.load(shared / "reference" / "published" / "factorization.npz") as content:
        goals = np.linalg.svd(content["target"], compute_uv=False)[:10]
    steps = escapes.escape_steps(goals, 3, 1.0, 1e-2, 1e-4)
    assert np.abs(steps / FIXTURE - 1).max() < 1e-4
    leading = escapes.leading_steps(goals, 3, 1.0, 1e-2, 1e-4)
    assert np.abs(leading / FIXTURE - 1).max() < 0.005


def test_the_escapes_of_the_authors_compressed_network_are_met(shared: Path) -> None:
    """In their records, every 200 steps, the singular values cross the halves where predicted."""
    with np.load(shared / "reference" / "factorization_d100_r10_L3.npz") as content:
        goals = np.linalg.svd(content["target"], compute_uv=False)[:10]
        records, values = content["iteration"], content["compressed_end_to_end_singular_values"]
    found = escapes.measured_escapes(records, values, goals)
    assert np.abs(escapes.escape_steps(goals, 3, 1.0, 1e-2, 3e-4) / found - 1).max() < 0.005


@pytest.mark.parametrize("alpha", [0.2, 1.0, 8.0])
@pytest.mark.parametrize(
    ("depth", "share_of_limit"),
    few(
        [
            (6, 0.05),
            (2, 0.9),
            (2, 0.05),
            *((depth, share) for depth in range(2, 7) for share in (0.3, 0.9)),
        ],
        1,
    ),
)
def test_escapes_of_trained_networks_are_met(
    depth: int, alpha: float, share_of_limit: float
) -> None:
    """Small steps or large ones: half a per cent, or half a step."""
    config = full(
        spectrum="power-law",
        rank=3,
        depth=depth,
        alpha=alpha,
        init_scale=0.03 ** (1 / depth) if depth > 2 else 1e-3,
        learning_rate=share_of_limit,
        networks="compressed",
    )
    rate, goals = rate_and_goals(config)
    steps = escapes.escape_steps(goals, depth, alpha, config.init_scale, rate)
    many = math.ceil(1.1 * steps.max())
    every = max(1, many // 1000)  # a straight line between two records is right to 0.1 %
    (trajectory,) = recorded(full(**(config.to_dict() | {"steps": many, "record_every": every})))
    found = escapes.measured_escapes(trajectory.steps, trajectory.series["singular_values"], goals)
    assert (np.abs(steps - found) < np.maximum(0.005 * found, 0.5)).all(), (steps, found)


@pytest.mark.parametrize("alpha", [0.3, 1.0, 4.0, 200.0])
@pytest.mark.parametrize("depth", [2, 3, 4, 7])
def test_the_leading_term_is_the_limit_of_a_small_start(depth: int, alpha: float) -> None:
    goals, near = [3.0, 1.0], []
    for scale in (1e-2, 1e-4):
        exact = escapes.escape_steps(goals, depth, alpha, scale, 1e-9)
        leading = escapes.leading_steps(goals, depth, alpha, scale, 1e-9)
        near.append(float(np.abs(leading / exact - 1).max()))
    assert near[0] < 0.05 and near[1] < 1e-3
    assert near[1] < 0.1 * near[0] or max(near) < 1e-6


@pytest.mark.parametrize("depth", [2, 3, 4, 6])
@pytest.mark.parametrize("alpha", [0.3, 1.0, 5.0])
def test_escapes_and_rises_with_momentum_are_those_of_the_recursion(
    depth: int, alpha: float
) -> None:
    """Half a per cent or half a step, at any η with which a small start settles."""
    goals = np.array([5.0, 4.0, 2.5, 1.0])
    for share, size in ((0.01, 1e-2), (0.1, 1e-3), (0.5, 1e-4)):
        rate = share * stability.stability_limit(depth, alpha, 1.0, 5.0)
        start = (goals, depth, alpha, size ** (1 / depth), rate)
        predicted = escapes.escapes_and_rises(*start, momentum=0.9)
        steps = np.arange(1.2 * predicted[0].max() + predicted[1].max() + 20)
        values = end_to_end(*recursion(*start, steps.astype(int).tolist(), 0.9), depth)
        low, half, high = (
            escapes.measured_escapes(steps, values, goals, part) for part in (0.1, 0.5, 0.9)
        )
        for made, found in ((predicted[0], half), (predicted[1], high - low)):
            near = np.abs(made - found) < np.maximum(0.005 * found, 0.5)
            assert near.all(), (share, made, found)


def test_the_pace_with_momentum_is_the_larger_root() -> None:
    """z² − (1 + β + λ) z + β = 0, 1 + λ without momentum, and no digit is lost in a small λ."""
    for momentum in (0.0, 0.5, 0.9):
        for pull in (1e-12, 1e-3, 2.0):
            z = math.exp(escapes.log_growth(np.array(pull), momentum))
            assert abs(z * z - (1 + momentum + pull) * z + momentum) < 1e-14 * z * z
    tiny = float(escapes.log_growth(np.array(1e-14), 0.9))
    assert tiny == pytest.approx(1e-13, rel=1e-9)
    leading = escapes.leading_steps([2.0], 3, 5.0, 1e-4, 1e-3, 0.9)
    exact = escapes.escape_steps([2.0], 3, 5.0, 1e-4, 1e-3, momentum=0.9)
    assert leading == pytest.approx(exact, rel=1e-3)


@pytest.mark.parametrize("depth", [2, 3, 4])
@pytest.mark.parametrize("width", [4, 8, 16])
def test_a_narrower_first_factor_keeps_less_of_a_mode(depth: int, width: int) -> None:
    """The gradient flow of factors that keep √(width/d) of v and reach √(width/d) of u."""
    kept = (width / 16) ** 0.5
    rate, scale = 0.01, 1e-4 ** (1 / depth)
    first = np.array([kept, 0.0]) * scale
    last = np.array([0.0, kept]) * scale
    inner = [scale * np.eye(2) for _ in range(depth - 2)]
    steps = 0
    while True:
        below = [first]
        for factor in inner:
            below.append(factor @ below[-1])
        value = last @ below[-1]
        if value >= 0.5:
            break
        pull, above = rate * (1 - value), last
        moves = []
        for index in range(depth - 3, -1, -1):
            moves.append((index, pull * np.outer(above, below[index])))
            above = inner[index].T @ above
        last = last + pull * below[-1]
        first = first + pull * above
        for index, move in moves:
            inner[index] = inner[index] + move
        steps += 1
    straight = float(escapes.escape_steps([1.0], depth, 1.0, scale, rate)[0])
    late = escapes.delay(depth, 1.0, kept, kept) * scale ** (2 - depth) / rate
    assert straight + late == pytest.approx(steps, rel=0.05)


@pytest.mark.parametrize("depth", [2, 3, 5])
@pytest.mark.parametrize("alpha", [0.5, 1.0, 4.0])
def test_a_spare_mode_decays_as_in_the_recursion(depth: int, alpha: float) -> None:
    """From ε = 0.9 by up to a thousandfold; a small start stays."""
    for steps in (10, 100, 3000):
        exact = end_to_end(*recursion([0.0], depth, alpha, 0.9, 0.01, [steps]), depth)[0, 0]
        made = escapes.spare_value(depth, alpha, 0.9, 0.01, steps)
        assert made == pytest.approx(exact, rel=0.02, abs=1e-6)
    assert escapes.spare_value(depth, alpha, 1e-3, 0.01, 1000) == pytest.approx(1e-3**depth)


def test_plateaus_have_their_closed_forms() -> None:
    """I_L(1) = 1/(L − 2), I_3 by arc cosines, I_4 by a logarithm."""
    for depth in range(3, 9):
        assert escapes.plateau(depth, 1.0) == pytest.approx(1 / (depth - 2), rel=1e-9)
    for alpha in (1.5, 5.0, 1000.0):
        closed = math.acosh(alpha**0.5) / (alpha * (alpha - 1)) ** 0.5
        assert escapes.plateau(3, alpha) == pytest.approx(closed, rel=1e-9)
    assert escapes.plateau(3, 0.2) == pytest.approx(math.acos(0.2**0.5) / 0.16**0.5, rel=1e-9)
    for alpha in (0.1, 3.0, 1000.0):
        closed = math.log(alpha) / (2 * (alpha - 1))
        assert escapes.plateau(4, alpha) == pytest.approx(closed, rel=1e-9)


def test_a_mode_without_goal_never_escapes_and_a_grown_one_has() -> None:
    steps = escapes.escape_steps([1.0, 0.0, 0.1], 2, 1.0, 0.4, 0.01)
    assert 0 < steps[0] < 1000 and steps[1] == math.inf and steps[2] == 0


def course(goal: float, depth: int, alpha: float) -> tuple[Array, Array]:
    """Steps and values of one mode, in small steps until it has grown."""
    rate, scale = 0.03 * stability.stability_limit(depth, alpha, 1.0, goal), 1e-5 ** (1 / depth)
    last = int(escapes.escape_steps([goal], depth, alpha, scale, rate, 0.95)[0]) + 2
    steps = np.arange(last)
    outer, inner = recursion([goal], depth, alpha, scale, rate, steps.tolist())
    return steps * rate, end_to_end(outer, inner, depth)


@pytest.mark.parametrize(
    ("depth", "constant"), few([(3, 2.009), (2, 2.197), (4, 1.800), (5, 1.612), (8, 1.204)], 2)
)
@pytest.mark.parametrize("alpha", [1.0, 6.0])
def test_rise_times_have_their_constants_and_are_those_of_descent(
    depth: int, constant: float, alpha: float
) -> None:
    """From 10 to 90 %, in time of the flow; the start must be far below 10 %."""
    small = stability.stability_limit(depth, alpha, 1.0, 2.0) * 1e-4
    predicted = small * float(escapes.rise_steps([2.0], depth, alpha, 1e-4, small)[0])
    powers = alpha ** (2 / depth) * 2 ** (2 - 2 / depth)
    assert predicted * powers == pytest.approx(constant, abs=6e-4)
    times, values = course(2.0, depth, alpha)
    ends = [escapes.measured_escapes(times, values, [2.0], share)[0] for share in (0.1, 0.9)]
    # With α the outer factors have to be √α times the inner ones first, which takes growth.
    assert ends[1] - ends[0] == pytest.approx(predicted, rel=0.015 if alpha == 1 else 0.05)


@pytest.mark.parametrize(("depth", "factor"), [(3, 10.0), (4, 100.0)])
def test_incrementality_grows_as_a_power_of_a_small_start(depth: int, factor: float) -> None:
    """A tenth of ε makes J ten times as large for three factors; for two it hardly matters."""

    def index(depth: int, scale: float) -> float:
        steps = escapes.escape_steps([2.0, 1.0], depth, 1.0, scale, 1e-9)
        rises = escapes.rise_steps([2.0, 1.0], depth, 1.0, scale, 1e-9)
        return float(escapes.incrementality(steps, rises)[0])

    assert index(depth, 1e-4) / index(depth, 1e-3) == pytest.approx(factor, rel=0.02)
    assert 1 < index(2, 1e-4) / index(2, 1e-3) < 1.5
    equal = escapes.incrementality(np.array([5.0, 5.0]), np.array([1.0, 1.0]))
    assert equal.tolist() == [0.0]  # equal modes merge


@pytest.mark.parametrize(("depth", "scale"), [(2, 1e-3), (3, 1e-2), (4, 0.05)])
@pytest.mark.parametrize("alpha", [1.0, 5.0])
def test_a_very_wide_random_network_escapes_later_by_the_delay(
    depth: int, scale: float, alpha: float
) -> None:
    """Against its exact simulation at a width where the overlap is nearly zero."""
    goals, width = np.array([6.0, 4.0, 2.0]), 1_000_000
    overlap = random_overlap(3, 1000, np.random.default_rng(0)) * (1000 / width) ** 0.5
    rate = 0.2 * stability.stability_limit(depth, alpha, 1.0, 6.0)
    compressed = escapes.escape_steps(goals, depth, alpha, scale, rate)
    late = compressed + escapes.delay(depth, alpha) * scale ** (2 - depth) / (rate * goals)
    steps = np.unique(np.linspace(0, 1.3 * late[-1], 1500).astype(int)).tolist()
    wide = original.simulate(goals, overlap, width, depth, scale, rate, steps, alpha)
    found = escapes.measured_escapes(wide.steps, wide.core_values, goals)
    lags = np.array([found - compressed, late - compressed])
    assert (lags[0] > 0.8 * lags[1]).all() and np.abs(late / found - 1).max() < 0.02


def test_crossings_lie_between_records() -> None:
    """Straight lines of ln w/(s − w), of ln w past the goal, of w after 0; NaN if not reached."""
    values = np.array([[0.0, 0.0], [1.0, 0.1], [4.0, 0.2]])
    steps = np.array([0.0, 10.0, 20.0])
    found = escapes.measured_escapes(steps, values, [4.0, 1.0])
    assert found[0] == 15 and np.isnan(found[1])
    assert escapes.measured_escapes(steps, values, [5.0])[0] == 15
    assert escapes.measured_escapes(steps, values, [1.0])[0] == 5
    assert escapes.measured_escapes(steps, values + 3, [4.0])[0] == 0


@pytest.mark.parametrize("depth", [2, 3, 4])
@pytest.mark.parametrize("every", [7, 23])
def test_rare_records_hardly_move_an_escape(depth: int, every: int) -> None:
    """Records 7 or 23 steps apart name the half to a tenth of their distance, in a fast rise."""
    limit = stability.stability_limit(depth, 1.0, 1.0, 2.0)
    start = ([2.0, 1.4], depth, 1.0, 0.01 ** (1 / depth), 0.05 * limit)
    last = int(1.3 * escapes.escape_steps(*start).max()) + every
    steps = np.arange(0.0, last)
    values = end_to_end(*recursion(*start, steps.astype(int).tolist()), depth)
    fine = escapes.measured_escapes(steps, values, [2.0, 1.4])
    rare = escapes.measured_escapes(steps[::every], values[::every], [2.0, 1.4])
    assert np.abs(rare - fine).max() < 0.1 * every, (rare, fine)
