"""Attribution: the causes of the compressed network's lead, and the share of each.

The original and the compressed network differ by three causes: the spectral start, the narrow width
and α. A network is trained for every subset of them. An order takes the causes one after another. A
cause's factor in an order is the cost of the network before it, divided by the cost of the network
with it. A factor depends on the order; the product of an order's factors does not: it is the whole
lead.

A cause's share is the geometric mean of its factors over all orders, which is the Shapley value of
the logarithm of the cost (Shapley 1953). The product of the shares is the whole lead too, exactly,
for every seed and for the medians over seeds.
"""

import dataclasses
import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from dynamics.core import traits, words
from dynamics.core.config import SEEDS, SETTINGS, Config
from dynamics.core.records import Array, Trajectory
from dynamics.core.seeds import spread
from dynamics.findings.outcomes import DECADES, SHORT

COUNTERS = ("steps", "operations", "seconds")
START, WIDTH, ALPHA = CAUSES = ("spectral start", "narrow width", "α")
NETWORKS = {  # by name, its causes: all subsets of the three
    "original": (),
    "original_spectral": (START,),
    "compressed_even": (START, WIDTH),
    "compressed": (START, WIDTH, ALPHA),
    "original_alpha": (ALPHA,),
    "original_spectral_alpha": (START, ALPHA),
    "narrow_random": (WIDTH,),
    "narrow_random_alpha": (WIDTH, ALPHA),
}
STOP = "stop"
LEVELS = (*(f"{level:.0e}".replace("e-0", "e-") for level in DECADES), STOP)
MOST_SEEDS = 20
AGREE = 0.9  # share of the seeds that must be on one side of 1 for an effect to be clear
EVEN = 1e-9  # relative distance from 1 up to which a factor is 1
Causes = frozenset[str]
Mask = NDArray[np.bool_]
Order = tuple[str, ...]


@dataclass(frozen=True)
class Corner:
    """One network of the cube of causes.

    Attributes:
        network: name of the network.
        causes: the differences from the original network.
        costs: steps, operations and seconds of training until the level, seeds × 3; NaN for a seed
            that did not reach the level.
    """

    network: str
    causes: Causes
    costs: Array

    @property
    def reached(self) -> Mask:
        """Mask of the seeds that reached the level, and not at step 0 already."""
        return np.isfinite(self.costs[:, 0]) & (self.costs[:, 0] > 0)


@dataclass(frozen=True)
class Attribution:
    """The costs of all networks of the cube, and the shares of the causes.

    Seeds and orders count if they are whole: if all networks of the order reached the level in the
    seed. The order that is whole in the most seeds says which seeds count; every order that is
    whole in all of these counts.

    Attributes:
        config: the settings of the first seed.
        level: the recovery error until which costs are counted, or ``stop``.
        corners: the networks, the original first.
        seeds: number of runs, one for each seed.
    """

    config: Config
    level: str
    corners: tuple[Corner, ...]
    seeds: int

    @property
    def causes(self) -> Order:
        """The causes, in the order of ``CAUSES``; without α if α = α₀."""
        return tuple(
            cause for cause in CAUSES if any(cause in corner.causes for corner in self.corners)
        )

    @property
    def ends(self) -> tuple[Corner, Corner]:
        """The original and the compressed network."""
        return self.corners[0], max(self.corners, key=lambda corner: len(corner.causes))

    @property
    def all_orders(self) -> list[Order]:
        """The orders in which the causes can be taken: 6, or 2 if α = α₀."""
        return list(itertools.permutations(self.causes))

    @cached_property
    def _whole(self) -> tuple[Mask, tuple[Order, ...]]:
        """Mask of the seeds that count, and the orders that count; no order if no seed is whole."""
        reached = {corner.causes: corner.reached for corner in self.corners}
        whole = {
            order: np.all([reached[causes] for causes in _chain(order)], axis=0)
            for order in self.all_orders
        }
        best = max(whole.values(), key=lambda mask: int(mask.sum()))
        if not best.any():
            return best, ()
        return best, tuple(order for order, mask in whole.items() if mask[best].all())

    @property
    def whole(self) -> Mask:
        """Mask of the seeds that count."""
        return self._whole[0]

    @property
    def orders(self) -> tuple[Order, ...]:
        """The orders that count."""
        return self._whole[1]

    @cached_property
    def factors(self) -> Array:
        """The shares of the causes in each seed that counts: seeds × causes × counters."""
        costs = {corner.causes: corner.costs[self.whole] for corner in self.corners}
        return np.moveaxis(shares(by_order(costs, self.orders, self.causes)), 0, 1)

    @cached_property
    def of_orders(self) -> Array:
        """The factors of the medians over seeds in each order: orders × causes × counters."""
        return by_order(self._medians, self.orders, self.causes)

    @property
    def middle(self) -> Array:
        """The shares of the medians over seeds: causes × counters."""
        return shares(self.of_orders)

    @property
    def total(self) -> Array:
        """The whole lead, of the medians over seeds: an entry for each counter."""
        first, last = self.ends
        return np.asarray(self._medians[first.causes] / self._medians[last.causes])

    @property
    def _medians(self) -> dict[Causes, Array]:
        return {
            corner.causes: np.asarray(np.median(corner.costs[self.whole], axis=0))
            for corner in self.corners
        }

    @property
    def short(self) -> bool:
        """Whether a network that counts trained too short a time for its seconds to mean much."""
        counted = {causes for order in self.orders for causes in _chain(order)}
        seconds = [
            corner.costs[self.whole, -1] for corner in self.corners if corner.causes in counted
        ]
        return not seconds or bool(np.min(seconds) < SHORT)

    @property
    def clear(self) -> Mask:
        """Whether each effect is more than noise: (causes and the whole lead) × counters.

        It is if at least nine in ten seeds agree on whether it saves or costs. Seconds after short
        training are noise.
        """
        factors = np.concatenate([self.factors, self.factors.prod(axis=1, keepdims=True)], axis=1)
        clear = agreed(factors)
        clear[:, -1] &= not self.short
        return clear

    def against_original(self, corner: Corner) -> Array:
        """Cost of the original / cost of the network: seeds in which both reached × counters."""
        both = self.corners[0].reached & corner.reached
        return np.asarray(self.corners[0].costs[both] / corner.costs[both])


