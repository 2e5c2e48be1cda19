"""Semantic: what is learned of living things, held against flows that SciPy and algebra know."""

import functools
from functools import reduce
from typing import Any

import numpy as np
import pytest
import torch
from scipy.integrate import solve_ivp

from dynamics.core import table
from dynamics.core.config import Config, ConfigError
from dynamics.core.records import Array, Trajectory
from dynamics.data.semantic import GROUPS, ITEMS, PROPERTIES, properties
from dynamics.engine.training.comparison import prepare
from dynamics.findings.classes import ALIKE, named, names_of
from dynamics.findings.modes import modes
from dynamics.theory.course import expected
from dynamics.theory.forecast import forecast
from dynamics.theory.prediction import EXACT, FLOW, HEURISTIC, Facts
from tests.support.make import is_sentence, recorded

ORDER = [
    ALIKE,
    "animals | plants",
    "birds | fish",
    "trees | flowers",
    "canary | robin",
    "salmon | sunfish",
    "oak | pine",
    "rose | daisy",
]


def settings(**changes: Any) -> Config:
    """The settings that the problem suggests, and changes of these."""
    return Config.from_dict({"problem": "semantic", "networks": "compressed", **changes})


@functools.cache
def whole() -> tuple[Config, Trajectory]:
    """A run with the spectral start that learns all of the table."""
    config = settings()
    (own,) = recorded(config)
    return config, own


def flow(config: Config, factors: list[Array], times: Array) -> Array:
    """The singular values of W under gradient flow of ½ mean(((W − Y) X)²), by SciPy."""
    goal, inputs = table.target(config), table.covariance(config)
    shapes = [factor.shape for factor in factors]
    ends = np.cumsum([factor.size for factor in factors])[:-1]

    def split(numbers: Array) -> list[Array]:
        parts = zip(np.split(numbers, ends), shapes, strict=True)
        return [part.reshape(shape) for part, shape in parts]

    def slope(_: float, numbers: Array) -> Array:
        parts = split(numbers)
        pull = (goal - multiplied(parts)) @ inputs / goal.size
        moved = [
            multiplied(parts[i + 1 :], len(goal)).T @ pull @ multiplied(parts[:i], goal.shape[1]).T
            for i in range(len(parts))
        ]
        return np.concatenate([each.ravel() for each in moved])

    start = np.concatenate([factor.ravel() for factor in factors])
    found = solve_ivp(slope, (0, times[-1]), start, "DOP853", times, rtol=1e-7, atol=1e-9)
    products = [multiplied(split(numbers)) for numbers in found.y.T]
    return np.array([np.linalg.svd(each)[1] for each in products])


def multiplied(factors: list[Array], size: int = 0) -> Array:
    """W_L ⋯ W_1; the identity for none."""
    return reduce(lambda below, above: above @ below, factors) if factors else np.eye(size)


@pytest.mark.parametrize(
    ("correlation", "depth", "network"),
    [(0.0, 2, "compressed"), (0.0, 3, "original"), (0.6, 2, "original"), (0.6, 3, "compressed")],
)
def test_small_steps_follow_the_flow(correlation: float, depth: int, network: str) -> None:
    """White inputs or not: the distance from SciPy's flow halves with η."""
    distances = []
    for rate in (0.4, 0.2):
        config = settings(
            networks=network, input_correlation=correlation, depth=depth, width=9,
            init_scale=0.3, learning_rate=rate, steps=int(160 / rate),
            record_every=int(16 / rate), tolerance=0.0,
        )  # fmt: skip
        factors = [factor.numpy() for factor in prepare(config).networks[network].factors]
        (own,) = recorded(config)
        course = flow(config, [factor.copy() for factor in factors], own.steps * rate)
        distances.append(np.abs(own.series["singular_values"] - course).max())
    assert distances[0] < 0.15
    assert distances[0] / distances[1] == pytest.approx(2, rel=0.03)


def test_two_layers_learn_by_the_sigmoid_of_saxe() -> None:
    """a(t) = s e^(2st)/(e^(2st) − 1 + s/ε²) for each mode by itself, to the first order in η."""
    config = settings(depth=2, init_scale=0.1, learning_rate=0.1, steps=12_000, record_every=600,
                      tolerance=0.0)  # fmt: skip
    (own,) = recorded(config)
    goals = np.linalg.svd(properties())[1]
    grown = np.exp(2 * goals * own.steps[:, None] * 0.1 / properties().size)
    wanted = goals * grown / (grown - 1 + goals / 0.1**2)
    assert np.abs(own.series["mode_values"] - wanted).max() < 0.01
    assert (own.series["mode_values"][-1] > 0.9 * goals).all()


def test_theory_has_the_exact_staircase_and_the_forecast_its_steps() -> None:
    """Each of the eight escapes within a fraction of a record; the course to rounding."""
    config, own = whole()
    course = expected(config, Facts.of(own.facts))["compressed"]
    residuals = course.residuals(own.steps, own.series["mode_values"])
    assert course.standing == EXACT and np.nanmax(residuals) < 1e-12
    escapes = [mode.measured for mode in modes(config, own)]
    predicted = forecast(config).networks["compressed"].escapes
    assert predicted.standing == FLOW and predicted.value == pytest.approx(escapes, abs=2)
    assert escapes == sorted(map(float, filter(None, escapes)))


