"""Survey: random runs, the recovering ones included, and what is said of each against its numbers.

Each config trains once. Its sentences are held against the finished run's own numbers, and those
that stood after a quarter and a half of the steps against what came later.
"""

import dataclasses
import re
from dataclasses import dataclass
from functools import cache

import numpy as np
import pytest
import torch

from dynamics.core import registry, traits
from dynamics.core.config import Config
from dynamics.core.rates import rates
from dynamics.core.records import Array, Layout, Trajectory
from dynamics.core.sizes import enough_seen, held_out
from dynamics.engine.factors import product
from dynamics.engine.steps.plain import Descent
from dynamics.engine.training.comparison import Comparison, prepare
from dynamics.findings import failures
from dynamics.findings.failures import Failure, Watch
from dynamics.findings.modes import incrementality, modes
from dynamics.findings.story import story
from dynamics.theory.forecast import forecast
from dynamics.theory.prediction import Facts
from tests.support.make import is_sentence, small
from tests.support.told import Told

SAMPLE, ALL = (*range(10), 14), range(240)
TELLS = {  # how a story tells each failure
    failures.DIVERGING: "The {} diverged|training loss of the {} rose",
    failures.NO_ROOM: "modes: the error of the {}|The {} uses",
    failures.PLATEAU: "The {} is stuck",
    failures.NO_GAIN: "No gain: the {}",
    failures.MERGING: "The first mode of the {}.*plateaus merged",
    failures.OVERFITTING: "The test loss of the {}",
}
# Largest share of the failures that the numbers show and that are not named.
MISSED = {
    failures.DIVERGING: 0.1,
    failures.NO_ROOM: 0.25,
    failures.PLATEAU: 0.5,
    failures.NO_GAIN: 0.1,
    failures.MERGING: 0.6,
    failures.OVERFITTING: 0.2,
}
# log₁₀ of the smallest ε, by depth, so that most modes rise within the steps.
SMALLEST = {2: -1.5, 3: -1.0, 4: -0.6, 5: -0.4}
# Parts of the warnings before a run.
ABOVE, PERHAPS = "times the stability limit of", "times the estimated stability limit of"
TOO_FEW, TOO_NARROW = "fewer than the", "is below the rank"
# Largest share of the warnings that do not come true, and of what comes without a warning.
WARNED = {
    ABOVE: (0.0, 0.0),
    PERHAPS: (0.4, 0.4),
    TOO_FEW: (0.0, 1.0),
    TOO_NARROW: (0.0, 0.0),
}
SETTLED = 1e-3  # share of the product that one more step may change
OPPOSITES = (
    ("raise r̂|larger r̂", "lower r̂|smaller r̂"),
    ("larger ε", "smaller ε"),
    ("larger α", "smaller α"),
)


@dataclass(frozen=True)
class Trained:
    """A finished run, its failures in the end, and those that stood after shares of the steps.

    ``moves`` has the share by which one more step would change the product of each network.
    """

    config: Config
    trajectories: dict[str, Trajectory]
    failed: list[Failure]
    earlier: dict[float, list[Failure]]
    moves: dict[str, float]

    @property
    def story(self) -> list[str]:
        return story(self.config, [*self.trajectories.values()], self.failed)


