"""Survey: forecasts of random configurations held against training, step by step."""

import dataclasses
import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import torch

from dynamics.core import registry
from dynamics.core.config import Config
from dynamics.core.records import Array
from dynamics.engine.measuring.matching import known
from dynamics.engine.problem import target_of
from dynamics.engine.steps.fastest import fastest
from dynamics.engine.training.comparison import Comparison, prepare
from dynamics.theory import stability
from dynamics.theory.escapes import RISE, measured_escapes
from dynamics.theory.forecast import NetworkForecast, forecast
from dynamics.theory.matching import LOW, Matching
from dynamics.theory.prediction import Facts, Known
from tests.support.make import full

MOST_STEPS = 1200  # steps of a run; a config that needs more is drawn again
RECORDS = 300
HEURISTIC = ("completion", "sensing", "gaussian", "rectangular", "narrow", "noisy")


class Deviation(NamedTuple):
    """How far a forecast is from the run, as a share of what the run did."""

    standing: str
    quantity: str
    kind: str
    value: float


def random_config(seed: int, kind: str) -> Config:
    """A random small config: of ``kind`` full with an exact start, or one of ``HEURISTIC``."""
    draw = np.random.default_rng(seed)
    rank = int(draw.integers(1, 4))
    depth = int(draw.integers(2, 6))
    optimizer = "momentum" if draw.random() < 0.3 else "gradient_descent"
    most = 0.9 * stability.reach(0.9 if optimizer == "momentum" else 0.0)
    changes: dict[str, Any] = {
        "rows": 14,
        "cols": 14,
        "rank": rank,
        "rank_bound": int(draw.integers(rank, 2 * rank + 1)),
        "depth": depth,
        "alpha": float(np.exp(draw.uniform(np.log(0.4), np.log(6)))),
        "alpha_original": float(np.exp(draw.uniform(np.log(0.4), np.log(6)))),
        "init_scale": float(10 ** (draw.uniform(-4, -1) / depth)),
        "learning_rate": float(draw.uniform(0.03, most)),
        "optimizer": optimizer,
        "spectrum": ["top", "spread", "power-law"][int(draw.integers(3))],
        "seed_target": seed,
        "seed_init": seed + 1,
    }
    observed = float(draw.uniform(0.5, 0.9))
    width = int(draw.integers(2 * rank, 14))
    measurements = int(draw.integers(200, 600))
    changes |= {
        "full": {},
        "completion": {"problem": "completion", "observed": observed},
        "sensing": {"problem": "sensing", "measurements": measurements},
        "gaussian": {"initialization": "normal"},
        "rectangular": {"cols": 20},
        "narrow": {"width": width},
        "noisy": {"noise": 0.3},
    }[kind]
    return full(**changes)


def survey(count: int, kinds: tuple[str, ...], first: int = 0) -> list[Deviation]:
    """The deviations of ``count`` random configs of these kinds, in turn."""
    found: list[Deviation] = []
    seed = first
    done = 0
    while done < count:
        kind = kinds[done % len(kinds)]
        deviations = list(_deviations(random_config(seed, kind), kind))
        found += deviations
        done += bool(deviations)
        seed += 1
    return found


def _deviations(config: Config, kind: str) -> Iterator[Deviation]:
    comparison = prepare(config)
    facts = Facts.of(comparison.facts)
    predicted = forecast(config, facts, simulate=True)
    goals = Known.of(config, facts).goals
    last = {
        name: 1.5 * max(network.escapes.value) + 4 * max(network.rises.value) + 20
        for name, network in predicted.networks.items()
    }
    if max(last.values()) > MOST_STEPS:
        return
    for name, network in predicted.networks.items():
        yield from _held(comparison, name, network, goals, math.ceil(last[name]), kind)


def _held(
    comparison: Comparison,
    name: str,
    network: NetworkForecast,
    goals: Array,
    last: int,
    kind: str,
) -> Iterator[Deviation]:
    counts, values = followed(comparison, name, last)
    shares = (RISE[0], 0.5, RISE[1])
    low, half, high = (measured_escapes(counts, values, goals, share) for share in shares)
    apart = counts[1] - counts[0]
    for mode, expected in enumerate(network.escapes.value):
        # A tenth of the distance of two records is what interpolation leaves open.
        if half[mode] > 0:
            off = abs(expected - half[mode]) - 0.1 * apart
            yield Deviation(network.escapes.standing, "escapes", kind, max(0, off) / half[mode])
    for mode, expected in enumerate(network.rises.value):
        if high[mode] - low[mode] > 0:
            rise = high[mode] - low[mode]
            off = abs(expected - rise) - 0.2 * apart
            yield Deviation(network.rises.standing, "rises", kind, max(0, off) / rise)


