"""Measuring beside the training gives what measuring in line gives, and loses no record."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from dynamics import registry
from dynamics.compare import prepare
from dynamics.config import Config
from dynamics.engines import fastest
from dynamics.lanes import singular_value_count
from dynamics.measuring import Measuring, measurer
from dynamics.train import train

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


def test_training_goes_on_while_a_record_is_measured() -> None:
    """The second stretch of steps is made although the first record's measurements hang."""
    comparison = prepare(Config.from_dict(SETTINGS))
    network, release, made = comparison.networks["original"], threading.Event(), threading.Event()
    measuring = Measuring(network, comparison.problem, 4)

    def step(count: int) -> None:
        if count + taken[0] > 20:
            made.set()
        taken[0] += count

    taken = [0]
    with ThreadPoolExecutor(1) as side:
        records = measuring.beside(train(step, measuring.losses, 60, 20), side)
        first = next(records)
        assert first is not None and first.step == 0
        side.submit(release.wait, 60)
        consumer = threading.Thread(target=lambda: [None for _ in records])
        consumer.start()
        assert made.wait(60)  # step 20's record is held up, and steps beyond 20 are made
        release.set()
        consumer.join(60)
    assert taken[0] == 60


def test_what_measuring_costs_is_counted_apart_from_training() -> None:
    """Both clocks run, and neither goes back."""
    records = [each["original"] for each in prepare(Config.from_dict(SETTINGS)) if each]
    spent = [record.measuring_seconds for record in records]
    assert spent[0] > 0 and spent == sorted(spent)
    assert all(record.seconds < 60 for record in records)
