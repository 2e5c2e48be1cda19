"""The training loop: a generator of Records that knows nothing of networks."""

import math
import time
from collections.abc import Callable, Iterator

import numpy as np

from dynamics.trajectory import Array, Record

PATIENCE = 0.1  # seconds that training goes on before the consumer is asked whether to


def train(
    step: Callable[[int], None],
    measure: Callable[[], dict[str, Array]],
    steps: int,
    record_every: int,
    *,
    tolerance: float = 0.0,
    operations: float = 0.0,
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
        goal = min(steps, done + record_every)
        while not outcome and done < goal:
            pace = training / done if done else math.inf
            batch = min(goal - done, max(1, int(PATIENCE / pace)) if pace else goal - done)
            started = time.perf_counter()
            step(batch)
            training += time.perf_counter() - started
            done += batch
            if done < goal:
                yield None


def missing(values: dict[str, Array]) -> dict[str, Array]:
    """The same measurements with nothing known: what a diverged network leaves behind."""
    return {name: np.full_like(value, np.nan) for name, value in values.items()}
