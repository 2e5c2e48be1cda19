"""Attribution: the causes of the compressed network's lead, and the factor of each.

The ladder is a list of networks. Each rung differs from the previous rung by one cause: the
spectral start, the narrow width, or α. A cause's factor is the cost of the previous rung divided by
the cost of its own rung. The product of the factors is the whole lead. This holds for every seed,
and for the medians too, because their factors are ratios of medians.
"""

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dynamics.core import traits, words
from dynamics.core.config import SEEDS, SETTINGS, Config
from dynamics.core.records import Array, Trajectory
from dynamics.findings.outcomes import DECADES, SHORT

COUNTERS = ("steps", "operations", "seconds")
CAUSES = {  # by the first network of the path that has the cause
    "original_spectral": "spectral start",
    "compressed_even": "narrow width",
    "compressed": "α",
}
PATH = ("original", *CAUSES)
BESIDE = ("original_alpha", "original_spectral_alpha", "narrow_random", "narrow_random_alpha")
STOP = "stop"
LEVELS = (*(f"{level:.0e}".replace("e-0", "e-") for level in DECADES), STOP)
MOST_SEEDS = 20


@dataclass(frozen=True)
class Rung:
    """One network of the ladder.

    Attributes:
        network: name of the network.
        cause: the difference from the previous rung; empty for the first rung and for networks
            outside the path.
        costs: steps, operations and seconds of training until the level, seeds × 3; NaN for a seed
            that did not reach the level.
    """

    network: str
    cause: str
    costs: Array

    @property
    def reached(self) -> int:
        """Number of seeds that reached the level."""
        return int(np.isfinite(self.costs[:, 0]).sum())


@dataclass(frozen=True)
class Attribution:
    """The costs of all rungs of the ladder.

    Attributes:
        config: the settings of the first seed.
        level: the recovery error until which costs are counted, or ``stop``.
        path: the rungs from the original to the compressed network.
        beside: further networks, for comparison.
        seeds: number of runs, one for each seed.
    """

    config: Config
    level: str
    path: tuple[Rung, ...]
    beside: tuple[Rung, ...]
    seeds: int

    @property
    def whole(self) -> Array:
        """Mask of the seeds in which all rungs of the path reached the level."""
        costs = np.stack([rung.costs[:, 0] for rung in self.path])
        return np.asarray(np.isfinite(costs).all(axis=0))

    @property
    def factors(self) -> Array:
        """Cost of the previous rung / cost of the rung: whole seeds × causes × counters."""
        costs = np.stack([rung.costs[self.whole] for rung in self.path], axis=1)
        return np.asarray(costs[:, :-1] / costs[:, 1:])

    @property
    def middle(self) -> Array:
        """``factors`` of the medians over whole seeds: causes × counters."""
        costs = np.array([np.median(rung.costs[self.whole], axis=0) for rung in self.path])
        return np.asarray(costs[:-1] / costs[1:])

    def against_original(self, rung: Rung) -> Array:
        """Cost of the original / cost of the rung: seeds that reached the level × counters."""
        ratio = self.path[0].costs / rung.costs
        return np.asarray(ratio[np.isfinite(ratio[:, 0])])


def networks(config: Config) -> tuple[str, ...]:
    """The networks to train; if α = α₀, without networks that equal another network."""
    everything = (*PATH, *BESIDE)
    if config.alpha != config.alpha_original:
        return everything
    return tuple(name for name in everything if name not in _TWINS)


# Networks that each equal another network if α = α₀.
_TWINS = ("compressed_even", "original_alpha", "original_spectral_alpha", "narrow_random_alpha")


def ladder(config: Config, seeds: int) -> list[Config]:
    """The config of each seed, with all rungs and with everything drawn anew.

    Raises:
        ValueError: if the number of seeds is not between 1 and MOST_SEEDS.
    """
    if not 1 <= seeds <= MOST_SEEDS:
        raise ValueError(f"The ladder takes 1 to {MOST_SEEDS} seeds; {seeds} were given.")
    most = min(SETTINGS[name].high for name in SEEDS) + 1
    return [
        dataclasses.replace(
            config,
            networks=networks(config),
            **{name: (getattr(config, name) + number) % most for name in SEEDS},
        )
        for number in range(seeds)
    ]


