"""Invariants: zero where theory says so, and of the size that theory or a known change gives."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch

from dynamics.core.config import Config
from dynamics.core.records import Trajectory
from dynamics.core.registry import load
from dynamics.engine.losses.masked import Masked
from dynamics.engine.measuring.state import State
from dynamics.engine.network import Network
from dynamics.engine.target import Target
from dynamics.engine.training.comparison import prepare
from dynamics.theory import compressed
from tests.support.formulas import unmoved
from tests.support.make import gaussian, recorded

RATE = {"learning_rate": 0.3, "rate_unit": "limit"}


def full(**changes: Any) -> Config:
    """A full target whose modes are all learned within its steps."""
    settings = {"problem": "factorization", "rows": 60, "cols": 60, "rank": 3, "rank_bound": 6}
    more = {"init_scale": 0.2, "steps": 500, "record_every": 50, "tolerance": 0.0, "alpha": 1.5}
    return Config.from_dict(settings | more | RATE | changes)


def trained(config: Config) -> dict[str, Trajectory]:
    return {each.network: each for each in recorded(config)}


@pytest.mark.parametrize("depth", [2, 3, 5])
def test_balance_of_the_compressed_network_is_that_of_its_recursions(depth: int) -> None:
    """Two numbers a and b a mode: D_l are known without any matrix; rectangular, α = 4."""
    config = full(rows=60, cols=84, depth=depth, networks="compressed", alpha=4.0)
    found = trained(config)["compressed"]
    facts, alpha, start = found.facts, config.alpha, config.init_scale
    goals = np.pad(facts["target_singular_values"], (0, 3))
    rate = facts["learning_rate"][0] / (60 * 84)
    steps = [int(step) for step in found.steps]
    outer, inner = compressed.recursion(goals, depth, alpha, start, rate, steps)
    values = [outer**2 / alpha, *[inner**2] * (depth - 2), outer**2 / alpha]
    moved = sum(((one - other - (one - other)[0]) ** 2).sum(1) for one, other in pairwise(values))
    sizes = sum((each**2).sum(1) for each in values[:-1])
    assert depth == 2 or np.max(moved) > 0
    assert found.series["balance"] == pytest.approx(np.sqrt(moved / sizes), rel=1e-8, abs=1e-13)


@pytest.mark.parametrize("turn", ["", "alpha=4,alpha_original=3"])
@pytest.mark.parametrize("problem", ["factorization", "completion"])
def test_half_the_step_halves_the_drift(problem: str, turn: str) -> None:
    """Flow conserves the balance under any loss; what a run drifts is of first order in η.

    Where α changes, at a third of the run, it is that of the new α, from the change on.
    """
    whole, half = (
        trained(
            full(
                **{"problem": problem, "observed": 0.5, "learning_rate": rate, "steps": steps},
                changes=f"{steps // 3}:{turn}" if turn else "",
            )
        )
        for rate, steps in ((0.2, 500), (0.1, 1000))
    )
    for network in ("original", "compressed"):
        drifts = [float(run[network].series["balance"][-1]) for run in (whole, half)]
        assert 1e-6 < drifts[0] < 0.5
        assert drifts[0] / drifts[1] == pytest.approx(2, abs=0.25), network


def test_nothing_leaks_on_a_full_target_and_much_does_under_a_mask() -> None:
    """The 2r dimensions are exactly invariant for one loss and not at all for the other."""
    for name, values in trained(full()).items():
        assert values.series["recovery_error"][-1] < 1e-2
        assert values.series["leak"].max() < 1e-11, name
    for values in trained(full(problem="completion", observed=0.5)).values():
        assert values.series["leak"][0] < 1e-13
        assert values.series["leak"][-1] > 1e-2


def test_leak_is_the_share_that_was_put_outside() -> None:
    """ρ_l, the core and the 2r dimensions do not count; one entry beyond them does, exactly."""
    comparison = prepare(full(networks="original"))
    network, problem = comparison.networks["original"], comparison.problem
    start = State(network, 4)
    measure = load("measurements", "leak").measure
    assert problem.target is not None
    left, right = problem.target.left, problem.target.right.mT
    turns = [factor / comparison.config.init_scale for factor in network.factors]
    first = torch.linalg.qr(torch.cat([right, (turns[2] @ turns[1] @ turns[0]).mT @ left], 1)).Q
    core = turns[0] @ first @ gaussian(6, 6) @ first.mT
    inside = [0.7 * network.factors[0] + core, *network.factors[1:]]
    assert measure(State(Network(inside), 4, start), problem) < 1e-13
    beyond = gaussian(60, 2, seed=5)
    beyond = torch.linalg.qr(beyond - first @ (first.mT @ beyond)).Q
    # Not symmetric, so no part of it is a multiple of the start.
    outside = 0.3 * turns[0] @ (beyond[:, :1] @ beyond[:, 1:].mT)
    leaky = Network([inside[0] + outside, *inside[1:]])
    wanted = 0.3 / torch.stack([factor.norm() for factor in leaky.factors]).norm()
    assert measure(State(leaky, 4, start), problem) == pytest.approx(float(wanted), rel=1e-6)


def test_leak_of_a_narrow_network_is_what_left_the_spans_of_its_start() -> None:
    """Turning W_1's rows by a known angle out of them leaves the sine of it."""
    right, left = torch.linalg.qr(gaussian(40, 8))[0], torch.linalg.qr(gaussian(60, 4))[0]
    start = State(Network([right[:, :4].mT, torch.eye(4).double(), left]), 4)
    turned = np.cos(0.3) * right[:, :4].mT + np.sin(0.3) * right[:, 4:].mT
    state = State(Network([turned, torch.eye(4).double(), left]), 4, start)
    found = load("measurements", "leak").measure(state, Masked(Target.of(gaussian(60, 40), 4)))
    assert float(found) == pytest.approx(np.sin(0.3) / 2**0.5, rel=1e-12)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"initialization": "normal", "optimizer": "momentum"},
        {"depth": 2, "alpha": 3.0},
        {"depth": 4, "cols": 70, "init_scale": 0.6, "steps": 600},
        {"rank_bound": 2},
    ],
    ids=str,
)
def test_a_narrow_random_start_stays_in_its_spans_and_the_target(changes: dict[str, Any]) -> None:
    """r̂ + r dimensions on either side are invariant; its own r̂ alone are not."""
    settings = {"networks": "narrow_random,narrow_random_alpha", "steps": 300, "init_scale": 0.3}
    for name, found in trained(full(**(settings | changes))).items():
        errors = found.series["recovery_error"]
        assert errors[-1] < 0.9 * errors[0], name
        assert found.series["leak"].max() < 1e-11, name
    masked = {"problem": "completion", "observed": 0.5}
    for found in trained(full(**(settings | masked | changes))).values():
        assert found.series["leak"][0] < 1e-13 and found.series["leak"][-1] > 1e-3


