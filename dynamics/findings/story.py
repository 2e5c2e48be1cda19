"""Story: what happened in a run and why, in sentences made from its numbers."""

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from dynamics.core import changes, traits
from dynamics.core.config import Config
from dynamics.core.records import Trajectory
from dynamics.core.sizes import seen
from dynamics.core.traits import full_name
from dynamics.core.words import raised
from dynamics.findings.modes import Mode, by_network, incrementality
from dynamics.findings.outcomes import milestones
from dynamics.theory.forecast import Forecast, forecast

APART, MERGED = 3.0, 1.0  # incrementality above which modes come one by one, below which as one
EVEN = 1.05  # times: what differs by less is called the same
RISEN = 1.02  # times its lowest value, from which on a test loss has risen
ERRORS = ("recovery_error", "test_loss", "train_loss")  # by the first that is known a run is told
FITTED, UNKNOWN = 1e-6, 1e-2  # share of the train loss that is left; error that is left


def story(config: Config, trajectories: Sequence[Trajectory]) -> list[str]:
    """A sentence on each thing worth telling of a run that has ended, the outcome first."""
    told = [each for each in trajectories if len(each.steps)]
    if not told:
        return []
    facts = told[0].facts
    made = forecast(config, {name: facts[name] for name in facts if name != "overlap"})
    found = by_network(config, told)
    sound = [each for each in told if not _broken(each)]
    sentences = [
        *_changed(config),
        *_reached(sound),
        *_diverged(told, made),
        *_faster(config, sound),
        *_plateaus(sound, found),
        *_too_narrow(config, sound),
        *_too_short(config, sound, found),
        *_unseen(config, sound),
        *_overfitted(sound),
    ]
    return [raised(sentence) for sentence in sentences]


def _changed(config: Config) -> Iterator[str]:
    """What was set anew on the way."""
    compressed = "the compressed network continues from the original"
    for step, label in changes.told(config.schedule, config.rates, compressed):
        yield f"From step {step:,} on: {label}."


def _reached(trajectories: Sequence[Trajectory]) -> Iterator[str]:
    """Which network came how far, in how many steps and seconds."""
    for each in trajectories:
        told = f"in {each.steps[-1]:,.0f} steps and {_seconds(each.seconds[-1])} of training"
        name = next(name for name in ERRORS if np.isfinite(each.series.get(name, [np.nan])[-1]))
        error = f"a {name.replace('_', ' ')} of {_small(each.series[name][-1])}"
        yield f"The {full_name(each.network)} came to {error} {told}."


def _diverged(trajectories: Sequence[Trajectory], made: Forecast) -> Iterator[str]:
    """Which network broke, and how far beyond its limit it was."""
    for each in trajectories:
        if _broken(each):
            ratio = made.ratio(each.network)
            why = "a smaller learning rate η would converge"
            if ratio and ratio > 1:
                why = f"η was {ratio:.3g} times its stability limit"
            yield f"The {full_name(each.network)} diverged by step {each.steps[-1]:,.0f}: {why}."


def _faster(config: Config, trajectories: Sequence[Trajectory]) -> Iterator[str]:
    """What the compressed network's speed-up is made of, at the last decade that both reached."""
    pair = [each for each in trajectories if each.network in ("original", "compressed")]
    if len(pair) < 2 or not all("recovery_error" in each.series for each in pair):
        return
    for row in reversed(milestones(pair)):
        names = ("original.steps", "compressed.steps", "original.seconds", "compressed.seconds")
        values = [row[name] for name in names]
        if all(values):
            steps, seconds = values[0] / values[1], values[2] / values[3]  # type: ignore[operator]
            yield (
                f"To an error of {_small(row['level'] or 0.0)} the compressed network was "
                f"{_times(seconds, 'faster', 'slower', 'as fast')}: it took "
                f"{_times(steps, 'fewer steps', 'more steps', 'as many steps')}, "
                f"each {_times(seconds / steps, 'cheaper', 'dearer', 'as costly')}."
            )
            if config.alpha > config.alpha_original and steps > EVEN:
                yield (
                    f"Of the two it alone moved its outer factors by α = {config.alpha:g}; give "
                    "both networks the same α to see what is left of its lead in steps."
                )
            return