def followed(comparison: Comparison, name: str, last: int) -> tuple[Array, Array]:
    """Steps of records, and the singular values by mode of one network that is trained alone."""
    network = comparison.networks[name]
    config = comparison.config
    target = target_of(comparison.problem)
    assert target is not None
    optimizer = registry.load("optimizers", config.optimizer)
    descent = fastest(network, comparison.problem, optimizer, comparison.rate(name))
    every = max(1, last // RECORDS)
    matching: Matching | None = None
    rows = []
    for count in range(0, last + 1, every):
        if count:
            descent.step(every)
        left, values, right = torch.linalg.svd(torch.linalg.multi_dot(network.factors[::-1]))
        matching = matching or Matching(tuple(range(len(values))))
        goals = np.pad(target.values.numpy(), (0, len(values)))[: len(values)]
        low = (LOW * goals - values.numpy()).tolist()
        matching = matching.followed(known(left, values, right, target), low)
        rows.append(values.numpy()[list(matching.order)])
    return np.arange(0.0, last + 1, every), np.array(rows)


class Bounce(NamedTuple):
    """What a forecast says of η, and whether the training loss bounced."""

    zone: str
    bounced: bool


def bounces(count: int, first: int = 0) -> list[Bounce]:
    """What came of η up to 0.6 of what a small start settles at, in completions and sums."""
    found: list[Bounce] = []
    for seed in range(first, first + count):
        config = seen_in_part(seed)
        comparison = prepare(config)
        predicted = forecast(config, Facts.of(comparison.facts))
        for name in comparison.networks:
            zone = predicted.zone(name)
            assert zone
            found.append(Bounce(zone, _bounced(comparison, name)))
    return found


def seen_in_part(seed: int) -> Config:
    """A random completion, or in one of four cases sensing, most of them noisy."""
    draw = np.random.default_rng(seed)
    rank = int(draw.integers(1, 5))
    depth = int(draw.integers(2, 6))
    optimizer = str(draw.choice(["gradient_descent"] * 3 + ["momentum"]))
    most = 0.6 * stability.reach(0.9 if optimizer == "momentum" else 0.0)
    return full(
        problem=str(draw.choice(["completion"] * 3 + ["sensing"])),
        rows=int(draw.integers(12, 31)),
        cols=int(draw.integers(12, 31)),
        rank=rank,
        rank_bound=int(draw.integers(rank, 2 * rank + 2)),
        depth=depth,
        noise=float(draw.choice([0.0, 0.1, 0.3, 0.5, 1.0])),
        observed=float(draw.uniform(0.12, 0.9)),
        measurements=int(draw.integers(30, 500)),
        alpha=float(np.exp(draw.uniform(np.log(0.4), np.log(6)))),
        alpha_original=float(np.exp(draw.uniform(np.log(0.4), np.log(6)))),
        init_scale=float(10 ** (draw.uniform(-3, -0.3) / depth)),
        spectrum=str(draw.choice(["top", "spread", "power-law", "flat"])),
        optimizer=optimizer,
        learning_rate=float(draw.uniform(0.05, most)),
        equal="margin",
        **dict.fromkeys(("seed_target", "seed_data", "seed_noise", "seed_init"), seed),
    )


def _bounced(comparison: Comparison, name: str) -> bool:
    """Whether the loss rose 5 % above its lowest so far in 3,000 steps, or was not finite.

    Momentum swings wherever it settles, so there it must rise to five times its lowest.
    """
    network = comparison.networks[name]
    config = comparison.config
    optimizer = registry.load("optimizers", config.optimizer)
    descent = fastest(network, comparison.problem, optimizer, comparison.rate(name))
    risen = 5.0 if config.optimizer == "momentum" else 1.05
    first = lowest = descent.loss()
    for _ in range(600):
        descent.step(5)
        loss = descent.loss()
        # Below a billionth of the first loss, rounding moves it.
        if not loss <= risen * lowest and not loss <= 1e-9 * first:
            return True
        lowest = min(lowest, loss)
    return False


class Budget(NamedTuple):
    """Whether a forecast says that steps are too few, and whether they were.

    Attributes:
        standing: of the last escape that is expected of any network.
        warned: whether the warning came.
        short: whether a mode of some network was not half grown at the last step.
    """

    standing: str
    warned: bool
    short: bool


def budgets(count: int, kinds: tuple[str, ...], first: int = 0) -> list[Budget]:
    """What came of steps that are from half to twice those of the last escape expected."""
    found: list[Budget] = []
    seed = first
    while len(found) < count:
        draw = np.random.default_rng(seed)
        config = random_config(seed, kinds[len(found) % len(kinds)])
        seed += 1
        comparison = prepare(config)
        facts = Facts.of(comparison.facts)
        networks = forecast(config, facts).networks
        last = max(networks.values(), key=lambda network: max(network.escapes.value)).escapes
        steps = math.ceil(max(last.value) * 2 ** draw.uniform(-1, 1))
        if steps > MOST_STEPS:
            continue
        config = dataclasses.replace(config, steps=max(steps, config.record_every))
        told = " ".join(warning.sentence for warning in forecast(config, facts).warnings)
        goals = Known.of(config, facts).goals
        short = [_short(comparison, name, goals, config.steps) for name in networks]
        found.append(Budget(last.standing, "fewer than the" in told, any(short)))
    return found


def _short(comparison: Comparison, name: str, goals: Array, steps: int) -> bool:
    """Whether a mode that the network has room for is not half grown after these steps."""
    network = comparison.networks[name]
    room = min(len(factor) for factor in network.factors)
    grown = measured_escapes(*followed(comparison, name, steps), goals)
    return not bool(np.isfinite(grown[:room]).all())


def floors(count: int, first: int = 0) -> list[Deviation]:
    """The deviations of the final loss, from starts so large that spare modes decay.

    Infinite where training diverged although a final loss was forecast.
    """
    found: list[Deviation] = []
    for seed in range(first, first + count):
        draw = np.random.default_rng(seed)
        config = random_config(seed, "full")
        scale = float(10 ** (draw.uniform(-1.5, -0.2) / config.depth))
        comparison = prepare(
            dataclasses.replace(
                config, init_scale=scale, steps=1000, rank_bound=min(2 * config.rank + 1, 7)
            )
        )
        predicted = forecast(comparison.config, Facts.of(comparison.facts))
        optimizer = registry.load("optimizers", config.optimizer)
        for name, network in comparison.networks.items():
            descent = fastest(network, comparison.problem, optimizer, comparison.rate(name))
            descent.step(1000)
            floor = predicted.networks[name].floor
            loss = descent.loss()
            off = abs(floor.value / loss - 1) if math.isfinite(loss) else math.inf
            found.append(Deviation(floor.standing, "floor", name, off))
    return found
