"""Expected: curves and escapes held against training itself."""

import time
from typing import Any, NamedTuple

import numpy as np
import pytest

from dynamics.core.config import Config
from dynamics.core.records import Array, Trajectory, followed
from dynamics.engine.training.comparison import prepare
from dynamics.theory import course
from dynamics.theory.course import Expected, expected
from dynamics.theory.escapes import measured_escapes
from dynamics.theory.prediction import Facts
from tests.support.few import few
from tests.support.make import full, recorded

NETWORKS = ("original", "compressed")
KNOWN = (*NETWORKS, "original_alpha", "original_spectral", "compressed_even")


class Held(NamedTuple):
    """A trained trajectory beside the course that theory expects."""

    trajectory: Trajectory
    expected: Expected

    @property
    def residuals(self) -> Array:
        series = self.trajectory.series
        return self.expected.residuals(self.trajectory.steps, series[followed(series)])


def held(config: Config) -> dict[str, Held]:
    """By network."""
    trajectories = recorded(config)
    courses = expected(config, Facts.of(trajectories[0].facts))
    return {each.network: Held(each, courses[each.network]) for each in trajectories}


def worst(pair: Held) -> float:
    """The largest distance of recorded singular values from the curves, in units of the largest."""
    trajectory, found = pair
    assert len(found.steps) > 20
    steps, curves = found.steps[:-1], found.values[:-1]  # the last may be what they settle at
    at = np.searchsorted(trajectory.steps, steps)
    assert np.array_equal(trajectory.steps[at], steps)  # every step is recorded
    values = trajectory.series["singular_values"][at, : curves.shape[1]]
    ordered = -np.sort(-curves, axis=1)  # a curve is a mode's, also where two cross
    return float(np.abs(values - ordered).max() / curves.max())


@pytest.mark.parametrize(
    ("optimizer", "depth"),
    few([("gradient_descent", 5), ("momentum", 3), ("gradient_descent", 2)], 1),
)
def test_curves_are_the_singular_values_of_training(depth: int, optimizer: str) -> None:
    """All networks with a theory on a full target, also with momentum, to rounding."""
    config = full(
        networks=",".join(KNOWN),
        equal="margin",
        depth=depth,
        alpha_original=1.5,
        init_scale=0.1 ** (2 / depth),
        steps=300,
        record_every=1,
        optimizer=optimizer,
        learning_rate=0.1,
    )
    for name, pair in held(config).items():
        assert worst(pair) < 1e-10, name
        assert pair.expected.standing == "exact"


def test_curves_of_a_noisy_target_are_those_of_what_is_learned() -> None:
    """The compressed network learns the noisy matrix; the original one's course is not known."""
    config = full(noise=1.0, steps=300, record_every=1, init_scale=0.3)
    found = held(config)
    assert worst(found["compressed"]) < 1e-10
    original = found["original"].expected
    assert not len(original.steps) and "Noise" in " ".join(original.breaks)


def test_a_narrow_random_start_has_no_theory() -> None:
    """Nothing is drawn or foretold of it, and a forecast says so without failing."""
    config = full(networks="narrow_random,narrow_random_alpha")
    for found in expected(config, Facts.of(prepare(config).facts)).values():
        assert not len(found.steps) and not found.escapes and found.standing == "unknown"


def test_a_narrow_network_has_a_curve_for_each_mode_that_fits() -> None:
    config = full(rank=4, rank_bound=2, steps=400, record_every=1)
    narrow = held(config)["compressed"]
    assert worst(narrow) < 1e-10
    assert narrow.expected.values.shape[1] == 2
    assert np.isinf(narrow.expected.escapes[2:]).all()


def test_curves_stop_where_training_leaves_all_numbers() -> None:
    """Three times beyond the stability limit; JSON has no infinity, so nothing of it is kept."""
    found = held(full(learning_rate=3.0, steps=300, record_every=1, init_scale=0.3))
    for _, curves in found.values():
        assert np.isfinite(curves.values).all() and curves.steps[-1] < 300


def test_curves_go_on_to_the_end_once_all_modes_have_settled() -> None:
    """Nothing is followed after that, however long the run."""
    config = full(steps=5_000_000, record_every=100)
    for name, found in expected(config, Facts.of(prepare(config).facts)).items():
        assert found.steps[-1] == 5_000_000 and found.steps[-2] < 10_000, name
        goals = prepare(config).facts["target_singular_values"]
        assert found.values[-1] == pytest.approx(goals, rel=0.02)


