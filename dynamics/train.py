"""The training loop: a generator of Records that knows nothing of networks."""

import math
import time
from collections.abc import Callable, Iterator

import numpy as np

from dynamics.trajectory import Array, Record

QUIET, WIDEST = 0.003, 16  # of Escapes
PATIENCE = 0.1  # seconds that training goes on before the consumer is asked whether to


def train(
    step: Callable[[int], None],
    measure: Callable[[], dict[str, Array]],
    steps: int,
    record_every: int,
    *,
    tolerance: float = 0.0,
    operations: float = 0.0,
    after: Callable[[int, float], int] | None = None,
) -> Iterator[Record | None]:
    """Train and record, lazily: whoever loses interest stops asking.

    Yields a Record at step 0, at every multiple of ``record_every`` and at ``steps``; between
    records that are long apart it yields None about ten times a second, which is the place to
    pause or to give up. It ends after ``steps``, at a ``train_loss`` at or below a positive
    ``tolerance`` (outcome ``done``) or at one that is not finite (``diverged``).

    Args:
        step: makes the given number of gradient steps.
        measure: what to keep, by name; must have ``train_loss``.
        steps: gradient steps at most.
        record_every: steps between records.
        tolerance: training loss at which to stop.
        operations: floating-point operations of one step.
        after: gives the step of the next record from the step and train loss of this one; if None,
            records are ``record_every`` apart.
    """
    done, training, measuring, outcome = 0, 0.0, 0.0, ""
    while not outcome:
        started = time.perf_counter()
        values = measure()
        measuring += time.perf_counter() - started
        loss = float(values["train_loss"])
        if not math.isfinite(loss):
            outcome = "diverged"
        elif done == steps or loss <= tolerance > 0:
            outcome = "done"
        yield Record(done, training, measuring, done * operations, values, outcome)
        goal = min(steps, after(done, loss) if after else done + record_every)
        while not outcome and done < goal:
            pace = training / done if done else math.inf
            batch = min(goal - done, max(1, int(PATIENCE / pace)) if pace else goal - done)
            started = time.perf_counter()
            step(batch)
            training += time.perf_counter() - started
            done += batch
            if done < goal:
                yield None


class Escapes:
    """Where networks are recorded together: Δt apart while a loss falls, further on plateaus.

    On a plateau, where no loss moves by more than QUIET of itself between two records, each gap
    is twice the one before, up to WIDEST Δt; as soon as one moves it is Δt again. All gaps are
    multiples of Δt and follow from the losses alone: a run is always recorded at the same steps.
    """

    def __init__(self, record_every: int) -> None:
        self._every = self._gap = record_every
        self._next: dict[int, int] = {}
        self._losses: dict[str, float] = {}
        self._moves: dict[str, tuple[int, float]] = {}  # at which step, how much

    def after(self, name: str, step: int, loss: float) -> int:
        """The step of the record that follows ``step``, for the network ``name`` and all others."""
        before = self._losses.get(name, 0.0)
        move = abs(math.log(loss / before)) if loss > 0 < before else math.inf
        self._moves[name], self._losses[name] = (step, move), loss
        if step not in self._next:
            # A network that has ended has nothing to say: its last step is too long ago.
            recent = [moved for at, moved in self._moves.values() if step - at <= self._gap]
            quiet = all(moved < QUIET for moved in recent)
            self._gap = min(2 * self._gap, WIDEST * self._every) if quiet else self._every
            self._next[step] = step + self._gap
        return self._next[step]


def missing(values: dict[str, Array]) -> dict[str, Array]:
    """The same measurements with nothing known: what a diverged network leaves behind."""
    return {name: np.full_like(value, np.nan) for name, value in values.items()}
