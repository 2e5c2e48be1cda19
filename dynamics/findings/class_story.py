"""Class story: what happened in a run that tells classes apart, in sentences."""

import math
from collections.abc import Iterator, Sequence

import numpy as np

from dynamics.core import traits
from dynamics.core.config import Config
from dynamics.core.records import TAIL, Array, Trajectory, tail_mean
from dynamics.core.sizes import widths
from dynamics.core.traits import full_name
from dynamics.core.words import brief, count, duration, ratio
from dynamics.findings.classes import named
from dynamics.findings.outcomes import (
    SHORT,
    common_level,
    late,
    timed,
    until_accuracy,
)
from dynamics.theory.course import expected
from dynamics.theory.plateau import OVER, latest
from dynamics.theory.prediction import SMALL_W, Facts

USED = 0.05  # share of the largest singular value from which a direction is in use
LOST = 0.02  # fall of the held-out accuracy that is told
LEARNED = 0.01  # least rise of the training accuracy meanwhile


def sentences(config: Config, trajectories: Sequence[Trajectory]) -> Iterator[str]:
    """Sentences on networks that have not diverged, the comparison first."""
    yield from _accuracies(trajectories)
    yield from _cheapest(trajectories)
    yield from _layered(trajectories)
    names = {each.network for each in trajectories}
    own = [each for each in trajectories if traits.network(each.network).like not in names]
    for trajectory in own:  # layer by layer it would be the same again
        yield from _plateau(config, trajectory)
    for trajectory in own:
        yield from _directions(trajectory)
    for trajectory in own:
        yield from _memorised(config, trajectory)


def left_plateau(trajectory: Trajectory) -> float | None:
    """The step at which the loss had fallen by 10 % of ln K; None if it never had.

    It is interpolated between two records; 0 if the start was as good already.
    """
    classes = len(trajectory.facts["classes"])
    fallen = 1 - trajectory.series["train_loss"] / math.log(classes)
    at = int(np.argmax(fallen >= OVER))
    if not fallen[at] >= OVER:
        return None
    around = slice(max(0, at - 1), at + 1)
    return float(np.interp(OVER, fallen[around], trajectory.steps[around])) if at else 0.0


def in_use(values: Array) -> int:
    """How many directions of W are in use: σ_i of at least USED times the largest."""
    return int((values >= USED * values.max()).sum()) if values.max() > 0 else 0


def smoothed(values: Array) -> Array:
    """The mean of each value and the TAIL − 1 before it, from the TAIL-th one on."""
    sums = np.cumsum(np.concatenate([[0.0], values]))
    return np.asarray((sums[TAIL:] - sums[:-TAIL]) / TAIL)


def _settled(trajectory: Trajectory) -> float:
    """The mean accuracy of the last TAIL records, of a network that has not diverged."""
    return tail_mean(trajectory.series["accuracy"]) or 0.0


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _the(trajectory: Trajectory) -> str:
    return f"the {full_name(trajectory.network)}"


def _listed(parts: Sequence[str]) -> str:
    *first, last = parts
    return f"{', '.join(first)} and {last}" if first else last


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]


def _accuracies(trajectories: Sequence[Trajectory]) -> Iterator[str]:
    """The mean accuracies of the last records, the best first."""
    if not trajectories:
        return
    best = sorted(trajectories, key=_settled, reverse=True)
    records = min(TAIL, *(len(each.steps) for each in trajectories))
    parts = [f"{_percent(_settled(each))} for {_the(each)}" for each in best]
    which = f"mean accuracy of the last {records} records" if records > 1 else "accuracy"
    yield f"The {which} on held-out images is {_listed(parts)}."


def _cheapest(trajectories: Sequence[Trajectory]) -> Iterator[str]:
    """What each network took to an accuracy that all of them reached, the least first."""
    raced = timed(trajectories)
    level = common_level(raced)
    if len(raced) < 2 or level is None:
        return
    costs = {each.network: until_accuracy(each, level) for each in raced}
    order = sorted(raced, key=lambda each: costs[each.network]["operations"])
    measured = all(costs[each.network]["seconds"] >= SHORT for each in raced)

    def told(each: Trajectory) -> str:
        cost = costs[each.network]
        seconds = f", {duration(cost['seconds'])}" if measured else ""
        steps = count(cost["steps"], "step")
        return f"{_the(each)} {steps} and {brief(cost['operations'])} operations{seconds}"

    first, *others = order
    yield (
        f"An accuracy of {100 * level:.0f} % took {_the(first)} the fewest operations: "
        f"{told(first).removeprefix(f'{_the(first)} ')}; {_listed(list(map(told, others)))}."
    )


