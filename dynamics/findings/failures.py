"""Failures: how a run fails, named at the record at which the failure shows.

Each check is a few comparisons of numbers that are recorded anyway, so a worker makes all checks at
every record. A check's docstring states its condition; its sentence ends with what would help. The
program has no other thresholds of failure: ``story`` reports what these checks find.
"""

import functools
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from dynamics.core import registry, traits
from dynamics.core.config import Config
from dynamics.core.records import Array, Record
from dynamics.core.sizes import curvature, seen
from dynamics.core.traits import full_name
from dynamics.core.words import brief, raised
from dynamics.theory.escapes import incrementality
from dynamics.theory.forecast import Forecast, forecast
from dynamics.theory.prediction import Facts, Known

DIVERGING, NO_ROOM, PLATEAU = "diverging", "no room", "plateau"
NO_GAIN, MERGING, OVERFITTING = "no gain", "merging", "overfitting"

# A training loss above this many times the first one has risen. Below its stability limit, descent
# only lowers the loss.
RISEN = 2.0
# Share by which a training loss must fall to count as moving.
STILL = 0.01
# A loss is still if it last moved before this share of the steps. The test loss of an overfitted
# network was lowest before this share of the steps.
LATELY = 0.7
# Least number of records without movement after which a loss is still.
FEWEST = 20
# A loss above this many times the lowest loss that theory allows is stuck. Theory knows that lowest
# loss to a factor of about two.
ABOVE = 10.0
# After this many times the steps of the last expected escape, no further mode is expected.
LATE = 1.5
# Share of the first loss below which training has begun, if no escape is known.
BEGUN = 0.9
# Share of the first loss below which a loss is never called stuck.
LEFT = 1e-4
# A mode in use has at least this share of the largest singular value.
USED = 0.05
# A mode in use has grown to at least this many times its start.
GROWN = 10.0
# Recovery errors at which both networks are compared.
LEVELS = (0.5, 0.1, 0.01, 1e-3)
# A compressed network is behind if it takes more than this many times the original's steps.
AFTER = 1.1
# Shares of a mode's goal. A rise is timed from the first to the last.
SHARES = (0.1, 0.5, 0.9)
# J below which modes merge.
MERGED = 1.0
# Least ratio of the largest goal to the smallest, because nearly equal modes rise together in any
# network.
DISTINCT = 1.2
# A test loss above this many times its lowest value has risen. A noisy test loss rises by less
# without any trend.
WORSE = 1.05


@dataclass(frozen=True)
class Failure:
    """One failure of one network, the step at which it shows, and a sentence."""

    name: str
    network: str
    step: int
    sentence: str

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> "Failure | None":
        """A failure from a status file; None if its kind is unknown.

        Older runs store only the step and the sentence.
        """
        if "name" in stored:
            return cls(**stored)
        networks = {full_name(name): name for name in registry.options("networks")}
        for name, pattern in _OLDER.items():
            match = re.match(pattern, stored["sentence"])
            if match and match[1] in networks:
                return cls(name, networks[match[1]], stored["step"], stored["sentence"])
        return None


# How each failure's sentence begins in older runs.
_OLDER = {
    DIVERGING: r"The (.+) diverges: ",
    NO_ROOM: r"All \d+ modes of the (.+) are in use",
    PLATEAU: r"The (.+) comes no lower than",
    NO_GAIN: r"No gain: the (original network)",
    MERGING: r"The modes of the (.+) rose together",
    OVERFITTING: r"The (.+) overfits: ",
}


