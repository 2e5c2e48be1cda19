"""Signatures: how a run fails, named at the record at which it shows.

Each check is a few comparisons of numbers that are recorded anyway, so a worker makes all of them
at every record. A check's docstring has its condition; what it says ends in what would help.
"""

import functools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from dynamics.core import traits
from dynamics.core.config import Config
from dynamics.core.records import Array, Record, Trajectory
from dynamics.core.sizes import curvature, seen
from dynamics.core.traits import full_name
from dynamics.core.words import raised
from dynamics.theory.forecast import Forecast, forecast
from dynamics.theory.prediction import Known

RISEN = 2.0  # times the loss of the start: descent below its limit only lowers it
STILL, LATELY, FEWEST = 0.01, 0.7, 20  # share of a loss; of the steps so far; records since then
ABOVE = 10.0  # times the floor, which is known to a factor of two or so
LATE = 1.5  # times the last expected escape, after which no other mode is waited for
BEGUN = 0.9  # share of the first loss below which, if no escape is known, the start is over
LEFT = 1e-4  # share of the first loss below which nothing is called stuck
USED, GROWN = 0.05, 10.0  # of the largest value, and of its own start: a mode that is in use
LEVELS = (0.5, 0.1, 0.01, 1e-3)  # errors to which both networks are timed
AFTER = 1.1  # times the original's steps, after which the compressed network is behind
SHARES = (0.1, 0.5, 0.9)  # of a goal: a rise goes from the first to the last
MERGED, DISTINCT = 1.0, 1.2  # J below which modes merge; times that the goals must be apart
WORSE = 1.05  # times its lowest value, from which on a test loss rises


@dataclass(frozen=True)
class Signature:
    """One failure of one network: what it is called, the step at which it shows, a sentence."""

    name: str
    network: str
    step: int
    sentence: str


@dataclass
class Course:
    """What the checks keep of one network's records."""

    goals: Array
    steps: list[int] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    tests: list[float] = field(default_factory=list)
    best: int = 0  # record of the lowest test loss
    moved: int = 0  # record at which the train loss last came lower, by a share that counts
    below: dict[float, int] = field(default_factory=dict)  # first step at each of LEVELS
    start: Array = field(default_factory=lambda: np.empty(0))  # singular values, then and now
    values: Array = field(default_factory=lambda: np.empty(0))
    reached: Array = field(default_factory=lambda: np.empty((0, 0)))  # SHARES × modes, in steps

    def add(self, record: Record) -> None:
        """Note a record; the step of a share lies between two of them."""
        values = record.values
        now = np.asarray(values.get("singular_values", np.empty(0)))
        count = min(len(self.goals), len(now))
        if not self.steps:
            self.start, self.reached = now, np.full((len(SHARES), count), np.nan)
        else:
            levels = np.outer(SHARES, self.goals[:count])
            passed = np.isnan(self.reached) & (now[:count] >= levels)  # false for what is no number
            if passed.any():
                before = self.values[:count]
                share = (levels - before) / np.maximum(now[:count] - before, 1e-300)
                between = self.steps[-1] + np.clip(share, 0, 1) * (record.step - self.steps[-1])
                self.reached[passed] = between[passed]
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

    @property
    def still(self) -> bool:
        """Whether the train loss has not come lower over the last third of the steps."""
        since = self.steps[self.moved]
        return len(self.steps) - self.moved > FEWEST and since <= LATELY * self.steps[-1]


class Signatures:
    """The signatures of one run, from its settings, the facts of its layout and its records."""

    def __init__(self, config: Config, facts: Mapping[str, Sequence[object]]) -> None:
        self.config = config
        self._facts = {name: facts[name] for name in facts if name != "overlap"}
        self.courses: dict[str, Course] = {}
        self.found: dict[tuple[str, str], Signature] = {}

    @functools.cached_property
    def forecast(self) -> Forecast:
        """What theory expected."""
        return forecast(self.config, self._facts)

    @functools.cached_property
    def goals(self) -> Array:
        """s_i, where the target is known."""
        known = "target_singular_values" in self._facts
        return Known.of(self.config, self._facts).goals if known else np.empty(0)

    def see(self, records: Mapping[str, Record]) -> list[Signature]:
        """Take one record of each network that still trains; gives what it shows for the first
        time."""
        for network, record in records.items():
            self.courses.setdefault(network, Course(self.goals)).add(record)
        new = []
        for network in records:
            for name, check in CHECKS.items():
                if ("diverging", network) in self.found:
                    break  # what follows, follows from it
                sentence = "" if (name, network) in self.found else raised(check(self, network))
                if sentence:
                    step = self.courses[network].steps[-1]
                    new.append(Signature(name, network, step, sentence))
                    self.found[name, network] = new[-1]
        return new

    def ratio(self, network: str) -> float:
        """η/η* of a network; 0 where the limit is not known, or η changes on the way."""
        changing = any(change.rates for change in self.config.schedule)
        return 0.0 if changing else self.forecast.ratio(network) or 0.0

    def broken(self, network: str) -> bool:
        """Whether the train loss is no number, or twice that with which the run began."""
        # A network that starts on the way begins with a loss that is next to nothing.
        first = max(course.losses[0] for course in self.courses.values())
        return not self.courses[network].losses[-1] <= RISEN * first

    @property
    def noise(self) -> float:
        """The train loss that noise leaves to the true matrix."""
        unit = curvature(self.config) if seen(self.config) == "sums" else 1.0
        return unit * self.config.noise**2 / 2