def _plateaus(trajectories: Sequence[Trajectory], found: Mapping[str, list[Mode]]) -> Iterator[str]:
    """How long nothing seemed to happen, and whether modes then came one by one."""
    for each in trajectories:
        times = sorted(mode.measured for mode in found[each.network] if mode.measured)
        if not times:
            continue
        name = full_name(each.network)
        start = f"The first mode of the {name} was half grown at step {times[0]:,.0f}"
        if len(times) == 1:
            yield f"{start}, and no other after it."
            continue
        apart, rest = incrementality(found[each.network]), f"by step {times[-1]:,.0f}"
        others = len(times) - 1
        if apart and min(apart) >= APART:
            each_of_them = "one after another, each" if others > 1 else "later,"
            how = f"{each_of_them} after a plateau of its own, {rest}"
        elif apart and max(apart) < MERGED:
            how = f"together with it, {rest}: their plateaus merged"
        else:
            how = f"{rest}, some of them merging"
        yield f"{start}; {others} more {'mode' if others == 1 else 'modes'} rose {how}."


def _too_narrow(config: Config, trajectories: Sequence[Trajectory]) -> Iterator[str]:
    """A width bound below the rank, and the error that no network of that width is below."""
    low_rank = traits.problem(config.problem).low_rank
    missed = config.rank - config.rank_bound
    for each in trajectories:
        if traits.network(each.network).narrow and low_rank and missed > 0:
            goals = np.array(each.facts["target_singular_values"]) ** 2
            least = math.sqrt(goals[config.rank_bound :].sum() / goals.sum())
            yield (
                f"r̂ = {config.rank_bound} has no room for {missed} of the {config.rank} modes: no "
                f"error of the {full_name(each.network)} can be below {_small(least)}."
            )


def _too_short(
    config: Config, trajectories: Sequence[Trajectory], found: Mapping[str, list[Mode]]
) -> Iterator[str]:
    """Modes that there was room for, and no time."""
    for each in trajectories:
        room = [mode for mode in found[each.network] if mode.expected != math.inf]
        late, end = [mode for mode in room if mode.measured is None], each.steps[-1]
        if not late:
            continue
        last = max((mode.expected or 0.0 for mode in late), default=0.0)
        when = f"; theory expects the last at about step {last:,.0f}" if last > end else ""
        yield (
            f"{len(late)} of the {len(found[each.network])} modes of the {full_name(each.network)} "
            f"had not risen by its last step, {end:,.0f}{when}."
        )


def _unseen(config: Config, trajectories: Sequence[Trajectory]) -> Iterator[str]:
    """A network that fits all it was shown and yet misses the matrix."""
    if seen(config) == "all":
        return
    for each in trajectories:
        loss, errors = each.series["train_loss"], each.series.get("recovery_error")
        if errors is not None and loss[-1] < FITTED * loss[0] and errors[-1] > UNKNOWN:
            yield (
                f"The {full_name(each.network)} fits what it was shown but not the rest of the "
                "matrix: more observations, or more depth, would favour the low rank."
            )


def _overfitted(trajectories: Sequence[Trajectory]) -> Iterator[str]:
    """A test loss that has risen again: when it would have been best to stop."""
    for each in trajectories:
        losses = each.series.get("test_loss", np.empty(0))
        if not np.isfinite(losses).any():
            continue
        best = int(np.nanargmin(losses))
        if losses[-1] > RISEN * losses[best] > 0:
            yield (
                f"The test loss of the {full_name(each.network)} was lowest at step "
                f"{each.steps[best]:,.0f} and {losses[-1] / losses[best]:.2g} times that in the "
                "end: what it fitted since does not carry over, so stopping early would have "
                "helped."
            )


def _broken(trajectory: Trajectory) -> bool:
    return not np.isfinite(trajectory.series["train_loss"][-1])


def _times(ratio: float, more: str, less: str, same: str) -> str:
    """A ratio in words, such as ``3.1 times fewer steps``."""
    if 1 / EVEN < ratio < EVEN:
        return same
    size = max(ratio, 1 / ratio)
    return f"{size:{'.2g' if size < 99.5 else ',.0f'}} times {more if ratio > 1 else less}"


def _small(value: float) -> str:
    return f"{value:.2g}" if value >= 1e-3 else f"{value:.1e}".replace(".0e", "e")


def _seconds(value: float) -> str:
    return f"{value:.2g} s" if value < 99.5 else f"{value:,.0f} s"
