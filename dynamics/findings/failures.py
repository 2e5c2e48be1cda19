"""Failures: how a run fails, named at the record at which the failure shows.

Each check is a few comparisons of numbers that are recorded anyway, so a worker makes all checks at
every record. A check's docstring states its condition; its sentence ends with what would help. A
failure stands until a later record disproves it. The program has no other thresholds of failure:
``story`` reports what these checks find.
"""

import functools
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from dynamics.core import registry, traits
from dynamics.core.config import Config
from dynamics.core.records import Array, Record
from dynamics.core.sizes import curvature, enough_seen, held_out, seen
from dynamics.core.traits import full_name
from dynamics.core.words import all_its, brief, plain, raised
from dynamics.findings.history import LATELY, WORSE, History
from dynamics.theory.escapes import incrementality
from dynamics.theory.forecast import Forecast, forecast
from dynamics.theory.prediction import Facts, Known

DIVERGING, NO_ROOM, PLATEAU = "diverging", "no room", "plateau"
NO_GAIN, MERGING, OVERFITTING = "no gain", "merging", "overfitting"

# A training loss above this many times the first one has risen. Below its stability limit, descent
# only lowers the loss.
RISEN = 2.0
# A loss above this many times the lowest loss that theory allows is stuck. Theory knows that lowest
# loss to a factor of about two.
ABOVE = 10.0
# After this many times the steps of the last expected escape, no further mode is expected.
LATE = 1.5
# Share of the first loss below which training has begun, if no escape is known.
BEGUN = 0.9
# Share of the first loss below which a loss is never called stuck.
LEFT = 1e-4
# A mode in use has at least this share of its goal, or of the largest singular value if no goal is
# known.
HALF = 0.5
USED = 0.05
# A mode in use has grown to at least this many times its start.
GROWN = 10.0
# A compressed network is behind if it takes more than this many times the original's steps.
AFTER = 1.1
# J below which modes merge.
MERGED = 1.0
# Least ratio of the largest goal to the smallest, because nearly equal modes rise together in any
# network.
DISTINCT = 1.2
# A rise is timed if it takes at least this many records.
RESOLVED = 2
# Below this many times its lowest value, a test loss is back at it.
BACK = 1.02


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
        """Take one record of each network that still trains; returns the failures that stand now.

        They are in the order in which they showed. A failure that the records disprove is
        withdrawn; it may show again later.
        """
        # The records of a network that starts late have no seconds until it starts.
        records = {
            name: record for name, record in records.items() if math.isfinite(record.seconds)
        }
        for network, record in records.items():
            self.histories.setdefault(network, History(self.goals)).add(record)
        for failure in list(self.found.values()):
            if CHECKS[failure.name].disproved(self, failure):
                del self.found[failure.name, failure.network]
        if records:
            step = max(record.step for record in records.values())
            for network in self.histories:
                self._check(network, step)
        return list(self.found.values())

    def _check(self, network: str, step: int) -> None:
        for name, check in CHECKS.items():
            if self.stands(DIVERGING, network):
                return  # whatever shows later follows from the divergence
            sentence = "" if self.stands(name, network) else raised(check.sentence(self, network))
            if sentence:
                self.found[name, network] = Failure(name, network, step, sentence)

    def stands(self, name: str, network: str) -> bool:
        """Whether a network has shown this failure, and no later record has disproved it."""
        return (name, network) in self.found

    def ratio(self, network: str) -> float:
        """η/η* in the last step of a network; 0 if unknown. See ``limit_ratio``."""
        return limit_ratio(self.forecast, network, self.histories[network].steps[-1])

    def broken(self, network: str, risen: float = RISEN) -> bool:
        """Whether the training loss is not finite, or is above ``risen`` times the first loss."""
        # A network that starts during the run begins with a loss near zero.
        first = max(history.losses[0] for history in self.histories.values())
        return not self.histories[network].losses[-1] <= risen * first

    def steady_since(self, network: str) -> int:
        """The step from which the loss is still and the rates are the same."""
        history = self.histories[network]
        changes = [
            change.step for change in self.config.schedule if change.step < history.steps[-1]
        ]
        return max([history.steps[history.moved], *changes])

    def rise(self, network: str) -> float:
        """Steps that the slowest mode takes to rise at the rates in force; 0 if unknown."""
        rises = [*filter(math.isfinite, self.forecast.networks[network].rises.value or ())]
        start = self.forecast.ratio(network) or 0.0
        now = self.ratio(network)
        return max(rises, default=0.0) * (start / now if start and now else 1.0)

    @property
    def noise(self) -> float:
        """The training loss of the true matrix, which is due to noise alone."""
        unit = curvature(self.config) if seen(self.config) == "sums" else 1.0
        return unit * self.config.noise**2 / 2