def _layered(trajectories: Sequence[Trajectory]) -> Iterator[str]:
    """What the original network saves if it is evaluated as one matrix."""
    pair = {each.network: each for each in trajectories}
    if not {"original", "original_layered"} <= {*pair}:
        return
    whole, layered = pair["original"], pair["original_layered"]
    if whole.steps[-1] != layered.steps[-1] or not whole.operations[-1] or late(whole):
        return
    saved = layered.operations[-1] / whole.operations[-1]
    work = ratio(saved, "fewer operations than", "more operations than", "as many operations as")
    yield f"As one matrix the original network took {work} layer by layer, for the same steps."


def _plateau(config: Config, trajectory: Trajectory) -> Iterator[str]:
    """When the network began to learn, beside the forecast where there is one."""
    if len(widths(config, trajectory.network)) == 2:
        return  # a single factor waits for nothing
    end = left_plateau(trajectory)
    facts = Facts.of(trajectory.facts)
    course = expected(config, facts).get(trajectory.network)
    foretold = course.plateau[-1] if course and course.plateau else None
    if foretold is None or not math.isfinite(foretold):
        return
    about = "" if course and course.standing == SMALL_W else " about"
    name = _capital(_the(trajectory))
    if end is None:
        if foretold > trajectory.steps[-1]:
            yield (
                f"{name} has not left its plateau: that takes{about} {foretold:,.0f} steps by the "
                f"forecast, and the run has {trajectory.steps[-1]:,.0f}."
            )
        return
    bound = latest(config, facts, trajectory.network) if config.backbone_rate else math.inf
    most = f", and at most{about} {bound:,.0f}, as when the backbone learns nothing meanwhile"
    yield (
        f"The loss of {_the(trajectory)} had fallen by 10 % at step {end:,.0f}; the forecast from "
        f"the first gradient was{about} {foretold:,.0f}{most if math.isfinite(bound) else ''}."
    )


def _directions(trajectory: Trajectory) -> Iterator[str]:
    """How many directions are in use at the end, and which classes they tell apart."""
    vectors = trajectory.series.get("class_vectors")
    if vectors is None or left_plateau(trajectory) is None:
        return
    values = trajectory.series["singular_values"][-1]
    number = in_use(values)
    classes = list(trajectory.facts["classes"])
    names = [named(vector, classes) for vector in vectors[-1][: min(number, 3)]]
    names = [name for name in names if name]
    told = f"; the largest {'tell' if len(names) > 1 else 'tells'} apart {'; '.join(names)}"
    yield (
        f"{_capital(_the(trajectory))} uses {number} of the {count(len(values), 'direction')} of W"
        f"{told if names else ''}."
    )


def _memorised(config: Config, trajectory: Trajectory) -> Iterator[str]:
    """The held-out accuracy that stopping in time would have saved."""
    held = trajectory.series["accuracy"]
    train = trajectory.series.get("train_accuracy")
    if len(held) <= TAIL or train is None:
        return
    means, learned = smoothed(held), smoothed(train)
    best = int(np.argmax(means))
    if means[best] - means[-1] < LOST or learned[-1] - learned[best] < LEARNED:
        return
    step = trajectory.steps[best + TAIL - 1]
    what = "it learned training images by heart"
    if config.label_noise:
        what = f"it learned labels by heart, {_percent(config.label_noise)} of which are wrong"
    yield (
        f"The held-out accuracy of {_the(trajectory)} was highest about step {step:,.0f}, "
        f"{_percent(means[best])}, and is {_percent(means[-1])} in the end, while its accuracy on "
        f"training images rose from {_percent(learned[best])} to {_percent(learned[-1])}: {what}."
    )
