"""History: what the checks of ``failures`` remember about one network's records."""

import math
from collections import deque
from dataclasses import dataclass, field

import numpy as np

from dynamics.core.records import Array, Record, followed
from dynamics.theory.escapes import measured_escapes

# Share by which a training loss must fall to count as moving.
STILL = 0.01
# A loss is still if it last moved before this share of the steps. The test loss of an overfitted
# network was lowest before this share of the steps.
LATELY = 0.7
# Least number of records without movement after which a loss is still.
FEWEST = 20
# Recovery errors at which both networks are compared.
LEVELS = (0.5, 0.1, 0.01, 1e-3)
# Shares of a mode's goal. A rise is timed from the first to the last.
SHARES = (0.1, 0.5, 0.9)
# A loss above this many times its lowest value so far has risen. A noisy loss rises by less without
# any trend.
WORSE = 1.05


@dataclass
class History:
    """One network's records so far: each list has one entry a record.

    Attributes:
        goals: s_i.
        best: number of the record with the lowest test loss.
        moved: number of the record at which the training loss last fell by the share STILL.
        bounced: number of the last record whose training loss was above WORSE times the lowest one.
        below: the first step at or below each of LEVELS.
        start: the singular values of the first record, largest first.
        values: the singular values of the newest record, largest first.
        modes: the same, one value for each mode of the target if modes can be distinguished.
        reached: the steps at which modes reached SHARES of their goals, shares × modes; the step of
            the first record for shares that they had reached by then.
    """

    goals: Array
    steps: list[int] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    tests: list[float] = field(default_factory=list)
    best: int = 0
    moved: int = 0
    bounced: int = -1
    below: dict[float, int] = field(default_factory=dict)
    start: Array = field(default_factory=lambda: np.empty(0))
    values: Array = field(default_factory=lambda: np.empty(0))
    modes: Array = field(default_factory=lambda: np.empty(0))
    reached: Array = field(default_factory=lambda: np.empty((0, 0)))
    # Numbers of the records whose loss no later record is below: a minimum costs no search.
    _lows: deque[int] = field(default_factory=deque)

    def add(self, record: Record) -> None:
        """Take a record; a mode reaches a share at a step interpolated between two records."""
        values = record.values
        modes = np.asarray(values.get(followed(values), np.empty(0)))[: len(self.goals)]
        if not self.steps:
            self.start = np.asarray(values.get("singular_values", np.empty(0)))
            reached = modes >= np.outer(SHARES, self.goals[: len(modes)])  # False for NaN
            self.reached = np.where(reached, float(record.step), np.nan)
        else:
            self._time_rises(record.step, modes)
        self.modes = modes
        self.values = np.asarray(values.get("singular_values", np.empty(0)))
        self.steps.append(record.step)
        self.losses.append(float(values["train_loss"]))
        self.tests.append(float(values.get("test_loss", math.nan)))
        self._mark_losses()
        error = float(values.get("recovery_error", math.nan))
        for level in LEVELS:
            if error <= level:
                self.below.setdefault(level, record.step)

    def _mark_losses(self) -> None:
        newest = len(self.losses) - 1
        while self._lows and self.losses[self._lows[-1]] >= self.losses[newest]:
            self._lows.pop()
        self._lows.append(newest)
        if self.losses[newest] < (1 - STILL) * self.losses[self.moved]:
            self.moved = newest
        elif not self.losses[newest] <= WORSE * self.losses[self.moved]:
            self.bounced = newest
        if not self.tests[self.best] <= self.tests[newest]:
            self.best = newest

    def _time_rises(self, step: int, now: Array) -> None:
        goals = self.goals[: len(now)]
        passed = np.isnan(self.reached) & (now >= np.outer(SHARES, goals))  # False for NaN
        steps = np.array([self.steps[-1], step], float)
        for number, mode in np.argwhere(passed):
            values = np.array([[self.modes[mode]], [now[mode]]])
            at = measured_escapes(steps, values, goals[mode : mode + 1], SHARES[number])
            self.reached[number, mode] = at[0]

    @property
    def still(self) -> bool:
        """Whether the training loss did not move over the last 30 % of the steps."""
        since = self.steps[self.moved]
        return len(self.steps) - self.moved > FEWEST and since <= LATELY * self.steps[-1]

    @property
    def level(self) -> float:
        """The lowest training loss of the last 30 % of the steps."""
        while self.steps[self._lows[0]] < LATELY * self.steps[-1]:
            self._lows.popleft()
        return self.losses[self._lows[0]]

    def fell_after(self, step: int) -> bool:
        """Whether the training loss has reached a new low since a step."""
        return self.steps[self.moved] > step

    @property
    def kept_falling(self) -> bool:
        """Whether the training loss fell, without a bounce, since the test loss was lowest."""
        fell = self.losses[-1] < (1 - STILL) * self.losses[self.best]
        return fell and self.bounced <= self.best