def test_a_narrow_random_start_leaks_what_is_outside_both_spans() -> None:
    """The target's directions are free; a turn by a known angle to any other leaves its sine."""
    left, right = torch.linalg.qr(gaussian(60, 9))[0], torch.linalg.qr(gaussian(40, 9))[0]
    target = Target(left[:, 4:6], torch.ones(2).double(), right[:, 4:6].mT)
    middle = gaussian(4, 4)
    start = State(Network([right[:, :4].mT, middle, left[:, :4]], adrift=True), 4)
    measure = load("measurements", "leak").measure
    for angle, to in ((0.3, slice(6, 8)), (0.0, slice(4, 6))):
        turned = right[:, :4].mT.clone()
        turned[:2] = np.cos(0.3) * turned[:2] + np.sin(0.3) * right[:, to].mT
        state = State(Network([turned, middle, left[:, :4]], adrift=True), 4, start)
        found = float(measure(state, Masked(target)))
        assert found == pytest.approx(np.sin(angle) / 2, abs=1e-12)
    everything = Masked(Target.of(gaussian(60, 40), 36))
    again = State(Network([right[:, :4].mT, middle, left[:, :4]], adrift=True), 4)
    assert measure(again, everything) is None


@pytest.mark.parametrize(
    "changes", [{"initialization": "normal"}, {"cols": 70}, {"width": 80}, {"rank": 31}], ids=str
)
def test_no_leak_is_claimed_where_no_subspace_is_known(changes: dict[str, Any]) -> None:
    comparison = prepare(full(networks="original", **changes))
    state = State(comparison.networks["original"], 4)
    assert load("measurements", "leak").measure(state, comparison.problem) is None


def test_all_but_2r_values_of_the_original_and_r_of_the_compressed_stay() -> None:
    """Once all is learned; at the start none has moved, and theory counts the same in the end."""
    for name, expected in (("original", 60 - 2 * 3), ("compressed", 6 - 3)):
        found = trained(full())[name]
        assert (found.series["unmoved"][0] == (60 if name == "original" else 6)).all()
        assert found.series["unmoved"][-1].tolist() == [expected] * 3
        assert unmoved(found.series["factor_singular_values"]) == [expected] * 3