@dataclass
class History:
    """What the checks remember about one network's records."""

    goals: Array
    steps: list[int] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    tests: list[float] = field(default_factory=list)
    best: int = 0  # number of the record with the lowest test loss
    moved: int = 0  # number of the record at which the training loss last fell by the share STILL
    below: dict[float, int] = field(default_factory=dict)  # first step at or below each of LEVELS
    start: Array = field(default_factory=lambda: np.empty(0))  # the first singular values
    values: Array = field(default_factory=lambda: np.empty(0))  # the newest singular values
    reached: Array = field(default_factory=lambda: np.empty((0, 0)))  # steps to SHARES × modes

    def add(self, record: Record) -> None:
        """Take a record; a mode reaches a share at a step interpolated between two records."""
        values = record.values
        now = np.asarray(values.get("singular_values", np.empty(0)))
        count = min(len(self.goals), len(now))
        if not self.steps:
            self.start = now
            self.reached = np.full((len(SHARES), count), np.nan)
        else:
            self._time_rises(record.step, now[:count])
        self.values = now
        self.steps.append(record.step)
        self.losses.append(float(values["train_loss"]))
        self.tests.append(float(values.get("test_loss", math.nan)))
        if self.losses[-1] < (1 - STILL) * self.losses[self.moved]:
            self.moved = len(self.losses) - 1
        if not self.tests[self.best] <= self.tests[-1]:
            self.best = len(self.tests) - 1
        error = float(values.get("recovery_error", math.nan))
        for level in LEVELS:
            if error <= level:
                self.below.setdefault(level, record.step)

    def _time_rises(self, step: int, now: Array) -> None:
        levels = np.outer(SHARES, self.goals[: len(now)])
        passed = np.isnan(self.reached) & (now >= levels)  # False where ``now`` is NaN
        if passed.any():
            before = self.values[: len(now)]
            share = (levels - before) / np.maximum(now - before, 1e-300)
            between = self.steps[-1] + np.clip(share, 0, 1) * (step - self.steps[-1])
            self.reached[passed] = between[passed]

    @property
    def still(self) -> bool:
        """Whether the training loss did not move over the last 30 % of the steps."""
        since = self.steps[self.moved]
        return len(self.steps) - self.moved > FEWEST and since <= LATELY * self.steps[-1]


class Watch:
    """The failures of one run, found in its records as they arrive.

    Args:
        config: the settings of the run.
        facts: the facts of the run's layout.
    """

    def __init__(self, config: Config, facts: Mapping[str, Sequence[Any]]) -> None:
        self.config = config
        self.histories: dict[str, History] = {}
        self.found: dict[tuple[str, str], Failure] = {}
        self._facts = Facts.of(facts)

    @functools.cached_property
    def forecast(self) -> Forecast:
        """What theory expects of the run."""
        return forecast(self.config, self._facts)

    @functools.cached_property
    def goals(self) -> Array:
        """s_i; empty if the target is not known."""
        known = self._facts.target_singular_values
        return Known.of(self.config, self._facts).goals if known else np.empty(0)

    def see(self, records: Mapping[str, Record]) -> list[Failure]:
        """Take one record of each network that still trains; returns the failures that are new."""
        # The records of a network that starts late have no seconds until it starts.
        records = {
            name: record for name, record in records.items() if math.isfinite(record.seconds)
        }
        for network, record in records.items():
            self.histories.setdefault(network, History(self.goals)).add(record)
        new = []
        for network in records:
            for name, check in CHECKS.items():
                if (DIVERGING, network) in self.found:
                    break  # whatever shows later follows from the divergence
                sentence = "" if (name, network) in self.found else raised(check(self, network))
                if sentence:
                    step = self.histories[network].steps[-1]
                    new.append(Failure(name, network, step, sentence))
                    self.found[name, network] = new[-1]
        return new

    def ratio(self, network: str) -> float:
        """η/η* of a network; 0 if the limit is not known, or if η changes during the run."""
        changing = any(change.rates for change in self.config.schedule)
        return 0.0 if changing else self.forecast.ratio(network) or 0.0

    def broken(self, network: str) -> bool:
        """Whether the training loss is not finite, or is above RISEN times the first loss."""
        # A network that starts during the run begins with a loss near zero.
        first = max(history.losses[0] for history in self.histories.values())
        return not self.histories[network].losses[-1] <= RISEN * first

    @property
    def noise(self) -> float:
        """The training loss of the true matrix, which is due to noise alone."""
        unit = curvature(self.config) if seen(self.config) == "sums" else 1.0
        return unit * self.config.noise**2 / 2


def diverging(watch: Watch, network: str) -> str:
    """The training loss is not finite, or has risen to twice the loss at the start."""
    if not watch.broken(network):
        return ""
    ratio = watch.ratio(network)
    if ratio > 1:
        return f"The {full_name(network)} diverges: η is {ratio:.3g} times its limit η*; lower η."
    return f"The {full_name(network)} diverges: lower η, or use a smaller α for both networks."


