"""Outcomes: how training ended, in data and in words."""

import json
import math

import numpy as np
import pytest

from dynamics.core.records import Record
from dynamics.findings.outcomes import Outcome


def record(seconds: float, loss: float, outcome: str) -> Record:
    return Record(1200, seconds, 0.0, 0.0, {"train_loss": np.array(loss)}, outcome)


RECORDS = {
    "diverged at step 1,200": record(1.0, math.nan, "diverged"),
    "ended at step 1,200 with train loss 2.9 × 10⁻⁸": record(1.0, 2.9e-8, "done"),
    "never started, because the original ended first": record(math.nan, math.nan, "done"),
}


@pytest.mark.parametrize("sentence", RECORDS)
def test_an_outcome_survives_a_file_and_becomes_a_sentence(sentence: str) -> None:
    """JSON has no NaN: a browser would refuse the whole status."""
    found = Outcome.of(RECORDS[sentence])
    assert found
    stored = json.dumps(vars(found), allow_nan=False)
    assert Outcome.read(json.loads(stored)) == found
    assert found.sentence.replace("\u00a0", " ") == sentence


def test_training_that_continues_has_no_outcome() -> None:
    assert Outcome.of(record(1.0, 0.5, "")) is None