def _chain(order: Order) -> list[Causes]:
    """The networks that an order passes, as sets of causes, from the original on."""
    return [frozenset(order[:count]) for count in range(len(order) + 1)]


def by_order(costs: Mapping[Causes, Array], orders: Sequence[Order], causes: Order) -> Array:
    """The factor of each cause in each order: orders × causes × the shape of a cost.

    A factor is the cost of the network before the cause, divided by that of the network with it.
    """
    factors = []
    for order in orders:
        steps = {
            cause: costs[before] / costs[before | {cause}]
            for cause, before in zip(order, _chain(order), strict=False)
        }
        factors.append([steps[cause] for cause in causes])
    return np.array(factors)


def shares(factors: Array) -> Array:
    """The geometric mean over the first axis, the orders; the causes' product stays the same."""
    return np.asarray(np.exp(np.log(factors).mean(axis=0)))


def agreed(factors: Array) -> Mask:
    """Whether nine in ten factors over the first axis, the seeds, are on the same side of 1."""
    above = (factors > 1 + EVEN).mean(axis=0) >= AGREE
    below = (factors < 1 - EVEN).mean(axis=0) >= AGREE
    return np.asarray(above | below, bool)


def networks(config: Config) -> tuple[str, ...]:
    """The networks to train; if α = α₀, without networks that equal another network."""
    if config.alpha != config.alpha_original:
        return tuple(NETWORKS)
    return tuple(name for name in NETWORKS if name not in _TWINS)


# Networks that each equal another network if α = α₀.
_TWINS = ("compressed_even", "original_alpha", "original_spectral_alpha", "narrow_random_alpha")