def stuck(watch: Watch, network: str) -> str:
    """The training loss is still, above ten times its floor, and no further mode is expected."""
    history = watch.histories[network]
    expected = watch.forecast.networks[network]
    loss = history.losses[history.moved]
    floor = expected.floor.value
    if floor is None or not history.still:
        return ""
    if loss < max(ABOVE * max(floor, watch.noise), LEFT * history.losses[0]):
        return ""
    escapes = [step for step in expected.escapes.value or () if math.isfinite(step)]
    if history.steps[-1] < LATE * max(escapes, default=0):
        return ""
    if not escapes and (loss > BEGUN * history.losses[0] or np.isnan(history.reached[1]).any()):
        return ""
    advice = "more depth L, a larger ε or other seeds may help"
    ratio = watch.ratio(network)
    if ratio > 1:
        advice = f"η is {ratio:.3g} times its limit η*; lower η"
    return (
        f"The {full_name(network)} is stuck at a training loss of {brief(loss)} "
        f"(reachable: {brief(floor)}): {advice}."
    )


def crowded(watch: Watch, network: str) -> str:
    """All r̂ modes of a compressed network are in use, and its loss is still and above the noise."""
    config = watch.config
    history = watch.histories[network]
    values = history.values[: config.rank_bound]
    loss = history.losses[-1]
    if not traits.network(network).narrow or len(values) < config.rank_bound:
        return ""
    if values[-1] < max(USED * values[0], GROWN * history.start[len(values) - 1]):
        return ""
    if loss < max(ABOVE * watch.noise, LEFT * history.losses[0]) or not history.still:
        return ""
    return (
        f"All {config.rank_bound} modes of the {full_name(network)} are in use and its training "
        f"loss is stuck at {brief(loss)}: r̂ is below the rank; raise r̂."
    )


def behind(watch: Watch, network: str) -> str:
    """The compressed network has not reached an error within 1.1 times the original's steps."""
    if network != "original" or "compressed" not in watch.histories:
        return ""
    ours, theirs = watch.histories["compressed"], watch.histories["original"]
    late = [
        (level, step)
        for level, step in theirs.below.items()
        if theirs.steps[-1] >= AFTER * step > 0 and level not in ours.below
    ]
    if not late or watch.broken("compressed"):
        return ""
    level, step = late[0]
    return (
        f"No gain: the original network reached an error of {level:g} by step {step:,}, the "
        "compressed one has not yet; check r̂, α and L."
    )


def merging(watch: Watch, network: str) -> str:
    """Modes of different s_i have all risen, each before the previous had risen: all J_i < 1."""
    history = watch.histories[network]
    low, half, high = history.reached
    goals = history.goals[: len(high)]
    if len(high) < 2 or np.isnan(high).any() or goals[0] < DISTINCT * goals[-1]:
        return ""
    rises = high - low
    resolved = rises.max() >= 2 * (history.steps[-1] - history.steps[-2])
    if watch.ratio(network) > 1 or not resolved:
        return ""
    order = np.argsort(half, kind="stable")
    if incrementality(half[order], np.maximum(rises[order], 1e-300)).max() >= MERGED:
        return ""
    return (
        f"The modes of the {full_name(network)} rose together, not one by one: their plateaus "
        "merge at this ε; a smaller ε or more depth L separates them."
    )


def overfitting(watch: Watch, network: str) -> str:
    """The test loss is 5 % above its minimum, the minimum lies in the first 70 % of the steps, and
    the training loss has fallen since."""
    history = watch.histories[network]
    if seen(watch.config) == "all" or math.isnan(history.tests[-1]):
        return ""
    best = history.best
    lowest = history.tests[best]
    early = history.steps[best] < LATELY * history.steps[-1]
    risen = history.tests[-1] > WORSE * lowest > LEFT * history.tests[0]
    if not (risen and early) or history.losses[-1] >= history.losses[best]:
        return ""
    return (
        f"The {full_name(network)} overfits: its test loss was lowest at step "
        f"{history.steps[best]:,} and rises; stop early, or lower r̂."
    )


CHECKS: dict[str, Callable[[Watch, str], str]] = {
    DIVERGING: diverging,
    NO_ROOM: crowded,
    PLATEAU: stuck,
    NO_GAIN: behind,
    MERGING: merging,
    OVERFITTING: overfitting,
}
