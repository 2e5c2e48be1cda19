"""Story: what happened in a run and why, in sentences made from its numbers."""

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from dynamics.core import changes, traits
from dynamics.core.config import Config
from dynamics.core.records import Trajectory
from dynamics.core.sizes import enough_seen, freedom, observed, seen, widths
from dynamics.core.traits import full_name
from dynamics.core.words import brief, count, duration, plain, raised, ratio
from dynamics.findings import class_story, failures, validation
from dynamics.findings.classes import ALIKE, named, names_of
from dynamics.findings.failures import Failure
from dynamics.findings.modes import Mode, by_network, incrementality
from dynamics.findings.outcomes import Lead, late
from dynamics.theory.forecast import Forecast, forecast
from dynamics.theory.prediction import Facts

APART = 3.0  # J above which modes rise one by one
EVEN = 1.05  # ratio below which two numbers count as equal
ERRORS = ("recovery_error", "test_loss", "train_loss")  # the first known error is reported
MOST_NAMED = 6  # modes whose names are listed
FITTED = 1e-6  # share of the first training loss below which all observed entries are fitted
UNKNOWN = 1e-2  # recovery error above which the rest of the matrix is not found


def story(
    config: Config, trajectories: Sequence[Trajectory], failed: Sequence[Failure] = ()
) -> list[str]:
    """Sentences on a run that has ended, the outcome first.

    Args:
        config: the settings of the run.
        trajectories: the records of the networks to report on.
        failed: the failures that the run has shown.
    """
    networks = {
        trajectory.network: trajectory for trajectory in trajectories if len(trajectory.steps)
    }
    if not networks:
        return []
    whole = list(networks.values())
    if config.watched:
        return [raised(sentence) for sentence in _recorded(whole)]
    failed = [failure for failure in failed if failure.network in networks]
    predicted = forecast(config, Facts.of(whole[0].facts))
    modes = by_network(config, whole)
    sound = [trajectory for trajectory in whole if np.isfinite(trajectory.series["train_loss"][-1])]
    told = [
        _failure(config, networks[failure.network], failure, predicted)
        for failure in failed
        if failure.name != failures.MERGING
    ]
    if traits.problem(config.problem).classifies:
        sentences = [*_changed(config), *class_story.sentences(config, sound), *told]
        sentences += validation.told(sound)
        return [raised(sentence) for sentence in sentences]
    sentences = [
        *_changed(config),
        *_reached(sound),
        *validation.told_in_stars(sound),
        *validation.told_of_entries(sound),
        *_faster(config, sound),
        *_plateaus(sound, modes, failed),
        *_told_apart(sound, modes),
        *told,
        *_too_short(config, sound, modes),
        *_unseen(config, sound),
    ]
    return [raised(sentence) for sentence in sentences]


def _recorded(trajectories: Sequence[Trajectory]) -> Iterator[str]:
    """What another program's run came to: the last of each number that it gave."""
    first = trajectories[0]
    yield (
        f"Its program made {count(first.steps[-1], 'step')} in {duration(first.seconds[-1])}, "
        f"without the {duration(first.measuring_seconds[-1])} of recording them."
    )
    for trajectory in trajectories:
        for name, values in trajectory.series.items():
            if values.ndim > 1:
                continue
            given = np.flatnonzero(~np.isnan(values))
            if not len(given):
                continue
            last = given[-1]
            words = name.replace("_", " ").capitalize()
            yield f"{words} at step {trajectory.steps[last]:,.0f}: {brief(values[last])}."


def _changed(config: Config) -> Iterator[str]:
    """What changed during the run."""
    compressed = "the compressed network continues from the original"
    for step, label in changes.told(config.schedule, config.rates, compressed):
        yield f"From step {step:,} on: {label}."


def _reached(trajectories: Sequence[Trajectory]) -> Iterator[str]:
    """The last error of each network, and its steps and seconds."""
    for trajectory in trajectories:
        name = next(
            name for name in ERRORS if np.isfinite(trajectory.series.get(name, [np.nan])[-1])
        )
        yield (
            f"The {full_name(trajectory.network)} reached a {name.replace('_', ' ')} of "
            f"{brief(trajectory.series[name][-1])} in {count(trajectory.steps[-1], 'step')} and "
            f"{duration(trajectory.seconds[-1])} of training."
        )


def headline(trajectories: Sequence[Trajectory]) -> str:
    """The compressed network's lead in operations and its parts; empty if there is none to tell."""
    pair = {trajectory.network: trajectory for trajectory in trajectories if len(trajectory.steps)}
    sound = {
        name: each for name, each in pair.items() if np.isfinite(each.series["train_loss"][-1])
    }
    lead = _lead(sound)
    if lead is None or late(sound["compressed"]):
        return ""
    start = ", the SVD included" if sound["compressed"].operations[0] else ""
    return raised(f"{_work(lead)}{start}: {_parts(lead)}")