def ladder(config: Config, seeds: int) -> list[Config]:
    """The config of each seed, with all networks of the cube and with everything drawn anew.

    Raises:
        ValueError: if the number of seeds is not between 1 and MOST_SEEDS, or if the problem has
            no recovery error to reach.
    """
    if traits.problem(config.problem).classifies:
        raise ValueError(f"There is no attribution for {config.problem}: it recovers no matrix.")
    if not 1 <= seeds <= MOST_SEEDS:
        raise ValueError(f"An attribution takes 1 to {MOST_SEEDS} seeds; {seeds} were given.")
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
    """The costs of the networks in finished runs, one run a seed.

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

    def corner(name: str) -> Corner:
        costs = [_costs(run[name], error, config.tolerance) for run in networks_of_runs]
        causes = set(NETWORKS[name]) - ({ALPHA} if config.alpha == config.alpha_original else set())
        return Corner(name, frozenset(causes), np.array(costs).reshape(-1, len(COUNTERS)))

    return Attribution(config, level, tuple(map(corner, networks(config))), len(runs))


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


def table(result: Attribution) -> list[list[str]]:
    """Texts: a head, a row for each network, then a row for each cause.

    Beside a network's median cost are the quartiles over seeds; with fewer than ``FEW`` seeds, the
    costs themselves. A network's factor is against the original, a cause's is its share, with the
    range over the orders.
    """
    head = ["network or cause", "reached"]
    head += [f"{name}{part}" for name in COUNTERS for part in ("", " over seeds")]
    rows = [[*head, *(f"fewer {name} by" for name in COUNTERS)]]
    for corner in result.corners:
        cells = [traits.short_name(corner.network), f"{corner.reached.sum()} of {result.seeds}"]
        costs = corner.costs[np.isfinite(corner.costs[:, 0])]
        for counter in range(len(COUNTERS)):
            cells += scattered(costs[:, counter]) if len(costs) else ["not reached", ""]
        ratios = result.against_original(corner)
        against = corner is not result.corners[0] and len(ratios)
        medians = np.median(ratios, axis=0).tolist() if against else []
        rows.append([*cells, *(f"{times:.2f} ×" for times in medians)])
    if result.orders:
        rows += [
            [cause, f"{len(result.orders)} of {len(result.all_orders)} orders"]
            + [""] * 2 * len(COUNTERS)
            + [f"{_factor(result, place, counter)}" for counter in range(len(COUNTERS))]
            for place, cause in enumerate(result.causes)
        ]
    return [row + [""] * (len(rows[0]) - len(row)) for row in rows]


def scattered(costs: Array) -> list[str]:
    """A median, and the quartiles over seeds; of fewer than FEW seeds, the costs themselves."""
    band = spread(costs)
    scatter = ", ".join(_short(float(cost)) for cost in costs) if len(costs) > 1 else ""
    if band:
        scatter = f"{_short(band[0])} – {_short(band[1])}"
    return [_short(float(np.median(costs))), scatter]


def _factor(result: Attribution, place: int, counter: int) -> str:
    """A cause's share and its range over the orders: ``1.56 × (1.23 to 2.16)``."""
    share = f"{result.middle[place, counter]:.2f} ×"
    ranged = over_orders(result, place, counter)
    return f"{share} ({ranged})" if ranged else share


def counted_orders(result: Attribution) -> str:
    """Which orders the shares are a mean of: ``all 6 orders``, ``both orders``."""
    count, every = len(result.orders), len(result.all_orders)
    if count < every:
        return f"{count} of {every} orders (all that are whole)"
    return f"all {every} orders" if every > 2 else "both orders"


def over_orders(result: Attribution, place: int, counter: int) -> str:
    """The least and the greatest factor of a cause over the orders; empty if they read alike."""
    factors = result.of_orders[:, place, counter]
    low, high = f"{factors.min():.2f}", f"{factors.max():.2f}"
    return f"{low} to {high}" if low != high else ""


def _short(value: float) -> str:
    """A cost with three significant digits, or as a whole number from 1,000 on."""
    if value >= 1e6:
        return f"{value:.2e}".replace("e+0", "e").replace("e+", "e")
    return f"{value:,.0f}" if value >= 1000 or value == int(value) else f"{value:.3g}"


def to_dict(result: Attribution) -> dict[str, object]:
    """The result for JSON: the costs of each network by seed, and the shares of the causes.

    A cause has, for each counter, its ``factor`` (the share), its ``range`` over the orders, its
    factors in the ``seeds`` that count, their ``quartiles`` and whether the effect is ``clear``. A
    value is null if the level was not reached.
    """

    def plain(costs: Array) -> dict[str, list[float | None]]:
        columns = zip(COUNTERS, costs.T.tolist(), strict=True)
        return {
            name: [value if math.isfinite(value) else None for value in column]
            for name, column in columns
        }

    def share(place: int, counter: int) -> dict[str, object]:
        orders = result.of_orders[:, place, counter]
        seeds = result.factors[:, place, counter]
        return {
            "factor": float(result.middle[place, counter]),
            "range": [float(orders.min()), float(orders.max())],
            "seeds": seeds.tolist(),
            "quartiles": spread(seeds),
            "clear": bool(result.clear[place, counter]),
        }

    named = list(enumerate(COUNTERS))
    return {
        "level": result.level,
        "seeds": result.seeds,
        "whole_seeds": int(result.whole.sum()),
        "orders": [list(order) for order in result.orders],
        "networks": {corner.network: sorted(corner.causes) for corner in result.corners},
        "costs": {corner.network: plain(corner.costs) for corner in result.corners},
        "total": {name: float(result.total[i]) for i, name in named} if result.orders else None,
        "causes": {
            cause: {name: share(place, i) for i, name in named} if result.orders else None
            for place, cause in enumerate(result.causes)
        },
    }


