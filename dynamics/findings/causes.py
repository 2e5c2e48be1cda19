"""Causes: what the lead of a compressed head is made of where classes are told apart.

Each cause has two networks that differ by it alone. Its factor is the cost of the one without it,
divided by the cost of the one with it, on the way to an accuracy. The factors of a chain of causes
multiply to the whole lead over the wide head layer by layer, exactly.
"""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from dynamics.core import traits, words
from dynamics.core.config import SEEDS, SETTINGS, Config
from dynamics.core.records import Array, Trajectory
from dynamics.core.seeds import spread
from dynamics.findings.attribution import COUNTERS, MOST_SEEDS, Mask, agreed, scattered
from dynamics.findings.outcomes import SHORT

# A cause, the network without it and the one with it. From the first to the last:
CHAIN = (
    ("wide head as one matrix", "original_layered", "original"),
    ("narrow width", "original", "narrow_random"),
    ("spectral start", "narrow_random", "compressed_even"),
    ("α", "compressed_even", "compressed"),
)
WHOLE = ("all together", "original_layered", "compressed")
ALPHA = ("α in the wide head", "original", "original_alpha")
PLAIN = ("against the plain layer", "plain", "compressed")
Pair = tuple[str, str, str]
FINEST = 60  # records of a run, at least, so that its steps to an accuracy are not too coarse
STEPS, OPERATIONS = (COUNTERS.index(name) for name in ("steps", "operations"))
EVEN = 1.05  # a factor between 1/EVEN and EVEN is told as 1, as in ``words.ratio``


@dataclass(frozen=True)
class Split:
    """What an accuracy cost each network.

    Attributes:
        config: the settings of the first seed.
        accuracy: the held-out accuracy until which costs are counted.
        costs: by network, steps, operations and seconds of training, seeds × 3; NaN for a seed
            in which the network did not reach the accuracy, or had it at its start.
        seeds: number of runs, one for each seed.
    """

    config: Config
    accuracy: float
    costs: Mapping[str, Array]
    seeds: int

    @property
    def chain(self) -> tuple[Pair, ...]:
        """The causes that multiply to the whole lead."""
        return pairs(self.config)[0]

    @property
    def pairs(self) -> tuple[Pair, ...]:
        """All pairs of networks that are compared: the chain, the whole, and what stands beside."""
        chain, beside = pairs(self.config)
        return (*chain, WHOLE, *beside)

    def reached(self, network: str) -> Mask:
        """Mask of the seeds in which a network reached the accuracy."""
        return np.isfinite(self.costs[network][:, 0])

    @property
    def whole(self) -> Mask:
        """Mask of the seeds that count for the chain: all its networks reached the accuracy."""
        names = {name for _, *two in self.chain for name in two}
        return np.all([self.reached(name) for name in names], axis=0)

    def counted(self, pair: Pair) -> Mask:
        """Mask of the seeds that count for a pair."""
        _, before, after = pair
        in_chain = pair in (*self.chain, WHOLE)
        return self.whole if in_chain else self.reached(before) & self.reached(after)

    def factors(self, pair: Pair) -> Array:
        """A pair's factors in each seed that counts: seeds × counters."""
        _, before, after = pair
        seeds = self.counted(pair)
        return np.asarray(self.costs[before][seeds] / self.costs[after][seeds])

    def middle(self, pair: Pair) -> Array:
        """A pair's factors of the medians over seeds; NaN if no seed counts."""
        _, before, after = pair
        seeds = self.counted(pair)
        if not seeds.any():
            return np.full(len(COUNTERS), np.nan)
        first, last = (np.median(self.costs[name][seeds], axis=0) for name in (before, after))
        return np.asarray(first / last)

    def clear(self, pair: Pair) -> Mask:
        """Whether each factor of a pair is more than noise, see ``Attribution.clear``."""
        if not self.counted(pair).any():
            return np.zeros(len(COUNTERS), bool)
        clear = agreed(self.factors(pair))
        clear[-1] &= not self.short
        return clear

    @property
    def short(self) -> bool:
        """Whether a network trained too short a time for its seconds to mean much."""
        seconds = [costs[self.reached(name), -1] for name, costs in self.costs.items()]
        return bool(np.concatenate(seconds).min(initial=np.inf) < SHORT)


def pairs(config: Config) -> tuple[tuple[Pair, ...], tuple[Pair, ...]]:
    """The chain of causes, and the pairs that are compared beside it.

    If α = α₀, without the networks that would equal another one.
    """
    if config.alpha != config.alpha_original:
        return CHAIN, (ALPHA, PLAIN)
    *first, (cause, before, _), _ = CHAIN
    return (*first, (cause, before, "compressed")), (PLAIN,)


def networks(config: Config) -> tuple[str, ...]:
    """The networks to train, the wide head layer by layer first."""
    chain, beside = pairs(config)
    return tuple(dict.fromkeys(name for _, *two in (*chain, *beside) for name in two))