def _lead(pair: Mapping[str, Trajectory]) -> Lead | None:
    """The compressed network's lead at the last decade that both reached."""
    if not {"original", "compressed"} <= {*pair}:
        return None
    own, other = pair["compressed"], pair["original"]
    if "recovery_error" not in own.series or "recovery_error" not in other.series:
        return None
    return Lead.of(own, other)


def _work(lead: Lead) -> str:
    return ratio(lead.operations, "fewer operations", "more operations", "as many operations")


def _parts(lead: Lead) -> str:
    cost = ratio(lead.cost, "cheaper", "dearer", "")
    return (
        f"{ratio(lead.steps, 'fewer steps', 'more steps', 'as many steps')}"
        f"{f', each {cost}' if cost else ' at the same cost per step'}"
    )


def _faster(config: Config, trajectories: Sequence[Trajectory]) -> Iterator[str]:
    """The compressed network's lead and its parts, at the last decade that both reached."""
    pair = {trajectory.network: trajectory for trajectory in trajectories}
    lead = _lead(pair)
    if lead is None:
        return
    own = pair["compressed"]
    parts, work = _parts(lead), _work(lead)
    start = f"To an error of {brief(lead.level)} the compressed network took {work}"
    if late(own):
        shared = count(own.steps[0], "step")
        yield f"{start}, the {shared} of the original before it included; after them {parts}."
    elif own.operations[0]:
        yield f"{start}, the SVD of its start included: {parts}."
    else:
        yield f"{start}: {parts}."
    if lead.seconds is None:
        yield "Training was too short to compare seconds."
    else:
        yield _seconds(*lead.seconds)
    now = config.after(int(own.steps[0]))
    if now.alpha > now.alpha_original and lead.steps > EVEN:
        yield (
            f"The compressed network used α = {now.alpha:g}, the original α₀ = "
            f"{now.alpha_original:g}. Use the same α for both to see how much of its lead in steps "
            "remains."
        )


def _seconds(low: float, measured: float, high: float) -> str:
    """The sentence on a ratio of seconds and its noise."""
    if low < 1 / EVEN and high > EVEN:
        return "In seconds of this run both took about as long, within the noise of the clock."
    times = ratio(measured, "less time", "more time", "as long")
    low, high = (low, high) if measured > 1 else (1 / high, 1 / low)
    return (
        f"Its training took {times} on this machine; by parts of the run that were fast or slow, "
        f"{brief(low)} to {brief(high)} ×."
    )


def _plateaus(
    trajectories: Sequence[Trajectory],
    modes: Mapping[str, list[Mode]],
    failed: Sequence[Failure],
) -> Iterator[str]:
    """When the first mode rose, and whether the others rose one by one."""
    merged = {failure.network for failure in failed if failure.name == failures.MERGING}
    for trajectory in trajectories:
        own = [mode for mode in modes[trajectory.network] if mode.measured]
        times = sorted(mode.measured for mode in own if mode.measured and not mode.early)
        name = full_name(trajectory.network)
        early = len(own) - len(times)
        if early:
            yield f"{count(early, 'mode')} of the {name} had risen in the original before it began."
        if not times:
            continue
        which = "next" if early else "first"
        start = f"The {which} mode of the {name} was half grown at step {times[0]:,.0f}"
        others = len(times) - 1
        if not others:
            yield f"{start}, and no other rose after it."
            continue
        end = f"by step {times[-1]:,.0f}"
        apart = incrementality(modes[trajectory.network])
        if trajectory.network in merged:
            end = f"together with it, {end}: their plateaus merged"
        elif apart and min(apart) >= APART:
            order = "one after another, each" if others > 1 else "later,"
            end = f"{order} after a plateau of its own, {end}"
        yield f"{start}; {count(others, 'more mode')} rose {end}."


def _told_apart(
    trajectories: Sequence[Trajectory], modes: Mapping[str, list[Mode]]
) -> Iterator[str]:
    """Between which items each mode that rose tells, where items have names."""
    for trajectory in trajectories:
        series, items, groups = names_of(trajectory.facts)
        if series != "item_vectors" or series not in trajectory.series:
            continue
        risen = sorted(
            (mode.measured, mode.number)
            for mode in modes[trajectory.network]
            if mode.measured is not None
        )
        vectors = trajectory.series[series][-1]
        names = {number: named(vectors[number - 1], items, groups) for _, number in risen}
        listed = [
            f"{'what all share' if names[number] == ALIKE else names[number]} (step {step:,.0f})"
            for step, number in risen[:MOST_NAMED]
        ]
        more = len(risen) - len(listed)
        if listed:
            yield (
                f"The {full_name(trajectory.network)} learned, in this order: "
                f"{'; '.join(listed)}{f'; and {more} more' if more else ''}."
            )


