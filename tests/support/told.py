"""Told: every sentence of a story read back and held against the records of the run.

A sentence that no pattern reads is an error, so that no kind of sentence goes unchecked. What the
records show is computed here anew: a mode has risen in the first record with half of its goal.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from dynamics.core import traits
from dynamics.core.config import Config
from dynamics.core.records import Array, Trajectory
from dynamics.core.words import brief, duration, raised, value
from dynamics.findings.failures import Failure

NUMBER = r"([\d.,]+(?:\s×\s10[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)?|10[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)"
NAME = r"(?P<network>[\w α,-]+ network)"
Check = Callable[["Told", Trajectory, re.Match[str]], bool]


@dataclass(frozen=True)
class Told:
    """A finished run and its failures."""

    config: Config
    trajectories: Mapping[str, Trajectory]
    failed: list[Failure]

    def hold(self, sentences: list[str]) -> None:
        """Each sentence agrees with the records, and none that the records call for is missing."""
        kinds: dict[str, set[str]] = {}
        for sentence in sentences:
            kind, network = self._held(sentence)
            kinds.setdefault(kind, set()).add(network)
        sound = {
            name: each
            for name, each in self.trajectories.items()
            if np.isfinite(each.series["train_loss"][-1])
        }
        assert kinds.get("reached", set()) == set(sound)
        assert kinds.get("plateau", set()) == {name for name in sound if self.rose_here(name)}
        assert kinds.get("unseen", set()) == {name for name in sound if self.unseen(name)}
        assert kinds.get("late", set()) == {name for name in sound if self.waiting(name)}

    def _held(self, sentence: str) -> tuple[str, str]:
        for kind, (pattern, check) in KINDS.items():
            match = re.fullmatch(pattern.replace("NAME", NAME).replace("NUMBER", NUMBER), sentence)
            if match:
                name = match.groupdict().get("network", "")
                network = _networks(self).get(name.removeprefix("The "), "")
                own = self.trajectories[network or next(iter(self.trajectories))]
                assert check(self, own, match), (kind, sentence)
                return kind, network
        raise AssertionError(f"no pattern reads: {sentence}")

    def goals(self, network: str) -> Array:
        """s_i, or the singular values of a noisy full target."""
        facts = self.trajectories[network].facts
        rank = self.config.rank
        if self.config.problem == "factorization":
            rows, cols = self.config.shape
            return np.array(facts["surrogate_singular_values"][:rank]) * rows * cols
        return np.array(facts["target_singular_values"][:rank])

    def modes(self, network: str) -> Array:
        """The values of the modes, records × modes."""
        own = self.trajectories[network].series
        name = "mode_values" if "mode_values" in own else "singular_values"
        return np.asarray(own[name][:, : len(self.goals(network))])

    def risen(self, network: str, share: float = 0.5) -> list[int]:
        """Numbers of the first records with a share of a goal, of the modes that reach it."""
        above = self.modes(network) >= share * self.goals(network)[: self.modes(network).shape[1]]
        return sorted(int(column.argmax()) for column in above.T if column.any())

    def rose_here(self, network: str) -> bool:
        """Whether a mode rose after the network had started."""
        return any(at > 0 for at in self.risen(network))

    def waiting(self, network: str) -> bool:
        """Whether a mode for which there is room never rose."""
        return self.never(network) > 0

    def never(self, network: str) -> int:
        """How many modes for which there is room never rose."""
        room = len(self.goals(network))
        if traits.network(network).narrow:
            room = min(room, self.config.rank_bound)
        above = self.modes(network)[:, :room] >= 0.5 * self.goals(network)[:room]
        return room - int(above.any(axis=0).sum())

    def unseen(self, network: str) -> bool:
        """Whether the network fits what it saw and not the matrix."""
        own = self.trajectories[network].series
        if self.config.problem == "factorization" or "recovery_error" not in own:
            return False
        losses = own["train_loss"]
        return bool(losses[-1] < 1e-6 * losses[0] and own["recovery_error"][-1] > 1e-2)


def _networks(told: Told) -> dict[str, str]:
    return {traits.full_name(name): name for name in told.trajectories}


def _reached(told: Told, own: Trajectory, match: re.Match[str]) -> bool:
    name = match["error"].replace(" ", "_")
    return (
        match["value"] == brief(own.series[name][-1])
        and value(match["steps"]) == own.steps[-1]
        and match["time"] == raised(duration(own.seconds[-1]))
    )


def _changed(told: Told, own: Trajectory, match: re.Match[str]) -> bool:
    return match["step"].replace(",", "") in re.findall(r"(\d+):", told.config.changes)


def _plateau(told: Told, own: Trajectory, match: re.Match[str]) -> bool:
    """The first rise and the last lie between the records around them, and so many rose."""
    records = [at for at in told.risen(own.network) if at > 0]
    more = match["more"]
    count = 0 if more is None else int(more)
    around = [(records[0], match["first"])]
    if count:
        around.append((records[-1], match["last"]))
    times = all(
        own.steps[at - 1] - 0.5 <= value(step) <= own.steps[at] + 0.5 for at, step in around
    )
    return times and count == len(records) - 1 and _apart(told, own, match["how"] or "")


def _apart(told: Told, own: Trajectory, how: str) -> bool:
    """Whether each mode has nearly risen before the next one rises, or none has."""
    goals, modes = told.goals(own.network), told.modes(own.network)
    goals = goals[: modes.shape[1]]
    half = [(modes[:, i] >= 0.5 * goals[i]).argmax() for i in range(len(goals))]
    rose = [i for i in np.argsort(half, kind="stable") if (modes[:, i] >= 0.5 * goals[i]).any()]
    pairs = [(one, other) for one, other in pairwise(rose) if half[one] > 0]
    ended = [(modes[:, one] >= 0.9 * goals[one]).argmax() for one, _ in pairs]
    begun = [(modes[:, other] >= 0.1 * goals[other]).argmax() for _, other in pairs]
    if "of its own" in how:  # a record's distance is left open
        return all(half[other] + 1 >= end for (_, other), end in zip(pairs, ended, strict=True))
    if "merged" in how:
        return all(start <= end + 1 for start, end in zip(begun, ended, strict=True))
    return True


def _early(told: Told, own: Trajectory, match: re.Match[str]) -> bool:
    return int(match["count"]) == sum(at == 0 for at in told.risen(own.network))


def _never(told: Told, own: Trajectory, match: re.Match[str]) -> bool:
    count = int(match["count"] or 1)
    total = int(match["all"] or 1)
    ahead = match["expected"] is None or value(match["expected"]) > own.steps[-1]
    right = count == told.never(own.network) and total == len(told.goals(own.network))
    return right and ahead and value(match["end"]) == own.steps[-1]


def _unseen(told: Told, own: Trajectory, match: re.Match[str]) -> bool:
    rows, cols = told.config.shape
    free = told.config.rank * (rows + cols - told.config.rank)
    return told.unseen(own.network) and (
        match["free"] is None or int(match["free"].replace(",", "")) == free
    )


def _lowest(told: Told, own: Trajectory, match: re.Match[str]) -> bool:
    losses = own.series["test_loss"]
    best = int(np.nanargmin(losses))
    times = match["times"] is None or match["times"] == brief(losses[-1] / losses[best])
    return times and value(match["step"]) == own.steps[best] and losses[-1] > losses[best]


def _diverged(told: Told, own: Trajectory, match: re.Match[str]) -> bool:
    above = match["ratio"] is None or value(match["ratio"]) >= 1
    ended = not np.isfinite(own.series["train_loss"][-1])
    return ended and above and value(match["step"]) == own.steps[-1]


def _rose(told: Told, own: Trajectory, match: re.Match[str]) -> bool:
    at = int(np.flatnonzero(own.steps == value(match["step"]))[0])
    first = max(each.series["train_loss"][0] for each in told.trajectories.values())
    return bool(own.series["train_loss"][at] > 2 * first)


def _room(told: Told, own: Trajectory, match: re.Match[str]) -> bool:
    values = np.array(own.facts["target_singular_values"])
    bound = told.config.rank_bound
    least = np.linalg.norm(values[bound:]) / np.linalg.norm(values)
    errors = own.series["recovery_error"]
    counts = (int(match["bound"]), int(match["lost"]), int(match["rank"]))
    right = counts == (bound, told.config.rank - bound, told.config.rank)
    return bool(right and match["least"] == brief(least) and np.nanmin(errors) > 0.999 * least)


def _stuck(told: Told, own: Trajectory, match: re.Match[str]) -> bool:
    """The lowest loss of the last 30 % of the steps when the failure showed."""
    (step,) = (each.step for each in told.failed if each.sentence == match[0])
    lately = (own.steps <= step) & (own.steps > 0.7 * step)
    return match["loss"] == brief(float(own.series["train_loss"][lately].min()))


def _gain(told: Told, own: Trajectory, match: re.Match[str]) -> bool:
    errors = told.trajectories["original"].series["recovery_error"]
    at = int((errors <= value(match["level"])).argmax())
    ours = told.trajectories["compressed"].series["recovery_error"]
    reached = told.trajectories["original"].steps[at] == value(match["step"])
    return bool(reached and not (ours <= value(match["level"])).any())


def _rates(told: Told, own: Trajectory, match: re.Match[str]) -> bool:
    return value(match["own"]) > value(match["other"])


def _listed(told: Told, own: Trajectory, match: re.Match[str]) -> bool:
    return any(each.sentence == match[0] for each in told.failed)


def _short(told: Told, own: Trajectory, match: re.Match[str]) -> bool:
    """A network trained for less than a fifth of a second, at least up to the error compared."""
    return "original" in told.trajectories


KINDS: dict[str, tuple[str, Check]] = {
    "changed": (r"From step (?P<step>[\d,]+) on: .+\.", _changed),
    "reached": (
        r"The NAME reached a (?P<error>recovery error|test loss|train loss) of (?P<value>.+) in "
        r"(?P<steps>[\d,]+) steps? and (?P<time>.+) of training\.",
        _reached,
    ),
    "lead": (r"To an error of .+ the compressed network took .+\.", _short),  # see test_story
    "short": (r"Training was too short to compare seconds\.", _short),
    "seconds": (r"In seconds of this run both .+\.|Its training took .+\.", _short),
    "rates": (
        r"The compressed network used α = (?P<own>\S+), the original α₀ = (?P<other>\S+)\. "
        r"Use .+\.",
        _rates,
    ),
    "early": (
        r"(?P<count>\d+) modes? of the NAME had risen in the original before it began\.",
        _early,
    ),
    "plateau": (
        r"The (?:first|next) mode of the NAME was half grown at step (?P<first>[\d,]+)"
        r"(?:, and no other rose after it|; (?P<more>\d+) more modes? rose (?P<how>.*)"
        r"by step (?P<last>[\d,]+)(?:: their plateaus merged)?)\.",
        _plateau,
    ),
    "late": (
        r"(?:The only mode|(?P<count>\d+) of the (?P<all>\d+) modes) of the NAME had not risen by "
        r"its last step, (?P<end>[\d,]+)"
        r"(?:; theory expects the last at about step (?P<expected>[\d,]+))?\.",
        _never,
    ),
    "unseen": (
        r"The NAME fits what it was shown but not the rest of the matrix: .*?"
        r"(?:has (?P<free>[\d,]+) free parameters?, so .+)?\.",
        _unseen,
    ),
    "lowest": (
        r"The test loss of the NAME was lowest at step (?P<step>[\d,]+)(?: and rose a little after "
        r"it|, and (?P<times>.+) times that in the end: .+)\.",
        _lowest,
    ),
    "diverged": (
        r"The NAME diverged by step (?P<step>[\d,]+): "
        r"(?:η was (?P<ratio>.+) times .+|a smaller .+)\.",
        _diverged,
    ),
    "rose": (
        r"The training loss of the NAME rose to more than twice its start by step "
        r"(?P<step>[\d,]+): .+\.",
        _rose,
    ),
    "room": (
        r"r̂ = (?P<bound>\d+) has no room for (?P<lost>\d+) of the (?P<rank>\d+) modes: the error "
        r"of the NAME cannot fall below (?P<least>.+)\.",
        _room,
    ),
    "stuck": (r"The NAME is stuck at a training loss of (?P<loss>.+?)(?: \(.+\))?: .+\.", _stuck),
    "unsettled": (r"The NAME is stuck, its training loss does not settle.*\.", _listed),
    "used": (r"The NAME uses .+, and its training loss .+\.", _listed),
    "gain": (
        r"No gain: the original network reached an error of (?P<level>.+) by step "
        r"(?P<step>[\d,]+), .+\.",
        _gain,
    ),
}
