"""The training loop: a generator of Records that knows nothing of networks."""

import math
import time
from collections.abc import Callable, Iterator, Mapping

import numpy as np

from dynamics.core.records import Record

PATIENCE = 0.1  # seconds of training between moments at which the consumer can stop it
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
    """Train and record, lazily: the consumer ends training by not asking for more.

    Yields a Record at step 0, at every multiple of ``record_every``, at each turn and at ``steps``.
    Between records that are long apart it yields None about ten times a second, so that the
    consumer can pause or stop. Training ends after ``steps``, at a training loss at or below a
    positive ``tolerance`` (outcome ``done``), or at a loss that is not finite (``diverged``).

    Args:
        step: makes the given number of gradient steps.
        loss: returns the training loss at this moment.
        steps: gradient steps at most.
        record_every: steps between records.
        tolerance: training loss at which to stop.
        operations: floating-point operations of one step.
        after: returns the step of the next record from the step and train loss of this one; if
            None, records are ``record_every`` apart.
        turns: functions by step. Each is called once its step is recorded, and changes the steps
            that follow.
        since: the record to continue from; it is made again.
    """
    turns = turns or {}
    done = since.step
    outcome = ""
    training = since.seconds
    measuring = since.measuring_seconds
    while not outcome:
        started = time.perf_counter()
        current = loss()
        measuring += time.perf_counter() - started
        if not math.isfinite(current):
            outcome = "diverged"
            current = math.nan
        elif done == steps or current <= tolerance > 0:
            outcome = "done"
        counted = since.operations + (done - since.step) * operations
        values = {"train_loss": np.asarray(current)}
        yield Record(done, training, measuring, counted, values, outcome)
        if done in turns:
            turns[done]()
        goal = after(done, current) if after else (done // record_every + 1) * record_every
        goal = min([steps, goal, *(turn for turn in turns if turn > done)])
        while not outcome and done < goal:
            batch = _batch(training - since.seconds, done - since.step, goal - done)
            started = time.perf_counter()
            step(batch)
            training += time.perf_counter() - started
            done += batch
            if done < goal:
                yield None


def _batch(seconds: float, done: int, most: int) -> int:
    """Returns the steps to make next: for about PATIENCE seconds, but at least 1, at most ``most``.

    ``done`` steps have taken ``seconds`` so far.
    """
    if not done:
        return 1
    pace = seconds / done
    return min(most, max(1, int(PATIENCE / pace))) if pace else most