def test_the_general_is_learned_before_the_special_from_a_random_start() -> None:
    """The distinctions come in the order of their strength, each within a tenth of its forecast."""
    config = settings(networks="original", steps=2000, record_every=40)
    (own,) = recorded(config)
    assert names(own) == ORDER
    escapes = [mode.measured for mode in modes(config, own)]
    assert escapes == sorted(map(float, filter(None, escapes)))
    predicted = forecast(config).networks["original"].escapes
    assert predicted.standing == HEURISTIC and predicted.value == pytest.approx(escapes, rel=0.1)


def names(own: Trajectory) -> list[str]:
    """What each mode tells apart at the last record."""
    series, items, groups = names_of(own.facts)
    return [named(vector, items, groups) for vector in own.series[series][-1]]


def test_names_are_those_of_the_target_and_no_two_distinctions_are_equally_strong() -> None:
    """Equal singular values would leave vectors, and names, to rounding."""
    _, values, right = np.linalg.svd(properties(), full_matrices=False)
    assert (values[1:] / values[:-1] < 0.9).all()
    for vector, name in zip(right, ORDER, strict=True):
        first = vector[np.abs(vector) > 0.5 * np.abs(vector).max()][0]
        assert named(vector * np.sign(first), ITEMS, GROUPS) == name
    for group in GROUPS.values():  # a hierarchy: two groups are apart, or one has the other
        for other in map(set, PROPERTIES.values()):
            assert {*group} <= other or other <= {*group} or not other & {*group}


def test_similarity_counts_the_properties_in_common() -> None:
    """Of the last answers as of the table; before birds are told apart, both are the same."""
    _, own = whole()
    shared = own.series["item_similarity"]
    for i, one in enumerate(ITEMS):
        for j, other in enumerate(ITEMS):
            count = sum(one in has and other in has for has in PROPERTIES.values())
            assert own.facts["shared_properties"][i][j] == pytest.approx(count, abs=1e-12)
            assert shared[-1, i, j] == pytest.approx(count, abs=1e-4)
    middle = shared[int(np.searchsorted(own.steps, 430))]
    assert middle[0, 1] == pytest.approx(middle[0, 0], abs=0.01)
    assert middle[0, [1, 2, 4]] == pytest.approx([5, 2, 1], abs=0.05)


@pytest.mark.parametrize("depth", [2, 3, 4])
@pytest.mark.parametrize("correlation", [0.0, 0.3, 0.6, 0.95])
def test_the_stability_limit_is_that_of_the_curvature_at_the_solution(
    correlation: float, depth: int
) -> None:
    """The Hessian by autograd, at the balanced solution: to 0.6 %, and exactly for white inputs."""
    config = settings(input_correlation=correlation, depth=depth, seed_init=1)
    left, values, right = (torch.tensor(each) for each in np.linalg.svd(properties(), False))
    root = torch.diag(values ** (1 / depth))
    factors = [root @ right, *[root] * (depth - 2), left @ root]
    inputs, sizes = torch.tensor(table.covariance(config)), [each.numel() for each in factors]

    def loss(numbers: torch.Tensor) -> torch.Tensor:
        parts = zip(numbers.split(sizes), factors, strict=True)
        product = reduce(lambda below, above: above @ below, (a.view(b.shape) for a, b in parts))
        off = product - torch.tensor(properties())
        return (off * (off @ inputs)).mean() / 2

    at = torch.cat([factor.reshape(-1) for factor in factors])
    hessian = torch.autograd.functional.hessian(loss, at)
    limit = 2 / float(torch.linalg.eigvalsh(hessian)[-1])
    found = forecast(config).networks["compressed"].eta_star
    assert found.value == pytest.approx(limit, rel=6e-3 if correlation else 1e-9)
    assert found.standing == (HEURISTIC if correlation else EXACT)
    assert prepare(config).facts["stability_limits"] == pytest.approx([found.value], rel=1e-9)


def test_correlated_inputs_have_no_exact_course_and_say_so() -> None:
    """Modes no longer grow independently: escapes are estimates, and no course is drawn."""
    config = settings(input_correlation=0.6, record_every=40)
    (own,) = recorded(config)
    course = expected(config, Facts.of(own.facts))["compressed"]
    assert course.standing == HEURISTIC and not course.values.size
    assert course.breaks == ("The inputs are correlated, so modes do not grow independently.",)
    escapes = [mode.measured for mode in modes(config, own)]
    assert course.escapes == pytest.approx(escapes, rel=0.1)
    assert names(own) == ORDER


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"rank": 9}, "rank", "at most 8, the smaller side of a 20 × 8 matrix; 9 was given."),
        ({"rank_bound": 9}, "rank_bound", "at most 8, the smaller side of a 20 × 8 matrix"),
        ({"input_correlation": 1}, "input_correlation", "at most 0.95; 1 was given."),
        ({"input_correlation": "x"}, "input_correlation", "must be a number at least 0"),
        ({"matrices": "completion"}, "matrices", "semantic has no published matrices"),
    ],
)
def test_what_the_table_cannot_have_is_refused_in_one_sentence(
    changes: dict[str, Any], field: str, words: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        settings(**changes)
    assert set(refused.value.problems) == {field}
    sentence = refused.value.problems[field]
    assert words in sentence and is_sentence(sentence)