def attribute(
    config: Config, runs: Sequence[Sequence[Trajectory]], level: str = "1e-3"
) -> Attribution:
    """The costs of the rungs in finished runs, one run a seed.

    Raises:
        ValueError: if the level is neither an error nor ``stop``, or if the runs have no recovery
            error.
    """
    error = goal(level)
    networks_of_runs = [{trajectory.network: trajectory for trajectory in run} for run in runs]
    if error and any(
        "recovery_error" not in trajectory.series for run in runs for trajectory in run
    ):
        raise ValueError("The whole matrix is not known here, so only the level stop can be taken.")

    def rung(name: str) -> Rung:
        costs = [_costs(run[name], error, config.tolerance) for run in networks_of_runs]
        return Rung(name, CAUSES.get(name, ""), np.array(costs).reshape(-1, len(COUNTERS)))

    trained = networks(config)
    path = [rung(name) for name in PATH if name in trained]
    beside = [rung(name) for name in BESIDE if name in trained]
    if len(path) < len(PATH):  # with equal α the last cause is the width
        path[-1] = dataclasses.replace(path[-1], cause=CAUSES["compressed_even"])
    return Attribution(config, level, tuple(path), tuple(beside), len(runs))


def goal(level: str) -> float | None:
    """The recovery error of a level; None for ``stop``.

    Raises:
        ValueError: if the level is neither.
    """
    if level == STOP:
        return None
    try:
        error = float(level)
    except ValueError:
        error = math.nan
    if not 0 < error < 1:
        raise ValueError(f"A level is {STOP} or an error between 0 and 1; {level!r} was given.")
    return error


def _costs(trajectory: Trajectory, goal: float | None, tolerance: float) -> list[float]:
    if goal is not None:
        return [trajectory.reached("recovery_error", goal, counter) for counter in COUNTERS]
    if not tolerance:
        return [math.nan] * len(COUNTERS)
    return [trajectory.reached("train_loss", tolerance, counter) for counter in COUNTERS]


def band(values: Array) -> tuple[Array, Array, Array]:
    """Lower quartile, median and upper quartile over the first axis, the seeds."""
    low, middle, high = np.percentile(values, (25, 50, 75), axis=0)
    return low, middle, high


def table(result: Attribution) -> list[list[str]]:
    """The costs with their quartiles as texts: a head, then a row for each rung."""
    head = ["network", "reached"]
    head += [f"{name}{part}" for name in COUNTERS for part in ("", " quartiles")]
    rows = [[*head, *(f"fewer {name} by" for name in COUNTERS), "cause"]]
    for number, rung in enumerate((*result.path, *result.beside)):
        cells = [traits.short_name(rung.network), f"{rung.reached} of {result.seeds}"]
        costs = rung.costs[np.isfinite(rung.costs[:, 0])]
        for counter in range(len(COUNTERS)):
            cells += _cells(costs[:, counter]) if len(costs) else ["not reached", ""]
        on_path = 0 < number < len(result.path) and result.whole.any()
        if on_path:
            cells += [f"{factor:.2f} ×" for factor in result.middle[number - 1]]
        else:
            cells += [""] * len(COUNTERS)
        rows.append([*cells, rung.cause])
    return rows


def _cells(costs: Array) -> list[str]:
    low, middle, high = map(float, band(costs))
    return [_short(middle), f"{_short(low)} – {_short(high)}"]


def _short(value: float) -> str:
    """A cost with three significant digits, or as a whole number from 1,000 on."""
    if value >= 1e6:
        return f"{value:.2e}".replace("e+0", "e").replace("e+", "e")
    return f"{value:,.0f}" if value >= 1000 or value == int(value) else f"{value:.3g}"


