"""Sweeps: the outcome of each run of a sweep, and the outcomes of all its cells."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynamics.core.config import Config
from dynamics.core.records import Array, Trajectory
from dynamics.core.seeds import QUARTILES
from dynamics.core.sweep import (
    COSTS,
    ENDINGS,
    OF_CLASSES,
    OUTCOMES,
    SPEED,
    STOPPED,
    Sweep,
    error_of,
)
from dynamics.findings.failures import MERGED
from dynamics.findings.modes import measured
from dynamics.findings.outcomes import DIVERGED
from dynamics.findings.validation import least
from dynamics.theory.escapes import incrementality


def needed(sweep: Sweep, config: Config) -> list[str]:
    """The measurements of a network from which the outcome follows."""
    error = "accuracy" if sweep.outcome.startswith("accuracy") else error_of(config)
    return [error, *sweep.measure.needs] if error_of(config) == "recovery_error" else [error]


def outcome(
    sweep: Sweep, config: Config, trajectories: Sequence[Trajectory], diverged: Sequence[str] = ()
) -> float:
    """The outcome of one run that has ended; NaN if it has none, as an error that is not reached.

    Args:
        sweep: what is asked.
        config: the settings of the run.
        trajectories: its networks.
        diverged: the networks that diverged.
    """
    found = {trajectory.network: trajectory for trajectory in trajectories}
    kind, error = sweep.outcome, error_of(config)
    if kind.startswith(SPEED):
        counter = kind.removeprefix(SPEED)
        pair = (found[each] for each in ("original", "compressed"))
        return _ratio(*(each.reached(error, sweep.level, counter) for each in pair))
    own = found[sweep.network]
    if kind in COSTS:
        return own.reached(error, sweep.level, kind)
    if kind in ("best", "final", "overfit", STOPPED):
        return _of_error(kind, own, error)
    if kind in OF_CLASSES:
        return _accuracy(sweep, own)
    if kind == "ended":
        return float(ENDINGS.index(_ended(sweep, config, own, sweep.network in diverged)))
    return _of_mode(sweep, config, own) if sweep.measure.modes else _of_factors(kind, config, own)


def _of_error(kind: str, own: Trajectory, error: str) -> float:
    errors, record = own.series[error], least(own)
    best, final = _least(errors), _least(errors[-1:])
    stopped = np.nan if record is None else float(errors[record])
    ratios = {"overfit": _ratio(final, best), STOPPED: _ratio(stopped, best)}
    return ({"best": best, "final": final} | ratios)[kind]


def _of_mode(sweep: Sweep, config: Config, own: Trajectory) -> float:
    _, half, rises = measured(config, own)
    values = half if sweep.outcome == "escape" else _incrementality(half, rises)
    return float(values[sweep.mode - 1]) if sweep.mode <= len(values) else np.nan


def _of_factors(kind: str, config: Config, own: Trajectory) -> float:
    """The angle of the start, in degrees, or what the factors have become; NaN if not measured."""
    if not set(OUTCOMES[kind].needs) <= set(own.series):
        return np.nan
    if kind == "angle":
        if config.rank_bound != config.rank:  # all of its directions are equally strong
            return np.nan
        both = np.concatenate([own.series[name][0] for name in OUTCOMES[kind].needs])
        return float(np.degrees(both.max()))
    if kind == "leak":
        return float(own.series["leak"][-1])
    counts = own.series["unmoved"]  # all of them at the start
    return float(counts[-1].sum() / counts[0].sum())


def _ratio(slow: float, fast: float) -> float:
    return slow / fast if fast > 0 else np.nan


def _accuracy(sweep: Sweep, own: Trajectory) -> float:
    values = own.series["accuracy"]
    if sweep.outcome == "accuracy":
        return -_least(-values)
    reached = np.flatnonzero(values >= sweep.level)
    return float(own.steps[reached[0]]) if len(reached) else np.nan


def _least(values: Array) -> float:
    return float(np.nanmin(values)) if np.isfinite(values).any() else np.nan


def _ended(sweep: Sweep, config: Config, own: Trajectory, diverged: bool) -> str:
    if diverged:
        return DIVERGED
    if own.first_at(error_of(config), sweep.level) is None:
        return "stuck"
    if "mode_values" not in own.series:
        return "recovered"
    _, half, rises = measured(config, own)
    found = _incrementality(half, rises)
    return "merged" if len(found) and found.max() < MERGED else "recovered"


def _incrementality(half: Array, rises: Array) -> Array:
    """J_i in the order in which the modes escaped."""
    known = np.isfinite(half) & np.isfinite(rises) & (rises > 0)
    order = np.argsort(half[known], kind="stable")
    return np.asarray(incrementality(half[known][order], rises[known][order]))


@dataclass(frozen=True)
class Results:
    """The outcomes of a sweep so far.

    Attributes:
        sweep: what was asked.
        values: of each run that has ended, by its key; NaN if it has no such outcome.
    """

    sweep: Sweep
    values: Mapping[str, float]

    @cached_property
    def runs(self) -> Array:
        """Axis × axis × … × seeds; NaN where there is no outcome, or no run yet."""
        array = np.full((*self.sweep.shape, self.sweep.seeds), np.nan)
        for cell in self.sweep.cells:
            for seed, config in enumerate(cell.configs):
                array[(*cell.point, seed)] = self.values.get(config.key, np.nan)
        return array

    @cached_property
    def ended(self) -> NDArray[np.bool_]:
        """Whether each run has ended, with an outcome or without: axis × axis × … × seeds."""
        array = np.zeros(self.runs.shape, bool)
        for cell in self.sweep.cells:
            for seed, config in enumerate(cell.configs):
                array[(*cell.point, seed)] = config.key in self.values
        return array

    @cached_property
    def impossible(self) -> frozenset[tuple[int, ...]]:
        """The points of the cells that cannot exist."""
        return frozenset(cell.point for cell in self.sweep.missing)

    @property
    def counts(self) -> Array:
        """How many runs of each cell have an outcome."""
        return np.isfinite(self.runs).sum(-1).astype(float)

    @cached_property
    def quartiles(self) -> Array:
        """Lower quartile, median and upper quartile of each cell: 3 × axis × axis × ….

        A run that ended without the outcome counts as worse than all others, as an error that
        would be reached later; NaN where the number is such a one, or no run has ended. The most
        frequent ending, if that is the outcome.
        """
        if self.sweep.outcome == "ended":
            return np.broadcast_to(_mode(self.runs), (3, *self.sweep.shape))
        less = self.sweep.measure.less
        filled = np.where(np.isfinite(self.runs), self.runs, np.inf if less else -np.inf)
        result = np.full((3, *self.sweep.shape), np.nan)
        for point in np.ndindex(*self.sweep.shape):
            known = filled[point][self.ended[point]]
            if len(known):
                # Between a number and infinity there is nothing to interpolate.
                whole = bool(np.isfinite(known).all())
                method: Any = "linear" if whole else "higher" if less else "lower"
                result[(slice(None), *point)] = np.percentile(known, QUARTILES, method=method)
        return np.where(np.isfinite(result), result, np.nan)

    @property
    def middle(self) -> Array:
        """The median of each cell, or its most frequent ending."""
        return np.asarray(self.quartiles[1])


def _mode(runs: Array) -> Array:
    """The most frequent number of each cell; the larger one of two equally frequent ones."""
    counts = np.stack([(runs == number).sum(-1) for number in range(len(ENDINGS))])
    best = len(ENDINGS) - 1 - counts[::-1].argmax(0)
    return np.where(counts.any(0), best, np.nan)