def limit_ratio(predicted: Forecast, network: str, step: int) -> float:
    """η/η* by the rates that led to ``step``; 0 if unknown.

    It is unknown for optimizers that rescale the gradient, because η* is a limit of plain steps.
    """
    if traits.optimizer(predicted.config.optimizer).inertia is None:
        return 0.0
    return predicted.ratio(network, max(step - 1, 0)) or 0.0


def diverging(watch: Watch, network: str) -> str:
    """The training loss is not finite, or has risen to twice the loss at the start."""
    if not watch.broken(network):
        return ""
    ratio = watch.ratio(network)
    name = full_name(network)
    if ratio > 1:
        return f"The {name} diverges: η is {plain(ratio)} times its limit η*; lower η."
    return f"The {name} diverges: lower η, or use a smaller α."


def stuck(watch: Watch, network: str) -> str:
    """The training loss is still, above ten times its floor, and no further mode is expected."""
    history = watch.histories[network]
    if not history.still:
        return ""
    floor = watch.forecast.networks[network].floor.value
    if floor is None and watch.ratio(network) <= 1:
        return ""
    loss = history.level
    if loss < max(ABOVE * max(floor or 0.0, watch.noise), LEFT * history.losses[0]):
        return ""
    if _may_move(watch, network):
        return ""
    reachable = "" if floor is None else f" (reachable: {brief(floor)})"
    name = full_name(network)
    if _unsettled(watch, network):
        ratio = watch.ratio(network)
        why = f"η is {plain(ratio)} times its limit η*; lower η" if ratio > 1 else "lower η"
        return f"The {name} is stuck, its training loss does not settle{reachable}: {why}."
    ways = _ways_out(watch)
    return f"The {name} is stuck at a training loss of {brief(loss)}{reachable}: {ways} may help."


def _unsettled(watch: Watch, network: str) -> bool:
    """Whether η is above its limit, or the training loss bounced since it last reached a low."""
    history = watch.histories[network]
    return watch.ratio(network) > 1 or history.bounced > history.moved


def _may_move(watch: Watch, network: str) -> bool:
    """Whether a mode may still be on its way: one that theory expects, or any if theory is silent.

    A loss is also given the steps that the slowest mode needs to rise at the rates in force.
    """
    history = watch.histories[network]
    expected = watch.forecast.networks[network]
    escapes = expected.escapes.value or (math.nan,)
    last = max(filter(math.isfinite, escapes), default=0.0)
    now = history.steps[-1]
    if now < LATE * last or now - watch.steady_since(network) < watch.rise(network):
        return True
    begun = history.level <= BEGUN * history.losses[0]
    risen = begun and not np.isnan(history.reached[1]).any()
    return any(map(math.isnan, escapes)) and not risen


def _ways_out(watch: Watch) -> str:
    """What may help a stuck network; the opposite of no other advice."""
    ways = []
    if enough_seen(watch.config):
        ways.append("more depth L")
    if not any(name == MERGING for name, _ in watch.found):
        ways.append("a larger ε")
    return " or ".join([*([", ".join(ways)] if ways else []), "other seeds"])


def crowded(watch: Watch, network: str) -> str:
    """All r̂ modes of a narrow network have risen, its loss is still and above the noise, and r̂ is
    below the rank, or no rank is known and the network neither overfits nor bounces. Not said where
    classes are told apart: W may have no further mode to learn."""
    bound = watch.config.rank_bound
    history = watch.histories[network]
    problem = traits.problem(watch.config.problem)
    known = problem.low_rank
    roomy = problem.classifies or (known and watch.config.rank <= bound)
    if roomy or not traits.network(network).narrow:
        return ""
    if not _in_use(history, bound) or not history.still or watch.broken(network):
        return ""
    loss = history.level
    if loss < max(ABOVE * watch.noise, LEFT * history.losses[0]):
        return ""
    start = f"The {full_name(network)} uses {all_its(bound, 'mode')}, and its training loss "
    if known:
        rank = watch.config.rank
        return f"{start}is stuck at {brief(loss)}: r̂ = {bound} is below the rank {rank}; raise r̂."
    if watch.stands(OVERFITTING, network) or _unsettled(watch, network):
        return ""
    return f"{start}no longer falls below {brief(loss)}: with a larger r̂ it may fit more."


def _in_use(history: History, bound: int) -> bool:
    """Whether all r̂ modes have risen: to half of their goals if goals are known."""
    values = history.values[:bound]
    goals = history.goals[:bound]
    if len(values) < bound:
        return False
    if len(goals) == bound:
        return bool((values >= HALF * goals).all())
    return bool(values[-1] >= max(USED * values[0], GROWN * history.start[bound - 1]))