def to_dict(result: Attribution) -> dict[str, object]:
    """The result for JSON: the costs of each rung by seed and the factors of each cause.

    A value is null if the level was not reached.
    """

    def plain(costs: Array) -> dict[str, list[float | None]]:
        columns = zip(COUNTERS, costs.T.tolist(), strict=True)
        return {
            name: [value if math.isfinite(value) else None for value in column]
            for name, column in columns
        }

    causes: dict[str, object] = {}
    for number, rung in enumerate(result.path[1:]):
        low, _, high = band(result.factors[:, number]) if result.whole.any() else (None, None, None)
        for column, counter in enumerate(COUNTERS):
            factor = result.middle[number, column] if low is not None else None
            span = None if low is None or high is None else [low[column], high[column]]
            entry = causes.setdefault(rung.cause, {})
            assert isinstance(entry, dict)
            entry[counter] = {"factor": factor, "quartiles": span}
    return {
        "level": result.level,
        "seeds": result.seeds,
        "whole_seeds": int(result.whole.sum()),
        "path": [rung.network for rung in result.path],
        "beside": [rung.network for rung in result.beside],
        "costs": {rung.network: plain(rung.costs) for rung in (*result.path, *result.beside)},
        "causes": causes,
    }


def sentences(result: Attribution) -> list[str]:
    """The result in sentences, the lead first."""
    all_missing = [_missing(result, rung) for rung in (*result.path, *result.beside)]
    missing = [sentence for sentence in all_missing if sentence]
    if not result.whole.any():
        return [f"In no seed did all networks reach {_aim(result.level)}.", *missing]
    seeds = int(result.whole.sum())
    over = f"Over {seeds} seeds" if seeds > 1 else "With one seed"
    fewer = _fewer(result.middle[:, 0].prod())
    parts = [f"{over}, to {_aim(result.level)}, the compressed network took {fewer} the original."]
    short = result.path[-1].costs[result.whole, -1].min() < SHORT
    starts = ("Of its lead in steps", "In operations", "In seconds")
    for column, start in enumerate(starts[:2] if short else starts):
        total = result.middle[:, column].prod()
        shares = ", ".join(
            f"{factors[column]:.2f} × from the {rung.cause}".replace("the α", "α")
            for rung, factors in zip(result.path[1:], result.middle, strict=True)
        )
        parts.append(f"{start} ({words.plain(total)} ×): {shares}.")
    if short:
        parts.append("Training took too short a time to compare seconds: they are mostly noise.")
    return [*parts, *_meaning(result), *missing]


def _meaning(result: Attribution) -> list[str]:
    """What α alone and the narrow width alone do, from the networks outside the path."""
    ratios = {rung.network: result.against_original(rung) for rung in result.beside}
    middle = {name: float(np.median(ratio[:, 0])) for name, ratio in ratios.items() if len(ratio)}
    parts = []
    if result.config.alpha == result.config.alpha_original:
        parts.append("Both move by the same α, so it is no part of the lead.")
    elif "original_alpha" in middle:
        fewer = _fewer(middle["original_alpha"])
        size = "larger" if result.config.alpha > result.config.alpha_original else "smaller"
        more = (
            f"at the same share of the stability limit, so that is not a {size} step"
            if result.config.equal == "margin"
            else f"a {size} α is nearly a {size} step; an equal stability margin shows what else "
            "it is"
        )
        parts.append(f"The original network with α alone takes {fewer} the one without: {more}.")
    if "narrow_random" in middle:
        fewer = _fewer(middle["narrow_random"])
        parts.append(
            f"The narrow network with random start takes {fewer} the original: the narrow "
            "width makes steps cheap, and the singular vectors make them count."
        )
    return parts


def _missing(result: Attribution, rung: Rung) -> str:
    if rung.reached == result.seeds:
        return ""
    seeds = f"{result.seeds - rung.reached} of {result.seeds} seeds"
    if result.seeds == 1:
        seeds = "its seed"
    return f"The {traits.full_name(rung.network)} did not reach {_aim(result.level)} in {seeds}."


def _aim(level: str) -> str:
    if level == STOP:
        return "the training loss at which it stops"
    return words.raised(f"an error of {level}")


def _fewer(times: float) -> str:
    """A ratio of steps, to be followed by the network it compares with."""
    return words.ratio(times, "fewer steps than", "more steps than", "as many steps as")