def drawn(seed: int) -> Config:
    """A small random run, with all that makes runs fail, and with much that lets them recover."""
    draw = np.random.default_rng(seed)
    problems = ["factorization", "completion", "sensing", "photograph"]
    optimizers = ["gradient_descent", "momentum", "adam", "rmsprop"]
    optimizer = str(draw.choice(optimizers, p=[0.7, 0.1, 0.1, 0.1]))
    plain = optimizer == "gradient_descent"
    rate = float(draw.choice([0.1, 0.3, 0.6, 0.9, 1.05, 1.2, 1.5, 3.0]))
    if optimizer == "momentum":
        rate /= 5
    elif not plain:
        rate = float(10 ** draw.uniform(-3, -0.5))
    depth = int(draw.integers(2, 6))
    steps = int(draw.choice([300, 800, 1500]))
    settings = {
        "problem": str(draw.choice(problems, p=[0.3, 0.35, 0.25, 0.1])),
        "rank": int(draw.integers(1, 5)),
        "rank_bound": int(draw.integers(1, 9)),
        "depth": depth,
        "init_scale": float(10 ** draw.uniform(SMALLEST[depth], -0.1)),
        "initialization": str(draw.choice(["orthogonal", "normal"])),
        "spectrum": str(draw.choice(["top", "flat", "power-law"])),
        "alpha": float(draw.choice([0.2, 1.0, 5.0])),
        "noise": float(draw.choice([0.0, 0.0, 0.1, 0.5])),
        "observed": float(draw.choice([0.2, 0.4, 0.6, 0.9, 1.0])),
        "measurements": int(draw.choice([20, 60, 150, 300])),
        "optimizer": optimizer,
        "rate_unit": "limit" if plain or optimizer == "momentum" else "absolute",
        "learning_rate": rate,
        "dtype": str(draw.choice(["float64", "float64", "float64", "float32"])),
        "steps": steps,
        "changes": _changes(draw, rate, steps),
    }
    seeds = dict.fromkeys(("seed_target", "seed_data", "seed_noise", "seed_init"), seed)
    return small(**settings, **seeds)


