"""Advice: a sentence on each problem that a run will have, and the settings that avoid it."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dynamics.core import traits
from dynamics.core.config import SETTINGS, Config
from dynamics.core.consistency import MOST_RECORDS
from dynamics.core.words import count, plain
from dynamics.theory import stability
from dynamics.theory.prediction import EXACT, SLACK, Prediction

GOOD_STEP = 0.3  # share of the stability limit that is a sensible learning rate
AMPLE = 1.3  # times the steps of the last escape, enough steps to show it


@dataclass(frozen=True)
class Advice:
    """A sentence for a user, and ``mend``: the settings to change, with their new values."""

    sentence: str
    mend: Mapping[str, Any]


def widths(config: Config) -> Iterator[Advice]:
    """Advice on a width bound below the rank, or so large that compression has no guarantee.

    Where classes are told apart: on more hidden units than there are directions to start from.
    """
    if known := config.contents:
        yield from _spare(config, min(known.classes, config.features))
    if "compressed" not in config.networks or not traits.problem(config.problem).low_rank:
        return
    side = min(config.shape)
    rank = config.rank
    bound = config.rank_bound
    mend = {"rank_bound": max(rank, min(2 * rank, side - rank))}
    if bound < rank:
        lost = "mode" if bound + 1 == rank else f"{rank - bound} modes"
        yield Advice(
            f"r̂ = {bound} is below the rank {rank}: the compressed network never learns the last "
            f"{lost}.",
            mend,
        )
    if "original" in config.networks and side - rank < bound > mend["rank_bound"]:
        yield Advice(
            f"r̂ = {bound} is above d − r = {side - rank}: the theorem that the compressed "
            "network is ahead of the original one for small η does not hold.",
            mend,
        )


def _spare(config: Config, directions: int) -> Iterator[Advice]:
    kinds = {name: traits.network(name) for name in config.networks}
    spectral = [name for name, kind in kinds.items() if kind.narrow and kind.spectral]
    spare = config.rank_bound - directions
    if spectral and spare > 0:
        what = "classes" if directions < config.features else "features"
        names = " and the ".join(map(traits.full_name, spectral))
        yield Advice(
            f"r̂ = {config.rank_bound} is above the number of {what}, {directions}: the gradient "
            f"has no more directions to start from, so {count(spare, 'hidden unit')} of the "
            f"{names} start and stay at zero, and only cost time.",
            {"rank_bound": directions},
        )


def step_size(
    config: Config, rates: Mapping[str, float | None], limits: Mapping[str, Prediction]
) -> Iterator[Advice]:
    """Advice on a learning rate above the stability limit of the most sensitive network."""
    ratios = {
        name: rate / limits[name].value
        for name, rate in rates.items()
        if rate is not None and limits[name].value is not None
    }
    if not ratios:
        return
    name = max(ratios, key=lambda network: ratios[network])
    ratio = ratios[name]
    momentum = traits.optimizer(config.optimizer).inertia or 0.0
    reach = stability.reach(momentum)
    exact = limits[name].standing == EXACT
    if ratio > reach * (1 if exact else SLACK):
        diverges = stability.zone(ratio, momentum) == "diverges"
        verb = f"{'will' if exact else 'may'} {'diverge' if diverges else 'not settle'}"
        if reach < 1:
            verb += f": with {config.optimizer} a small start settles up to {reach:.2g} times alone"
        mended = float(f"{config.learning_rate * GOOD_STEP * reach / ratio:.2g}")
        yield Advice(
            f"η is {plain(ratio)} times the {'' if exact else 'estimated '}stability limit of the "
            f"{traits.full_name(name)}, which {verb}.",
            {"learning_rate": mended},
        )


def budget(config: Config, escapes: Mapping[str, Prediction]) -> Iterator[Advice]:
    """Advice on fewer steps than the last mode needs until it is half grown."""
    if not traits.problem(config.problem).low_rank:
        return
    last = {
        name: max(filter(math.isfinite, prediction.value or ()), default=0.0)
        for name, prediction in escapes.items()
    }
    name = max(last, key=lambda network: last[network])
    if last[name] > config.steps:
        most = SETTINGS["steps"].high
        steps = int(min(most, float(f"{AMPLE * last[name]:.2g}")))
        yield Advice(
            f"The run has {count(config.steps, 'step')}, fewer than the {last[name]:,.0f} "
            f"after which the last mode of the {traits.full_name(name)} is half grown.",
            {
                "steps": steps,
                "record_every": max(config.record_every, math.ceil(steps / MOST_RECORDS)),
            },
        )


def waiting(config: Config, plateaus: Mapping[str, Prediction]) -> Iterator[Advice]:
    """Advice on fewer steps than the plateau of a network takes that tells classes apart."""
    ends = {name: end.value[1] for name, end in plateaus.items() if end.value}
    name = max(ends, key=lambda network: ends[network], default="")
    if name and config.steps < ends[name] < math.inf:
        steps = int(min(SETTINGS["steps"].high, float(f"{AMPLE * ends[name]:.2g}")))
        yield Advice(
            f"The run has {count(config.steps, 'step')}; the {traits.full_name(name)} learns "
            f"nothing before about step {ends[name]:,.0f}.",
            {
                "steps": steps,
                "record_every": max(config.record_every, math.ceil(steps / MOST_RECORDS)),
            },
        )
