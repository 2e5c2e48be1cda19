"""Escape-aware recording: dense where a singular value rises, sparse on plateaus."""

import functools
from itertools import pairwise

import pytest

from dynamics.core.config import Config
from dynamics.core.records import Record
from dynamics.engine.training.comparison import prepare
from dynamics.engine.training.record_spacing import WIDEST

SETTINGS = {
    "problem": "factorization", "rows": 30, "cols": 30, "rank": 2, "rank_bound": 4,
    "spectrum": "power-law", "learning_rate": 0.05, "rate_unit": "limit", "init_scale": 1e-2,
    "alpha": 1.0, "steps": 20_003, "record_every": 5, "tolerance": 1e-12,
}  # fmt: skip
SPARSE = {"recording": "escapes"}


@functools.cache
def recorded(**changes: object) -> list[dict[str, Record]]:
    return [each for each in prepare(Config.from_dict(SETTINGS | changes)) if each]


@pytest.mark.slow
def test_plateaus_are_recorded_sparsely_and_escapes_densely() -> None:
    """Between two records Δt steps lie where a value rises, up to 16 Δt where none does."""
    records = [each["compressed"] for each in recorded(networks="compressed", recording="escapes")]
    even = [each["compressed"] for each in recorded(networks="compressed")]
    assert len(records) < len(even) / 3
    assert records[0].step == 0 and records[-1].step == even[-1].step
    assert records[-1].outcome == even[-1].outcome == "done"
    gaps = {second.step - first.step for first, second in pairwise(records[:-1])}
    assert all(gap % 5 == 0 for gap in gaps) and max(gaps) == WIDEST * 5 and min(gaps) == 5
    for first, second in pairwise(records):
        old, new = (float(each.values["singular_values"][0]) for each in (first, second))
        rising = 0.1 < new / float(records[-1].values["singular_values"][0]) < 0.9
        assert not rising or second.step - first.step == 5, (first.step, old, new)


@pytest.mark.slow
def test_the_same_steps_hold_the_same_values_as_with_even_records() -> None:
    """Recording changes what is kept, and nothing of what is computed."""
    even = {each["compressed"].step: each["compressed"] for each in recorded(networks="compressed")}
    for each in recorded(networks="compressed", recording="escapes"):
        record = each["compressed"]
        wanted = float(even[record.step].values["train_loss"])
        assert abs(float(record.values["train_loss"]) - wanted) <= 1e-12 * wanted


@pytest.mark.slow
def test_networks_are_recorded_at_common_steps_and_twice_alike() -> None:
    """A row of the table has one step; the steps follow from losses, never from a clock."""
    first, second = (
        [{name: each.step for name, each in records.items()} for records in recorded(**SPARSE)]
        for _ in range(2)
        if not recorded.cache_clear()
    )
    assert first == second
    assert all(len(set(steps.values())) == 1 for steps in first)
    assert len(first[0]) == 2


def test_old_keys_hold() -> None:
    """A setting that is younger than kept runs must not make them strangers."""
    assert Config(recording="escapes").key != Config().key == Config(recording="even").key