def signatures(config: Config, trajectories: Sequence[Trajectory]) -> list[Signature]:
    """The signatures of a run that is there, in the order in which they showed."""
    watch = Signatures(config, trajectories[0].facts if trajectories else {})
    return [each for records in _records(trajectories) for each in watch.see(records)]


def _records(trajectories: Sequence[Trajectory]) -> Iterator[dict[str, Record]]:
    """The records as they came: one of every network that still trained."""
    rows = [{int(step): row for row, step in enumerate(each.steps)} for each in trajectories]
    for step in sorted(set().union(*rows)):
        yield {
            each.network: Record(
                step, 0, 0, 0, {name: series[at[step]] for name, series in each.series.items()}
            )
            for each, at in zip(trajectories, rows, strict=True)
            if step in at
        }


def diverging(watch: Signatures, network: str) -> str:
    """The train loss is no number, or has risen to twice that of the start."""
    if not watch.broken(network):
        return ""
    ratio = watch.ratio(network)
    if ratio > 1:
        return f"The {full_name(network)} diverges: η is {ratio:.3g} times its limit η*; lower η."
    return f"The {full_name(network)} diverges: lower η, or give both networks a smaller α."


def stuck(watch: Signatures, network: str) -> str:
    """The train loss comes no lower, at ten times its floor or more, and no mode is to come."""
    course, expected = watch.courses[network], watch.forecast.networks[network]
    loss, floor = course.losses[course.moved], expected.floor.value
    if floor is None or not course.still:
        return ""
    if loss < max(ABOVE * max(floor, watch.noise), LEFT * course.losses[0]):
        return ""
    escapes = [step for step in expected.escapes.value or () if math.isfinite(step)]
    if course.steps[-1] < LATE * max(escapes, default=0):
        return ""
    if not escapes and (loss > BEGUN * course.losses[0] or np.isnan(course.reached[1]).any()):
        return ""
    ratio, help_ = watch.ratio(network), "more depth L, a larger ε or other seeds may help"
    if ratio > 1:
        help_ = f"η is {ratio:.3g} times its limit η*; lower η"
    return (
        f"The {full_name(network)} comes no lower than a train loss of "
        f"{loss:.2g}, though noise and ε would allow {floor:.2g}: {help_}."
    )


def crowded(watch: Signatures, network: str) -> str:
    """All r̂ modes of a compressed network are in use, and its loss stands still above noise."""
    config, course = watch.config, watch.courses[network]
    values = course.values[: config.rank_bound]
    loss = course.losses[-1]
    if not traits.network(network).narrow or len(values) < config.rank_bound:
        return ""
    if values[-1] < max(USED * values[0], GROWN * course.start[len(values) - 1]):
        return ""
    if loss < max(ABOVE * watch.noise, LEFT * course.losses[0]) or not course.still:
        return ""
    return (
        f"All {config.rank_bound} modes of the {full_name(network)} are in use and its train loss "
        f"stands still at {loss:.2g}: r̂ is below the rank; raise r̂."
    )


def behind(watch: Signatures, network: str) -> str:
    """The original network came to an error, and the compressed one not by a tenth more steps."""
    if network != "original" or "compressed" not in watch.courses:
        return ""
    ours, theirs = watch.courses["compressed"], watch.courses["original"]
    late = [
        (level, step)
        for level, step in theirs.below.items()
        if theirs.steps[-1] >= AFTER * step > 0 and level not in ours.below
    ]
    if not late or watch.broken("compressed"):
        return ""
    return (
        f"No gain: the original network had an error of {late[0][0]:g} by step {late[0][1]:,}, the "
        "compressed one has not yet; check r̂, α and L."
    )


def merging(watch: Signatures, network: str) -> str:
    """Modes of different s_i have all risen, each before the one before it had: J_i < 1 for all."""
    course = watch.courses[network]
    low, half, high = course.reached
    goals = course.goals[: len(high)]
    if len(high) < 2 or np.isnan(high).any() or goals[0] < DISTINCT * goals[-1]:
        return ""
    resolved = (high - low).max() >= 2 * (course.steps[-1] - course.steps[-2])
    if watch.ratio(network) > 1 or not resolved:
        return ""
    times = sorted(zip(half, high - low, strict=True))
    apart = [(after[0] - now[0]) / max(now[1], 1e-300) for now, after in pairwise(times)]
    if max(apart) >= MERGED:
        return ""
    return (
        f"The modes of the {full_name(network)} rose together, not one by one: their plateaus "
        "merge at this ε; a smaller ε or more depth L sets them apart."
    )


def overfitting(watch: Signatures, network: str) -> str:
    """The test loss is a twentieth above its lowest, a third of the steps ago, while the train loss
    went on down."""
    course = watch.courses[network]
    if seen(watch.config) == "all" or math.isnan(course.tests[-1]):
        return ""
    best = course.best
    low, ago = course.tests[best], course.steps[best] < LATELY * course.steps[-1]
    risen = course.tests[-1] > WORSE * low > LEFT * course.tests[0]
    if not (risen and ago) or course.losses[-1] >= course.losses[best]:
        return ""
    return (
        f"The {full_name(network)} overfits: its test loss was lowest at step "
        f"{course.steps[best]:,} and rises; stop early, or lower r̂."
    )


CHECKS: dict[str, Callable[[Signatures, str], str]] = {
    "diverging": diverging,
    "no room": crowded,
    "plateau": stuck,
    "no gain": behind,
    "merging": merging,
    "overfitting": overfitting,
}