def refusal(config: Config) -> str:
    """The reason, in one sentence, why a config has no attribution; empty if it has one."""
    if config.place != "head":
        return f"There is no attribution in the place {config.place}, only in the head."
    if config.late:
        return "There is no attribution where the compressed network starts during the run."
    return ""


def ladder(config: Config, seeds: int) -> list[Config]:
    """The config of each seed, with all networks, everything drawn anew, and enough records.

    Raises:
        ValueError: if the number of seeds is out of range, or see ``refusal``.
    """
    if why := refusal(config):
        raise ValueError(why)
    if not 1 <= seeds <= MOST_SEEDS:
        raise ValueError(f"An attribution takes 1 to {MOST_SEEDS} seeds; {seeds} were given.")
    most = min(SETTINGS[name].high for name in SEEDS) + 1
    return [
        dataclasses.replace(
            config,
            networks=networks(config),
            record_every=min(config.record_every, max(1, config.steps // FINEST)),
            sharpness=0,
            **{name: (getattr(config, name) + number) % most for name in SEEDS},
        )
        for number in range(seeds)
    ]


def goal(level: str) -> float | None:
    """The accuracy of a level; None, the highest that all reach, for an empty text.

    Raises:
        ValueError: if it is no accuracy.
    """
    if not level:
        return None
    try:
        accuracy = float(level)
    except ValueError:
        accuracy = math.nan
    if not 0 < accuracy < 1:
        raise ValueError(
            "Where classes are told apart, a level is an accuracy between 0 and 1; "
            f"{level!r} was given."
        )
    return accuracy


def split(config: Config, runs: Sequence[Sequence[Trajectory]], level: str = "") -> Split:
    """The costs of the networks in finished runs, one run a seed.

    Without a ``level`` it is the largest whole per cent that every network of every seed had, but
    for those that diverged.

    Raises:
        ValueError: if the level is no accuracy.
    """
    accuracy = goal(level)
    if accuracy is None:
        courses = [each.series["accuracy"] for run in runs for each in run]
        best = [course.max() for course in courses if np.isfinite(course).all()]
        accuracy = float(np.floor(min(best, default=0.0) * 100)) / 100
    costs: dict[str, list[Array]] = {name: [] for name in networks(config)}
    for run in runs:
        known = {each.network: each for each in run}
        for name, rows in costs.items():
            rows.append(_costs(known[name], accuracy))
    return Split(config, accuracy, {name: np.array(costs[name]) for name in costs}, len(runs))


def _costs(trajectory: Trajectory, accuracy: float) -> Array:
    there = np.flatnonzero(trajectory.series["accuracy"] >= accuracy)
    if not len(there) or trajectory.steps[there[0]] == 0:
        return np.full(len(COUNTERS), np.nan)
    return np.array([float(getattr(trajectory, name)[there[0]]) for name in COUNTERS])


def table(found: Split) -> list[list[str]]:
    """Texts: a head, a row for each network, then a row for each pair of networks.

    Beside a network's median cost are the quartiles over seeds, beside a factor the least and the
    greatest.
    """
    head = ["network or cause", "from", "to", "reached"]
    head += [f"{name}{part}" for name in COUNTERS for part in ("", " over seeds")]
    rows = [[*head, *(f"fewer {name} by" for name in COUNTERS)]]
    for name, costs in found.costs.items():
        reached = found.reached(name)
        cells = [traits.short_name(name), "", "", f"{reached.sum()} of {found.seeds}"]
        for counter in range(len(COUNTERS)):
            known = costs[reached, counter]
            cells += scattered(known) if len(known) else ["not reached", ""]
        rows.append([*cells, *[""] * len(COUNTERS)])
    for pair in found.pairs:
        name, *two = pair
        counts = f"{found.counted(pair).sum()} of {found.seeds}"
        factors = [factor(found, pair, counter) for counter in range(len(COUNTERS))]
        blank = [""] * 2 * len(COUNTERS)
        rows.append([name, *map(traits.short_name, two), counts, *blank, *factors])
    return rows


def factor(found: Split, pair: Pair, counter: int) -> str:
    """A pair's factor, and in brackets the least and the greatest over seeds."""
    factors = found.factors(pair)[:, counter]
    if not len(factors):
        return "not reached"
    low, high = f"{factors.min():.2f}", f"{factors.max():.2f}"
    return f"{found.middle(pair)[counter]:.2f} ×" + (f" ({low} to {high})" if low != high else "")


def to_dict(found: Split) -> dict[str, object]:
    """The result for JSON: the costs of each network by seed, and the factors of each pair.

    A value is null if the accuracy was not reached.
    """

    def plain(costs: Array) -> dict[str, list[float | None]]:
        columns = zip(COUNTERS, costs.T.tolist(), strict=True)
        return {
            name: [value if math.isfinite(value) else None for value in column]
            for name, column in columns
        }

    def told(pair: Pair) -> dict[str, object]:
        _, before, after = pair
        middle, clear, seeds = found.middle(pair), found.clear(pair), found.factors(pair)
        numbers = {
            name: {
                "factor": float(middle[i]),
                "seeds": seeds[:, i].tolist(),
                "quartiles": spread(seeds[:, i]),
                "clear": bool(clear[i]),
            }
            if len(seeds)
            else None
            for i, name in enumerate(COUNTERS)
        }
        return {"from": before, "to": after, **numbers}

    return {
        "accuracy": found.accuracy,
        "seeds": found.seeds,
        "whole_seeds": int(found.whole.sum()),
        "costs": {name: plain(costs) for name, costs in found.costs.items()},
        "causes": {pair[0]: told(pair) for pair in found.pairs},
    }


def sentences(found: Split) -> list[str]:
    """The result in sentences: first what the compressed head gains over the plain layer."""
    parts = [_against_plain(found), *_evaluated(found)]
    if found.whole.any():
        for column, counter in enumerate(COUNTERS[:2] if found.short else COUNTERS):
            told = ", ".join(_share(found, pair, column) for pair in found.chain)
            whole = words.plain(found.middle(WHOLE)[column])
            parts.append(f"In {counter} ({whole} × over the wide head layer by layer): {told}.")
    return [*parts, *_alpha(found), *_method(found), *_missing(found)]


def aim(found: Split) -> str:
    """The accuracy in words."""
    return f"an accuracy of {100 * found.accuracy:.10g} %"


def _against_plain(found: Split) -> str:
    seeds = found.counted(PLAIN).sum()
    if not seeds:
        return (
            f"In no seed did both the plain layer and the compressed head reach {aim(found)}, so "
            "they are not compared."
        )
    over = f"Over {seeds} seeds" if seeds > 1 else "With one seed"
    middle = found.middle(PLAIN)
    gain = middle[OPERATIONS] > EVEN and found.clear(PLAIN)[OPERATIONS]
    first = "The compressed head gains over the plain layer here" if gain else (
        "There is no gain over the plain layer"
    )  # fmt: skip
    return (
        f"{first}. {over}, to {aim(found)} on held-out images, the compressed head took "
        f"{_less(middle[STEPS], 'steps')} and {_less(middle[OPERATIONS], 'operations')}."
    )


def _less(times: float, what: str) -> str:
    return words.ratio(times, f"fewer {what}", f"more {what}", f"as many {what}", EVEN)


def _evaluated(found: Split) -> list[str]:
    """How much of the lead over the wide head is the way in which that is evaluated."""
    if not found.whole.any():
        return [f"In no seed did all networks reach {aim(found)}, so the lead is not split."]
    evaluated, whole = (found.middle(pair)[OPERATIONS] for pair in (found.chain[0], WHOLE))
    said = []
    if whole > EVEN and evaluated > whole**0.5:
        said.append("Most of the lead over the wide head is the way it is evaluated, not its "
                    "compression.")  # fmt: skip
    if whole <= EVEN:
        said.append("The compressed head has no lead in operations over the wide head either.")
    return [
        *said,
        "To evaluate the wide head as one matrix takes the same steps, but for rounding, and "
        f"{evaluated:.2f} times fewer operations; all causes together make {whole:.2f}.",
    ]


def _share(found: Split, pair: Pair, column: int) -> str:
    """What a cause gave, in words."""
    cause = f"the {pair[0]}".replace("the α", "α")
    told = factor(found, pair, column)
    if found.clear(pair)[column] or found.middle(pair)[column] == 1:
        times, _, ranged = told.partition(" (")
        return f"{times} from {cause}{f' ({ranged}' if ranged else ''}"
    return f"no clear effect of {cause} ({told.replace(' (', ', ').rstrip(')')})"


def _alpha(found: Split) -> list[str]:
    if ALPHA not in found.pairs or not found.counted(ALPHA).any():
        return []
    times = found.middle(ALPHA)[STEPS]
    less = words.ratio(times, "fewer steps than", "more steps than", "as many steps as", EVEN)
    size = "larger" if found.config.alpha > found.config.alpha_original else "smaller"
    return [
        f"The wide head with α alone took {less} the one without: a {size} α is nearly a {size} "
        "step, for any head."
    ]


def _method(found: Split) -> list[str]:
    """How costs were counted, and what is noise."""
    apart = words.count(ladder(found.config, 1)[0].record_every, "step")
    parts = [
        "Factors are those of medians over seeds, in brackets the least and the greatest; below 1 "
        f"a cause costs more than it saves. Costs are read at records, {apart} apart."
    ]
    if found.seeds == 1:
        parts[0] = (
            "Below 1 a cause costs more than it saves. Costs are read at records, "
            f"{apart} apart. One seed cannot show what is noise."
        )
    if found.short:
        parts.append("Training was too short to compare seconds: they are mostly noise.")
    return parts


def _missing(found: Split) -> list[str]:
    """Sentences on the networks that have no cost in some seeds."""
    parts = []
    for name in found.costs:
        if lost := int((~found.reached(name)).sum()):
            seeds = f"{lost} of {found.seeds} seeds" if found.seeds > 1 else "its seed"
            parts.append(
                f"The {traits.full_name(name)} did not reach {aim(found)} in {seeds}, or had it at "
                "its start."
            )
    return parts
