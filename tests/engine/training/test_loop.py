"""The training loop alone: which records there are, when it ends, and what it counts."""

import math

import numpy as np
import pytest

from dynamics.core.records import Record, missing
from dynamics.engine.training.loop import train


class Scalar:
    """Gradient descent on ½ w²: w is (1 − η)^n exactly enough to count steps by it."""

    def __init__(self, rate: float) -> None:
        self.w, self.rate, self.batches = 1.0, rate, []

    def step(self, count: int) -> None:
        self.batches.append(count)
        for _ in range(count):
            self.w -= self.rate * self.w

    def loss(self) -> float:
        return self.w * self.w / 2


def run(rate: float, steps: int, every: int, **options: float) -> list[Record]:
    model = Scalar(rate)
    found = train(model.step, model.loss, steps, every, **options)
    records = [record for record in found if record]
    assert sum(model.batches) == records[-1].step
    return records


@pytest.mark.parametrize(
    ("steps", "every", "wanted"),
    [
        (20, 5, [0, 5, 10, 15, 20]),
        (23, 10, [0, 10, 20, 23]),
        (3, 10, [0, 3]),
        (1, 1, [0, 1]),
        (4, 1, [0, 1, 2, 3, 4]),
    ],
)
def test_records_stand_at_the_start_at_all_multiples_and_at_the_end(
    steps: int, every: int, wanted: list[int]
) -> None:
    """And each is taken after exactly its number of steps: w tells how many there were."""
    records = run(0.1, steps, every)
    assert [record.step for record in records] == wanted
    for record in records:
        assert float(record.values["train_loss"]) == pytest.approx(0.81**record.step / 2, rel=1e-13)
    assert [record.outcome for record in records] == [""] * (len(wanted) - 1) + ["done"]


def test_training_stops_at_the_tolerance_and_keeps_that_record() -> None:
    """½ · 0.9^(2n) falls to 0.01 between n = 15 and 20; the first record below it is the last."""
    records = run(0.1, 1000, 5, tolerance=0.01)
    assert (records[-1].step, records[-1].outcome) == (20, "done")
    assert records[-1].values["train_loss"] <= 0.01 < records[-2].values["train_loss"]


def test_a_tolerance_that_is_met_at_once_stops_before_the_first_step() -> None:
    (only,) = run(0.1, 1000, 5, tolerance=0.5)
    assert (only.step, only.outcome) == (0, "done")


def test_a_tolerance_of_zero_never_stops() -> None:
    """A loss of exactly 0 is still no reason to end when none was asked for."""
    records = run(1.0, 30, 10)
    assert records[1].values["train_loss"] == 0 and records[-1].step == 30


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_loss_that_is_not_finite_ends_as_diverged_with_all_records_kept(bad: float) -> None:
    values = iter([1.0, 0.5, bad, 0.1])
    found = train(lambda count: None, lambda: next(values), 100, 10)
    records = [record for record in found if record]
    assert [record.step for record in records] == [0, 10, 20]
    assert [record.outcome for record in records] == ["", "", "diverged"]


def test_descent_that_overshoots_ends_as_diverged() -> None:
    records = run(3.0, 10_000, 100)
    assert records[-1].outcome == "diverged" and 100 < records[-1].step < 10_000


def test_long_gaps_between_records_are_broken_by_nothing() -> None:
    """None is the place to cancel: it comes about ten times a second of real work."""
    numbers = np.random.default_rng(0).standard_normal(15_000)

    def step(count: int) -> None:
        for _ in range(count):
            np.sort(numbers)

    found = list(train(step, lambda: 1.0, 2000, 2000))
    first, *gaps, last = found
    assert first is not None and last is not None and set(gaps) == {None}
    assert (first.step, last.step) == (0, 2000)
    # The first pause comes after one step, to learn the pace; then one in every tenth of a second.
    assert last.seconds / 0.1 / 4 < len(gaps) < last.seconds / 0.1 * 4 + 3


def test_records_close_together_are_not_broken() -> None:
    """Once the pace is known, a gap of microseconds is gone through at once."""
    model = Scalar(0.01)
    found = list(train(model.step, model.loss, 3000, 100))
    assert found.count(None) <= 3
    assert model.batches.count(100) >= 27


def test_counters_rise_and_operations_are_counted_by_the_step() -> None:
    records = run(0.1, 100, 10, operations=7.0)
    assert [record.operations for record in records] == [7.0 * r.step for r in records]
    for counter in ("seconds", "measuring_seconds"):
        values = [getattr(record, counter) for record in records]
        assert values == sorted(values) and values[-1] > values[0] >= 0
    assert records[0].seconds == 0.0 < records[0].measuring_seconds


def test_training_is_lazy() -> None:
    """Whoever stops asking stops the training: nothing runs ahead."""
    model = Scalar(0.1)
    lane = train(model.step, model.loss, 1000, 10)
    assert model.batches == []
    while not ((record := next(lane)) and record.step == 20):
        pass
    assert sum(model.batches) == 20


def test_missing_measurements_keep_their_shapes() -> None:
    gone = missing({"train_loss": np.array(1.0), "angles": np.ones((2, 3))})
    assert {name: value.shape for name, value in gone.items()} == {
        "train_loss": (),
        "angles": (2, 3),
    }
    assert all(np.isnan(value).all() for value in gone.values())
