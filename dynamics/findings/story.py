"""Story: what happened in a run and why, in sentences made from its numbers."""

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from dynamics.core import changes, traits
from dynamics.core.config import Config
from dynamics.core.records import Trajectory
from dynamics.core.sizes import seen
from dynamics.core.traits import full_name
from dynamics.core.words import brief, count, duration, raised, ratio
from dynamics.findings import failures
from dynamics.findings.failures import Failure
from dynamics.findings.modes import Mode, by_network, incrementality
from dynamics.findings.outcomes import milestones
from dynamics.theory.forecast import Forecast, forecast
from dynamics.theory.prediction import Facts

APART = 3.0  # J above which modes come one by one
EVEN = 1.05  # a smaller ratio counts as equal
ERRORS = ("recovery_error", "test_loss", "train_loss")  # the first one known is told
FITTED = 1e-6  # share of the first training loss: below it, all that was shown is fitted
UNKNOWN = 1e-2  # recovery error above which the rest of the matrix is not found


def story(
    config: Config, trajectories: Sequence[Trajectory], failed: Sequence[Failure] = ()
) -> list[str]:
    """Returns sentences on a run that has ended, the outcome first.

    Args:
        config: the settings.
        trajectories: of the networks to tell of.
        failed: the failures that the run has shown.
    """
    networks = {each.network: each for each in trajectories if len(each.steps)}
    if not networks:
        return []
    whole = list(networks.values())
    failed = [failure for failure in failed if failure.network in networks]
    made = forecast(config, Facts.of(whole[0].facts))
    modes = by_network(config, whole)
    sound = [each for each in whole if np.isfinite(each.series["train_loss"][-1])]
    sentences = [
        *_changed(config),
        *_reached(sound),
        *_faster(config, sound),
        *_plateaus(sound, modes, failed),
        *(
            _failure(config, networks[each.network], each, made)
            for each in failed
            if each.name != failures.MERGING
        ),
        *_too_short(sound, modes),
        *_unseen(config, sound),
    ]
    return [raised(sentence) for sentence in sentences]


def _changed(config: Config) -> Iterator[str]:
    """What changed during the run."""
    compressed = "the compressed network continues from the original"
    for step, label in changes.told(config.schedule, config.rates, compressed):
        yield f"From step {step:,} on: {label}."


def _reached(trajectories: Sequence[Trajectory]) -> Iterator[str]:
    """The last error of each network, in how many steps and seconds."""
    for each in trajectories:
        name = next(name for name in ERRORS if np.isfinite(each.series.get(name, [np.nan])[-1]))
        yield (
            f"The {full_name(each.network)} reached a {name.replace('_', ' ')} of "
            f"{brief(each.series[name][-1])} in {each.steps[-1]:,.0f} steps and "
            f"{duration(each.seconds[-1])} of training."
        )


def _faster(config: Config, trajectories: Sequence[Trajectory]) -> Iterator[str]:
    """The compressed network's speed-up and its parts, at the last decade that both reached."""
    pair = [each for each in trajectories if each.network in ("original", "compressed")]
    if len(pair) < 2 or not all("recovery_error" in each.series for each in pair):
        return
    for row in reversed(milestones(pair)):
        names = ("original.steps", "compressed.steps", "original.seconds", "compressed.seconds")
        values = [row[name] for name in names]
        if all(values):
            steps, seconds = values[0] / values[1], values[2] / values[3]  # type: ignore[operator]
            cost = ratio(seconds / steps, "cheaper", "dearer", "")
            yield (
                f"To an error of {brief(row['level'] or 0.0)} the compressed network was "
                f"{ratio(seconds, 'faster', 'slower', 'as fast')}: "
                f"{ratio(steps, 'fewer steps', 'more steps', 'as many steps')}"
                f"{f', each {cost}' if cost else ' at the same cost per step'}."
            )
            if config.alpha > config.alpha_original and steps > EVEN:
                yield (
                    f"Only the compressed network used α = {config.alpha:g}. Use the same α for "
                    "both to see how much of its lead in steps remains."
                )
            return


