"""Measuring beside the training gives what measuring in line gives, and loses no record."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import torch

from dynamics.core import registry
from dynamics.core.config import Config
from dynamics.engine.kernels import library
from dynamics.engine.measuring.measure import measurer
from dynamics.engine.steps.fastest import fastest
from dynamics.engine.training.comparison import prepare
from dynamics.engine.training.lockstep import Lanes, singular_value_count

SETTINGS = {"rows": 30, "cols": 20, "rank": 2, "rank_bound": 4, "steps": 60, "record_every": 20}
SLOW = {"learning_rate": 0.2, "rate_unit": "limit"}
# Angles and overlaps are not, as long as singular values are tied.
DEFINED = ("train_loss", "test_loss", "recovery_error", "singular_values", "factor_singular_values")


def test_records_hold_what_is_measured_in_line_at_their_step() -> None:
    """A copy taken too late would show the factors of a later step."""
    config = Config.from_dict(SETTINGS | {"init_scale": 0.3} | SLOW)
    beside = [each for each in prepare(config) if each]
    assert [each["original"].step for each in beside] == [0, 20, 40, 60]
    other = prepare(config)
    for name, network in other.networks.items():
        problem = other.problem
        steps = fastest(
            network, problem, registry.load("optimizers", "gradient_descent"),
            other.learning_rate,
        )  # fmt: skip
        measure = measurer(network, problem, singular_value_count(config))
        for number, records in enumerate(beside):
            steps.step(20 if number else 0)
            wanted = measure()
            assert list(records[name].values) == list(wanted)
            for quantity in DEFINED:
                found = records[name].values[quantity]
                np.testing.assert_allclose(found, wanted[quantity], 1e-9, 1e-12)


class Side(ThreadPoolExecutor):
    """One thread that hangs until it is released, and says when it has been given two things."""

    def __init__(self) -> None:
        super().__init__(1)
        self.released, self.two, self.given = threading.Event(), threading.Event(), 0
        super().submit(self.released.wait, 60)

    def submit(self, *work: Any, **more: Any) -> Any:
        self.given += 1
        if self.given == 2:
            self.two.set()
        return super().submit(*work, **more)


@pytest.mark.skipif(
    library(20, torch.float64) is None, reason="no compiler: training waits for measuring"
)
def test_training_goes_on_while_a_record_is_measured() -> None:
    """The second record is there to be measured although the first one's measurements hang."""
    comparison = prepare(Config.from_dict(SETTINGS | {"networks": ["original"]}))
    with Side() as side:
        parts = (comparison.config, comparison.problem, comparison.networks)
        rows = Lanes(*parts, comparison.learning_rate, side, {}, {})
        steps: list[int] = []
        consumer = threading.Thread(
            target=lambda: steps.extend(row["original"].step for row in rows if row)
        )
        consumer.start()
        assert side.two.wait(60) and not steps
        side.released.set()
        consumer.join(60)
    assert steps == [0, 20, 40, 60]


def test_steps_that_need_python_s_lock_wait_for_their_measurements() -> None:
    """Beside measuring they would be slowed, and that would be counted as training."""
    settings = SETTINGS | {"networks": ["original"], "optimizer": "momentum", "learning_rate": 0.1}
    comparison = prepare(Config.from_dict(settings))
    with Side() as side:
        parts = (comparison.config, comparison.problem, comparison.networks)
        rows = [row for row in Lanes(*parts, comparison.learning_rate, side, {}, {}) if row]
        assert [row["original"].step for row in rows] == [0, 20, 40, 60] and not side.given
        side.released.set()


def test_what_measuring_costs_is_counted_apart_from_training() -> None:
    """Both clocks run, and neither goes back."""
    records = [each["original"] for each in prepare(Config.from_dict(SETTINGS)) if each]
    spent = [record.measuring_seconds for record in records]
    assert spent[0] > 0 and spent == sorted(spent)
    assert all(record.seconds < 60 for record in records)