@pytest.mark.parametrize("record_every", few([7, 1, 10], 1))
def test_residuals_are_at_the_run_s_own_records_and_show_rounding_alone(record_every: int) -> None:
    """Exact theory: every record that it was followed to is within 1e-11 of each goal."""
    config = full(steps=900, record_every=record_every)
    for pair in held(config).values():
        off = pair.residuals
        assert off.shape == (len(pair.trajectory.steps), config.rank)
        course = pair.expected
        reached = pair.trajectory.steps <= course.steps[course.followed - 1]
        assert reached.mean() > 0.1 and np.isfinite(off[reached]).all()
        assert np.isnan(off[~reached]).all() and np.nanmax(off) < 1e-11


def test_residuals_are_relative_to_the_goals() -> None:
    """Curves that are a tenth of s_i away are told as 0.1, wherever they are recorded."""
    config = full(steps=300)
    (pair, *_) = held(config).values()
    trajectory, found = pair
    values = trajectory.series["singular_values"]
    moved = values[:, : config.rank] + 0.1 * found.goals
    off = found.residuals(trajectory.steps, moved)
    assert np.nanmin(off) == pytest.approx(0.1) and np.nanmax(off) == pytest.approx(0.1)
    assert np.isnan(found.residuals(trajectory.steps + 0.5, moved)).all()


def test_a_long_plateau_is_not_followed() -> None:
    """Escapes by quadrature cost no more than a short one's, so the page need not wait."""
    config = full(depth=5, init_scale=0.003, steps=100_000_000, record_every=1000)
    facts = prepare(config).facts
    started = time.process_time()
    found = expected(config, Facts.of(facts))
    assert time.process_time() - started < 0.5
    assert min(found["compressed"].escapes) > course.MOST_STEPS
    assert [found[name].standing for name in NETWORKS] == ["heuristic", "gradient-flow"]
    assert not any(len(each.steps) for each in found.values())


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"problem": "completion"}, "entries"),
        ({"problem": "sensing"}, "sums"),
        ({"optimizer": "adam", "rate_unit": "absolute"}, "adam"),
    ],
    ids=str,
)
def test_elsewhere_only_the_forecast_is_known(changes: dict[str, Any], word: str) -> None:
    """No curve, and the reason why."""
    config = full(**changes)
    for found in expected(config, Facts.of(prepare(config).facts)).values():
        assert not len(found.steps) and found.standing in ("heuristic", "unknown")
        assert word in " ".join(found.breaks)


def test_a_gaussian_start_has_no_curve_for_the_original_network_alone() -> None:
    config = full(initialization="normal")
    found = expected(config, Facts.of(prepare(config).facts))
    assert not len(found["original"].steps) and len(found["compressed"].steps)


def test_facts_of_an_older_run_are_enough() -> None:
    """Without singular values of the drawn problem nothing is called exact."""
    config = full()
    assert all(not len(each.steps) for each in expected(config, Facts()).values())


def test_curves_follow_changes_on_the_way() -> None:
    """Both exact courses go on with the new rates, at exactly the step of the change."""
    config = full(
        steps=300,
        record_every=1,
        init_scale=0.3,
        learning_rate=0.05,
        changes="60:learning_rate=0.2,alpha_original=3;91:alpha=0.5",
    )
    for name, pair in held(config).items():
        assert worst(pair) < 1e-10, name
        assert pair.trajectory.series["recovery_error"][60] > 0.1


def test_a_network_cut_from_the_original_has_no_expected_course() -> None:
    found = held(full(steps=300, init_scale=0.3, changes="100:compress"))["compressed"].expected
    assert not len(found.steps) and not found.escapes and found.standing == "unknown"
    assert "from the original" in " ".join(found.breaks)


@pytest.mark.parametrize("seed", [0, 4, 12, 16])
def test_expected_escapes_are_those_of_their_mode_where_modes_cross(seed: int) -> None:
    """A mode that starts nearer to the target overtakes a larger one, and keeps its name."""
    config = full(
        rank=4, rank_bound=5, rows=16, cols=16, networks="original", init_scale=0.2, steps=300,
        record_every=1, spectrum="top", seed_init=seed, seed_target=seed,
    )  # fmt: skip
    pair = held(config)["original"]
    escaped = np.array(pair.expected.escapes)
    found = measured_escapes(
        pair.trajectory.steps, pair.trajectory.series["mode_values"], pair.expected.goals
    )
    assert pair.expected.standing == "exact" and (np.diff(found) < 0).any()
    assert np.abs(escaped - found).max() < 0.01