def behind(watch: Watch, network: str) -> str:
    """The compressed network has not reached an error within 1.1 times the original's steps."""
    if network != "original" or "compressed" not in watch.histories:
        return ""
    ours, theirs = watch.histories["compressed"], watch.histories["original"]
    newest = max(ours.steps[-1], theirs.steps[-1])
    late = [
        (level, step)
        for level, step in theirs.below.items()
        if newest >= AFTER * step > 0 and level not in ours.below
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
    if low.min() <= history.steps[0]:
        return ""  # they began to rise before the first record, in the original or by a large start
    rises = high - low
    steps = np.array(history.steps)
    between = np.diff(steps)[steps[:-1] < high.max()].max()  # the widest, up to the last rise
    resolved = rises.min() >= RESOLVED * between
    if not resolved or watch.stands(PLATEAU, network):
        return ""
    order = np.argsort(half, kind="stable")
    merged = incrementality(half[order], rises[order]).max() < MERGED
    if not merged or watch.ratio(network) > 1:
        return ""
    # A network that is stuck has been told that a larger ε may help.
    ways = [] if any(name == PLATEAU for name, _ in watch.found) else ["a smaller ε"]
    ways += ["more depth L"] * enough_seen(watch.config)
    apart = f"; {' or '.join(ways)} separates them" if ways else ""
    return (
        f"The modes of the {full_name(network)} rose together, not one by one: their plateaus "
        f"merge at this ε{apart}."
    )


def overfitting(watch: Watch, network: str) -> str:
    """The test loss is 5 % above its minimum, the minimum lies in the first 70 % of the steps, and
    the training loss has kept falling since."""
    history = watch.histories[network]
    if not held_out(watch.config) or math.isnan(history.tests[-1]):
        return ""
    best = history.best
    lowest = history.tests[best]
    early = history.steps[best] < LATELY * history.steps[-1]
    risen = history.tests[-1] > WORSE * lowest > LEFT * history.tests[0]
    if not (risen and early and history.kept_falling):
        return ""
    config = watch.config
    problem = traits.problem(config.problem)
    # That a narrower network fits less of the noise is known of matrices alone.
    roomy = not problem.low_rank or config.rank_bound > config.rank
    roomy = roomy and not problem.classifies
    advice = "stop early"
    if traits.network(network).narrow and roomy:
        advice = "stop early, or lower r̂"
    return (
        f"The {full_name(network)} overfits: its test loss was lowest at step "
        f"{history.steps[best]:,} and rises; {advice}."
    )


def _came_back(watch: Watch, failure: Failure) -> bool:
    """The training loss is below the loss at the start again."""
    return not watch.broken(failure.network, 1.0)


def _moves_again(watch: Watch, failure: Failure) -> bool:
    """The training loss has reached a new low since, or diverges."""
    fell = watch.histories[failure.network].fell_after(failure.step)
    return fell or watch.broken(failure.network)


def _has_room(watch: Watch, failure: Failure) -> bool:
    """The same, or, without a known rank, the test loss shows that less room would be better."""
    known = traits.problem(watch.config.problem).low_rank
    overfits = not known and watch.stands(OVERFITTING, failure.network)
    return overfits or _moves_again(watch, failure)


def _caught_up(watch: Watch, failure: Failure) -> bool:
    """The compressed network has reached the level, or diverges."""
    return behind(watch, failure.network) != failure.sentence


def _diverges(watch: Watch, failure: Failure) -> bool:
    """The network diverges; nothing else undoes a rise that is over."""
    return watch.broken(failure.network)


def _carries_over(watch: Watch, failure: Failure) -> bool:
    """The test loss is back at its lowest value, or the training loss has risen above the one it
    had there, so that something else than fitting raised the test loss."""
    history = watch.histories[failure.network]
    back = history.tests[-1] <= BACK * history.tests[history.best]
    fitted = history.losses[-1] < history.losses[history.best]
    return history.steps[history.best] > failure.step or back or not fitted


class Check(NamedTuple):
    """How a failure is found, and what withdraws it."""

    sentence: Callable[[Watch, str], str]  # empty if the network does not fail so
    disproved: Callable[[Watch, Failure], bool]


CHECKS: dict[str, Check] = {
    DIVERGING: Check(diverging, _came_back),
    NO_ROOM: Check(crowded, _has_room),
    PLATEAU: Check(stuck, _moves_again),
    NO_GAIN: Check(behind, _caught_up),
    MERGING: Check(merging, _diverges),
    OVERFITTING: Check(overfitting, _carries_over),
}
