"""Plateaus: forecasts of when random networks begin to tell digits apart, held against training."""

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from dynamics.core.config import Config
from dynamics.engine.training.comparison import prepare
from dynamics.theory.forecast import forecast
from dynamics.theory.plateau import BEGUN, OVER
from dynamics.theory.prediction import Facts

MOST_STEPS = 600  # a config of which a network is to need more is drawn again
EVERY = 5  # steps between two records


class Ratio(NamedTuple):
    """Measured over forecast steps until the loss has fallen by 2 and by 10 % of ln K.

    Both are infinite if the loss jumped away in place of falling.
    """

    standing: str
    begun: float
    over: float


def random_config(seed: int) -> Config:
    """A small MLP before digits, frozen or not, with a start so small that it waits."""
    draw = np.random.default_rng(seed)
    depth = int(draw.integers(2, 6))
    momentum = bool(draw.random() < 0.5)
    return Config.from_dict(
        {
            "problem": "digits",
            "networks": "original,compressed,narrow_random",
            "features": int(draw.integers(24, 65)),
            "images": int(draw.integers(300, 1001)),
            "activation": str(draw.choice(["relu", "gelu"])),
            "batch": int(draw.choice([0, 64])),
            "backbone_rate": float(draw.choice([0.0, 0.0, 0.3, 1.0])),
            "depth": depth,
            "rank_bound": int(draw.integers(2, 11)),
            "alpha": float(np.exp(draw.uniform(0, np.log(5)))),
            "alpha_original": float(np.exp(draw.uniform(0, np.log(5)))),
            "init_scale": float(10 ** (draw.uniform(-4, -2) / depth)),
            "optimizer": "momentum" if momentum else "gradient_descent",
            "learning_rate": float(draw.uniform(0.02, 0.08) * (1 if momentum else 8)),
            "steps": 2 * MOST_STEPS,
            "record_every": EVERY,
            **dict.fromkeys(("seed_data", "seed_noise", "seed_init", "seed_backbone"), seed),
        }
    )


def survey(standings: tuple[str, ...], count: int, first: int = 0) -> list[Ratio]:
    """At least ``count`` ratios of each of these standings, and all others that come with them."""
    found: list[Ratio] = []
    seed = first
    while any(sum(each.standing == name for each in found) < count for name in standings):
        found += _ratios(random_config(seed))
        seed += 1
    return found


def _ratios(config: Config) -> Iterator[Ratio]:
    comparison = prepare(config)
    networks = forecast(config, Facts.of(comparison.facts)).networks
    ends: dict[str, Any] = {name: each.plateau for name, each in networks.items() if each.plateau}
    if not ends or any(end.value is None or end.value[1] > MOST_STEPS for end in ends.values()):
        return
    steps: dict[str, list[int]] = {name: [] for name in ends}
    fallen: dict[str, list[float]] = {name: [] for name in ends}
    for records in filter(None, comparison):
        for name, record in records.items():
            steps[name].append(record.step)
            fallen[name].append(1 - record.values["train_loss"] / math.log(10))
        if all(max(each) >= OVER for each in fallen.values() if each):
            break
    for name, end in ends.items():
        if max(fallen[name]) >= OVER > fallen[name][0]:
            measured = [_reached(steps[name], fallen[name], share) for share in (BEGUN, OVER)]
            yield Ratio(end.standing, *(m / e for m, e in zip(measured, end.value, strict=True)))
        else:
            yield Ratio(end.standing, math.inf, math.inf)


def _reached(steps: list[int], fallen: list[float], share: float) -> float:
    """The step at which the loss had fallen by a share, on a line between two records."""
    at = next(place for place, value in enumerate(fallen) if value >= share)
    around = slice(max(0, at - 1), at + 1)
    return float(np.interp(share, fallen[around], steps[around]))