def _changes(draw: np.random.Generator, rate: float, steps: int) -> str:
    """In every third run, a change of η or α, or the original compressed, at a random step."""
    step = int(draw.integers(steps // 10, steps // 2))
    kinds = [
        f"{step}:learning_rate={rate / 10:g}",
        f"{step}:learning_rate={rate * 3:g}",
        f"{step}:alpha=2",
        f"{step}:compress",
    ]
    return str(draw.choice(kinds)) if draw.random() < 1 / 3 else ""


@cache
def trained(seed: int) -> Trained:
    config = drawn(seed)
    comparison = prepare(config)
    records = [each for each in comparison if each]
    layout, watch = Layout.of(records[0], comparison.facts), Watch(config, comparison.facts)
    earlier: dict[float, list[Failure]] = {}
    failed: list[Failure] = []
    for each in records:
        failed = watch.see(each)
        step = max(record.step for record in each.values())
        for share in (0.25, 0.5):
            if step <= share * config.steps:
                earlier[share] = failed
    rows = np.array([layout.row(each) for each in records])
    whole = {each.network: each for each in layout.trajectories(rows) if len(each.steps)}
    moves = {name: moved(comparison, name) for name in whole}
    return Trained(config, whole, failed, earlier, moves)


def moved(comparison: Comparison, name: str) -> float:
    """The share by which one more plain step changes a product; NaN once it is not finite."""
    factors = comparison.networks[name].factors
    now = rates(comparison.config, name, comparison.learning_rate, comparison.config.steps)
    before = product(factors)
    plain = registry.load("optimizers", "gradient_descent")
    network = dataclasses.replace(comparison.networks[name], factors=[*map(torch.clone, factors)])
    steps = Descent(network, comparison.problem, plain, now.learning_rate)
    steps.alpha = now.alpha
    steps.step()
    return float((product(network.factors) - before).norm() / before.norm())


def holds(run: Trained, failure: Failure) -> bool:
    """Whether the numbers of the finished run agree with a failure."""
    trajectory = run.trajectories[failure.network]
    losses = trajectory.series["train_loss"]
    later = trajectory.steps > failure.step
    return {
        failures.DIVERGING: diverged,
        failures.NO_ROOM: without_room,
        failures.PLATEAU: lambda run, name: np.isfinite(losses[-1]) and not fell(losses, later),
        failures.NO_GAIN: no_gain,
        failures.MERGING: merged,
        failures.OVERFITTING: overfitted,
    }[failure.name](run, failure.network)


def fell(losses: Array, later: Array) -> bool:
    """Whether the loss reached a new low, by 1 %, at these later records."""
    return bool(later.any() and losses[later].min() < 0.99 * losses[~later].min())


def diverged(run: Trained, network: str) -> bool:
    """The loss ends as not finite or above the loss at the start."""
    last = run.trajectories[network].series["train_loss"][-1]
    return not last <= max(each.series["train_loss"][0] for each in run.trajectories.values())


def without_room(run: Trained, network: str) -> bool:
    """r̂ is below the rank, the error keeps Eckart and Young's bound, and the loss is still."""
    config, trajectory = run.config, run.trajectories[network]
    if not traits.network(network).narrow or not resting(trajectory):
        return False
    if not traits.problem(config.problem).low_rank:
        return not overfitted(run, network)
    goals = np.array(trajectory.facts["target_singular_values"])[: config.rank] ** 2
    if config.rank <= config.rank_bound:
        return False
    least = np.sqrt(goals[config.rank_bound :].sum() / goals.sum())
    assert trajectory.series["recovery_error"].min() > (1 - 1e-4) * least
    return True


def resting(trajectory: Trajectory) -> bool:
    """Whether the loss found no new low in the last 30 % of the steps."""
    losses = trajectory.series["train_loss"]
    later = trajectory.steps > 0.7 * trajectory.steps[-1]
    return bool(np.isfinite(losses[-1])) and not fell(losses, later)


def no_gain(run: Trained, network: str) -> bool:
    """The original reached an error that the compressed network never did, in 1.1 times as long."""
    ours, theirs = run.trajectories["compressed"], run.trajectories["original"]
    end = max(ours.steps[-1], theirs.steps[-1])
    reached = [(theirs.reached("recovery_error", level), level) for level in (0.5, 0.1, 1e-2, 1e-3)]
    return any(
        end >= 1.1 * step > 0 and np.isnan(ours.reached("recovery_error", level))
        for step, level in reached
    )


def merged(run: Trained, network: str) -> bool:
    """At least two modes rose, each before the one before it had, in two records or more."""
    found = modes(run.config, run.trajectories[network])
    between = np.diff(run.trajectories[network].steps).max()
    rises = [mode.rise for mode in found if mode.rise and not mode.early]
    ratios = incrementality(found)
    return bool(ratios) and max(ratios) < 1 and min(rises) >= failures.RESOLVED * between


def overfitted(run: Trained, network: str) -> bool:
    """The test loss ends above its minimum and the training loss below the one it had there."""
    trajectory = run.trajectories[network]
    tests, losses = trajectory.series["test_loss"], trajectory.series["train_loss"]
    best = trajectory.lowest("test_loss")
    if best is None or not held_out(run.config) or not np.isfinite(losses[-1]):
        return False
    return bool(tests[-1] > 1.02 * tests[best] and losses[-1] < losses[best])


def missing(run: Trained) -> dict[str, list[bool]]:
    """For each failure that the finished run's numbers show: whether it was not named."""
    named = {(failure.name, failure.network) for failure in run.failed}
    missed: dict[str, list[bool]] = {name: [] for name in failures.CHECKS}
    for network in run.trajectories:
        for name in shown(run, network):
            missed[name].append((name, network) not in named)
    return missed


def shown(run: Trained, network: str) -> list[str]:
    """The failures that a network's numbers show, by the thresholds of ``failures`` alone."""
    config, trajectory = run.config, run.trajectories[network]
    if diverged(run, network):
        return [failures.DIVERGING]
    low_rank = traits.problem(config.problem).low_rank
    losses, tests = trajectory.series["train_loss"], trajectory.series["test_loss"]
    noise = Watch(config, trajectory.facts).noise
    least = max(failures.LEFT * losses[0], 10 * noise)
    high = resting(trajectory) and least < losses[-1] < 0.9 * losses[0]  # on no first plateau
    cramped = traits.network(network).narrow and config.rank > config.rank_bound
    best = trajectory.lowest("test_loss")
    early = best is not None and trajectory.steps[best] < 0.7 * trajectory.steps[-1]
    worse = best is not None and tests[-1] > 1.05 * tests[best] > failures.LEFT * tests[0]
    goals = trajectory.facts["target_singular_values"]
    told = {
        failures.NO_ROOM: low_rank and high and cramped,
        failures.PLATEAU: low_rank and high and not cramped,
        failures.NO_GAIN: network == "original"
        and no_gain(run, network)
        and not diverged(run, "compressed"),
        failures.MERGING: goals[0] > 1.2 * goals[-1] and merged(run, network),
        failures.OVERFITTING: early and worse and overfitted(run, network),
    }
    return [name for name, shows in told.items() if shows]


def warned(run: Trained) -> dict[str, list[tuple[bool, bool]]]:
    """For each kind of warning before a run without changes: whether it came, and what came true.

    One pair for each network that the warning names, or that the numbers show.
    """
    config = run.config
    facts = Facts.of(next(iter(run.trajectories.values())).facts)
    told = Told(config, run.trajectories, run.failed)
    found: dict[str, list[tuple[bool, bool]]] = {name: [] for name in WARNED}
    if config.changes:
        return found
    text = " ".join(warning.sentence for warning in forecast(config, facts).warnings)
    shown = {name: not move <= SETTLED for name, move in run.moves.items()}
    if config.optimizer == "gradient_descent":
        limit = ABOVE if config.problem == "factorization" else PERHAPS
        found[limit].append((limit in text, any(shown.values())))
    if traits.problem(config.problem).low_rank:
        sound = [name for name in run.trajectories if not shown[name]]
        found[TOO_FEW].append((TOO_FEW in text, any(told.never(name) for name in sound)))
        lost = config.rank > config.rank_bound
        found[TOO_NARROW].append((TOO_NARROW in text, lost))
    return found


def check(run: Trained) -> None:
    """No false alarm, no contradiction, and one story for the strip and for the page."""
    for failure in run.failed:
        assert holds(run, failure), failure
    text = "\n".join(run.story)
    Told(run.config, run.trajectories, run.failed).hold(run.story)
    assert all(is_sentence(sentence) for sentence in run.story)
    assert not re.search(r"\b(nan|inf|None)\b|\b1 (steps|modes|sums|entries)\b", text)
    advice = "\n".join([text, *(failure.sentence for failure in run.failed)])
    for one, other in OPPOSITES:
        assert not (re.search(one, advice) and re.search(other, advice)), advice
    assert enough_seen(run.config) or "depth" not in advice
    tells = {
        (name, network)
        for network in ("original", "compressed")
        for name, pattern in TELLS.items()
        if re.search(pattern.replace("{}", f"{network} network"), text)
    }
    assert tells == {(failure.name, failure.network) for failure in run.failed}, text


@pytest.mark.parametrize("seed", SAMPLE)
def test_what_is_said_of_a_random_run_agrees_with_its_numbers(seed: int) -> None:
    check(trained(seed))


@pytest.mark.slow
def test_what_is_said_of_many_random_runs_agrees_with_their_numbers() -> None:
    """And few failures that the numbers show are missed: ``docs/theory.md`` has the rates.

    So it is with warnings before a run.
    """
    missed: dict[str, list[bool]] = {name: [] for name in failures.CHECKS}
    warnings: dict[str, list[tuple[bool, bool]]] = {name: [] for name in WARNED}
    for seed in ALL:
        check(trained(seed))
        for name, of_this in missing(trained(seed)).items():
            missed[name] += of_this
        for name, pairs in warned(trained(seed)).items():
            warnings[name] += pairs
    rates = {name: np.mean(of_all) for name, of_all in missed.items()}
    assert all(rates[name] <= MISSED[name] for name in MISSED), rates
    for name, (false, unwarned) in WARNED.items():
        came = [true for warning, true in warnings[name] if warning]
        true = [warning for warning, true in warnings[name] if true]
        assert came.count(False) <= false * len(came), (name, came.count(False), len(came))
        assert true.count(False) <= unwarned * len(true), (name, true.count(False), len(true))