def _plateaus(
    trajectories: Sequence[Trajectory],
    modes: Mapping[str, list[Mode]],
    failed: Sequence[Failure],
) -> Iterator[str]:
    """When the first mode rose, and whether the others came one by one."""
    merged = {each.network for each in failed if each.name == failures.MERGING}
    for each in trajectories:
        times = sorted(mode.measured for mode in modes[each.network] if mode.measured)
        if not times:
            continue
        name = full_name(each.network)
        start = f"The first mode of the {name} was half grown at step {times[0]:,.0f}"
        others = len(times) - 1
        if not others:
            yield f"{start}, and no other rose after it."
            continue
        end = f"by step {times[-1]:,.0f}"
        apart = incrementality(modes[each.network])
        if each.network in merged:
            end = f"together with it, {end}: their plateaus merged"
        elif apart and min(apart) >= APART:
            one_by_one = "one after another, each" if others > 1 else "later,"
            end = f"{one_by_one} after a plateau of its own, {end}"
        yield f"{start}; {count(others, 'more mode')} rose {end}."


def _failure(config: Config, network: Trajectory, failed: Failure, made: Forecast) -> str:
    """A failure with the numbers of the run's end."""
    name = full_name(network.network)
    if failed.name == failures.DIVERGING:
        why = "a smaller learning rate η would converge"
        share = made.ratio(network.network)
        if share and share > 1:
            why = f"η was {share:.3g} times its stability limit"
        if np.isfinite(network.series["train_loss"][-1]):
            return (
                f"The training loss of the {name} rose to more than twice its start by step "
                f"{failed.step:,}, then fell again: {why}."
            )
        return f"The {name} diverged by step {network.steps[-1]:,.0f}: {why}."
    if failed.name == failures.NO_ROOM and _low_rank(config):
        return _too_narrow(config, network)
    if failed.name == failures.OVERFITTING:
        return _overfitted(network)
    return failed.sentence


def _low_rank(config: Config) -> bool:
    """Whether the target has a rank, and the compressed network less room than that."""
    return traits.problem(config.problem).low_rank and config.rank > config.rank_bound


def _too_narrow(config: Config, network: Trajectory) -> str:
    """The error that no network of width r̂ can be below."""
    goals = np.array(network.facts["target_singular_values"]) ** 2
    least = math.sqrt(goals[config.rank_bound :].sum() / goals.sum())
    return (
        f"r̂ = {config.rank_bound} has no room for {config.rank - config.rank_bound} of the "
        f"{config.rank} modes: the error of the {full_name(network.network)} cannot fall below "
        f"{brief(least)}."
    )


def _overfitted(network: Trajectory) -> str:
    """When it would have been best to stop."""
    losses, best = network.series["test_loss"], network.lowest("test_loss") or 0
    risen = losses[-1] / losses[best]
    start = f"The test loss of the {full_name(network.network)} was lowest at step "
    if not risen > EVEN:
        return f"{start}{network.steps[best]:,.0f}, after it had risen for a while."
    return (
        f"{start}{network.steps[best]:,.0f}, and {brief(risen)} times that in the end: what it "
        "fitted later does not carry over, so stopping early would have helped."
    )


def _too_short(
    trajectories: Sequence[Trajectory], modes: Mapping[str, list[Mode]]
) -> Iterator[str]:
    """Modes that had room but not enough steps."""
    for each in trajectories:
        late = [
            mode
            for mode in modes[each.network]
            if mode.measured is None and mode.expected != math.inf
        ]
        if not late:
            continue
        end = each.steps[-1]
        last = max(mode.expected or 0.0 for mode in late)
        when = f"; theory expects the last at about step {last:,.0f}" if last > end else ""
        yield (
            f"{len(late)} of the {len(modes[each.network])} modes of the {full_name(each.network)} "
            f"had not risen by its last step, {end:,.0f}{when}."
        )


def _unseen(config: Config, trajectories: Sequence[Trajectory]) -> Iterator[str]:
    """A network that fits all that it was shown and yet misses the matrix."""
    if seen(config) == "all":
        return
    for each in trajectories:
        loss, errors = each.series["train_loss"], each.series.get("recovery_error")
        if errors is not None and loss[-1] < FITTED * loss[0] and errors[-1] > UNKNOWN:
            yield (
                f"The {full_name(each.network)} fits what it was shown but not the rest of the "
                "matrix: more observations, or more depth, would favour the low rank."
            )