def sentences(result: Attribution) -> list[str]:
    """The result in sentences, the lead first."""
    aim = _aim(result.level)
    missing = [sentence for corner in result.corners for sentence in _missing(result, corner)]
    both = result.ends[0].reached & result.ends[1].reached
    if not both.any():
        nothing = f"In no seed did both the original and the compressed network reach {aim}"
        return [f"{nothing}, so there is no lead to split.", *missing]
    if not result.orders:
        nothing = f"In no seed did enough of the networks between the two reach {aim}"
        return [_lead(result, both), f"{nothing}, so the lead is not split.", *missing]
    parts = [_lead(result, result.whole)]
    for column, counter in enumerate(COUNTERS[:2] if result.short else COUNTERS):
        split = ", ".join(_share(result, place, column) for place in range(len(result.causes)))
        parts.append(f"In {counter} ({words.plain(result.total[column])} ×): {split}.")
    if result.short:
        parts.append("Training was too short to compare seconds: they are mostly noise.")
    return [*parts, *_method(result), *_meaning(result), *missing]


def _lead(result: Attribution, seeds: Mask) -> str:
    first, last = (np.median(corner.costs[seeds, 0]) for corner in result.ends)
    over = f"Over {seeds.sum()} seeds" if seeds.sum() > 1 else "With one seed"
    fewer = _fewer(float(first / last))
    return f"{over}, to {_aim(result.level)}, the compressed network took {fewer} the original."


def _share(result: Attribution, place: int, column: int) -> str:
    """What a cause gave, in words: its share, and in brackets the range over the orders."""
    cause = f"the {result.causes[place]}".replace("the α", "α")
    if result.clear[place, column]:
        factor = _factor(result, place, column)
        times, _, ranged = factor.partition(" (")
        return f"{times} from {cause}{f' ({ranged}' if ranged else ''}"
    ranged = over_orders(result, place, column)
    times = f"{result.middle[place, column]:.2f} ×{f', {ranged}' if ranged else ''}"
    return f"no clear effect of {cause} ({times})"


def _method(result: Attribution) -> list[str]:
    """How the shares were made, and what is noise."""
    parts = [
        f"Each factor is the geometric mean over {counted_orders(result)} in which the causes can "
        "be taken, in brackets the least and the greatest. Below 1 a cause costs more than it "
        "saves."
    ]
    if result.whole.sum() == 1:
        parts.append("One seed cannot show what is noise.")
    elif not result.clear[:-1, : 2 if result.short else 3].all():
        parts.append(
            "A cause is clear if at least nine in ten seeds agree on whether it saves or costs."
        )
    return parts


def _meaning(result: Attribution) -> list[str]:
    """What α alone and the narrow width alone do."""
    ratios = {corner.network: result.against_original(corner) for corner in result.corners}
    middle = {name: float(np.median(ratio[:, 0])) for name, ratio in ratios.items() if len(ratio)}
    parts = []
    if result.config.alpha == result.config.alpha_original:
        parts.append("Both use the same α, so α is not part of the lead.")
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
        count = ": the narrow width makes each step cheap, not the steps few"
        count = count if middle["narrow_random"] <= 1 else ""
        parts.append(f"The narrow network with random start takes {fewer} the original{count}.")
    return parts


def _missing(result: Attribution, corner: Corner) -> list[str]:
    """Sentences on the seeds in which a network has no cost."""
    name = traits.full_name(corner.network)
    parts = []
    for mask, verb in (
        (np.isnan(corner.costs[:, 0]), "did not reach"),
        (corner.costs[:, 0] == 0, "started below"),
    ):
        if mask.any():
            seeds = f"{mask.sum()} of {result.seeds} seeds" if result.seeds > 1 else "its seed"
            parts.append(f"The {name} {verb} {_aim(result.level)} in {seeds}.")
    return parts


def _aim(level: str) -> str:
    if level == STOP:
        return "the training loss at which it stops"
    return words.raised(f"an error of {level}")


def _fewer(times: float) -> str:
    """A ratio of steps, to be followed by the network it compares with."""
    return words.ratio(times, "fewer steps than", "more steps than", "as many steps as")
