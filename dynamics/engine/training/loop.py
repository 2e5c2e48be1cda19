"""The training loop: a generator of Records that knows nothing of networks."""

import math
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from dynamics.core.records import Record

QUIET, WIDEST = 0.003, 16  # of Escapes
PATIENCE = 0.1  # seconds that training goes on before the consumer is asked whether to
START = Record(0, 0.0, 0.0, 0.0, {})


def train(
    step: Callable[[int], None],
    loss: Callable[[], float],
    steps: int,
    record_every: int,
    *,
    tolerance: float = 0.0,
    operations: float = 0.0,
    after: Callable[[int, float], int] | None = None,
    turns: Mapping[int, Callable[[], None]] | None = None,
    since: Record = START,
) -> Iterator[Record | None]:
    """Train and record, lazily: whoever loses interest stops asking.

    Yields a Record at step 0, at every multiple of ``record_every``, at each turn and at ``steps``;
    between records that are long apart it yields None about ten times a second, which is the place
    to pause or to give up. It ends after ``steps``, at a training loss at or below a positive
    ``tolerance`` (outcome ``done``) or at one that is not finite (``diverged``).

    Args:
        step: makes the given number of gradient steps.
        loss: gives the training loss at this moment.
        steps: gradient steps at most.
        record_every: steps between records.
        tolerance: training loss at which to stop.
        operations: floating-point operations of one step.
        after: gives the step of the next record from the step and train loss of this one; if None,
            records are ``record_every`` apart.
        turns: what to do once so many steps are made and recorded: the next steps are other ones.
        since: the record from which to go on; it is made again.
    """
    turns = turns or {}
    done, training, measuring, outcome = since.step, since.seconds, since.measuring_seconds, ""
    while not outcome:
        started = time.perf_counter()
        found = loss()
        measuring += time.perf_counter() - started
        if not math.isfinite(found):
            outcome, found = "diverged", math.nan
        elif done == steps or found <= tolerance > 0:
            outcome = "done"
        counted = since.operations + (done - since.step) * operations
        values = {"train_loss": np.asarray(found)}
        yield Record(done, training, measuring, counted, values, outcome)
        if done in turns:
            turns[done]()
        goal = after(done, found) if after else (done // record_every + 1) * record_every
        goal = min([steps, goal, *(turn for turn in turns if turn > done)])
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
    is twice the one before, up to WIDEST Δt; as soon as one moves it is Δt again. All records are
    at multiples of Δt, but for turns, and follow from the losses alone: a run is always recorded
    at the same steps.
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
            self._next[step] = step // self._every * self._every + self._gap
        return self._next[step]

    @property
    def state(self) -> dict[str, Any]:
        """What the next gap follows from; whole once all networks have come to a record."""
        return {"gap": self._gap, "losses": dict(self._losses), "moves": dict(self._moves)}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a ``state``."""
        self._gap = state["gap"]
        self._losses, self._moves = dict(state["losses"]), dict(state["moves"])