def _failure(config: Config, trajectory: Trajectory, failed: Failure, predicted: Forecast) -> str:
    """The sentence on a failure, with the numbers at the run's end."""
    name = full_name(trajectory.network)
    if failed.name == failures.DIVERGING:
        why = "a smaller learning rate η may converge"
        share = failures.limit_ratio(predicted, trajectory.network, failed.step)
        if share > 1:
            why = f"η was {plain(share)} times its stability limit"
        if np.isfinite(trajectory.series["train_loss"][-1]):
            return (
                f"The training loss of the {name} rose to more than twice its start by step "
                f"{failed.step:,}: {why}."
            )
        return f"The {name} diverged by step {trajectory.steps[-1]:,.0f}: {why}."
    if failed.name == failures.NO_ROOM and _low_rank(config):
        return _too_narrow(config, trajectory)
    if failed.name == failures.OVERFITTING:
        return _overfitted(trajectory)
    return failed.sentence


def _low_rank(config: Config) -> bool:
    """Whether the target has a low rank and the compressed network is narrower than that rank."""
    return traits.problem(config.problem).low_rank and config.rank > config.rank_bound


def _too_narrow(config: Config, trajectory: Trajectory) -> str:
    """The sentence on the least error that a network of width r̂ can reach."""
    goals = np.array(trajectory.facts["target_singular_values"]) ** 2
    least = math.sqrt(goals[config.rank_bound :].sum() / goals.sum())
    return (
        f"r̂ = {config.rank_bound} has no room for {config.rank - config.rank_bound} of the "
        f"{config.rank} modes: the error of the {full_name(trajectory.network)} cannot fall below "
        f"{brief(least)}."
    )


def _overfitted(trajectory: Trajectory) -> str:
    """The sentence on the step at which it would have been best to stop."""
    losses = trajectory.series["test_loss"]
    best = trajectory.lowest("test_loss") or 0
    risen = losses[-1] / losses[best]
    start = f"The test loss of the {full_name(trajectory.network)} was lowest at step "
    if not risen > EVEN:
        return f"{start}{trajectory.steps[best]:,.0f} and rose a little after it."
    if "accuracy" in trajectory.series:
        return f"{start}{trajectory.steps[best]:,.0f}, and {brief(risen)} times that in the end."
    return (
        f"{start}{trajectory.steps[best]:,.0f}, and {brief(risen)} times that in the end: what it "
        "fitted later does not carry over, so stopping early would have helped."
    )


def _too_short(
    config: Config, trajectories: Sequence[Trajectory], modes: Mapping[str, list[Mode]]
) -> Iterator[str]:
    """Modes that had room but not enough steps."""
    for trajectory in trajectories:
        room = min(widths(config, trajectory.network))
        late = [
            mode
            for mode in modes[trajectory.network][:room]
            if mode.measured is None and mode.expected != math.inf
        ]
        if not late:
            continue
        end = trajectory.steps[-1]
        last = max(mode.expected or 0.0 for mode in late)
        when = f"; theory expects the last at about step {last:,.0f}" if last > end else ""
        total = len(modes[trajectory.network])
        which = "The only mode" if total == 1 else f"{len(late)} of the {total} modes"
        yield (
            f"{which} of the {full_name(trajectory.network)} had not risen by its last step, "
            f"{end:,.0f}{when}."
        )


def _unseen(config: Config, trajectories: Sequence[Trajectory]) -> Iterator[str]:
    """Networks that fit all the entries they saw and yet miss the matrix."""
    if seen(config) in ("all", "inputs"):
        return
    for trajectory in trajectories:
        loss = trajectory.series["train_loss"]
        errors = trajectory.series.get("recovery_error")
        if errors is not None and loss[-1] < FITTED * loss[0] and errors[-1] > UNKNOWN:
            yield (
                f"The {full_name(trajectory.network)} fits what it was shown but not the rest "
                f"of the matrix: {_more(config)}."
            )


def _more(config: Config) -> str:
    """What would help a network that fits what it was shown but not the rest."""
    if not traits.problem(config.problem).low_rank:
        return "more observations would help"
    if enough_seen(config):
        return "more observations, or more depth, would favour the low rank"
    thing = "sum" if seen(config) == "sums" else "entry"
    return (
        f"a matrix of rank {config.rank} has {count(freedom(config), 'free parameter')}, so "
        f"{count(observed(config), thing)} cannot determine it; at least {freedom(config):,} are "
        "needed"
    )
