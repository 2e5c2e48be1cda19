"""Modes: expected and measured escapes of real runs."""

import math

import numpy as np
import pytest

from dynamics.core.records import Trajectory
from dynamics.findings.modes import Mode, incrementality, modes
from tests.support.make import full, recorded


@pytest.mark.slow
def test_exact_escapes_are_those_of_training() -> None:
    """Both networks, every mode, to a fifth of a per cent: only points of the curve lie between."""
    config = full(rank=3, rank_bound=5, steps=1500, record_every=2, alpha_original=2.0)
    for trajectory in recorded(config):
        found = modes(config, trajectory)
        assert [each.number for each in found] == [1, 2, 3]
        for each in found:
            assert each.deviation == pytest.approx(0, abs=2e-3), (trajectory.network, each)
            assert each.rise and each.rise > 0


def test_a_mode_without_room_is_never_expected_and_not_measured() -> None:
    config = full(rank=4, rank_bound=2, steps=800, networks="compressed")
    found = modes(config, recorded(config)[0])
    assert [each.expected == math.inf for each in found] == [False, False, True, True]
    assert [each.measured is None for each in found] == [False, False, True, True]
    assert found[2].deviation is None and found[2].rise is None


def test_times_of_adam_are_measured_though_not_expected() -> None:
    config = full(optimizer="adam", learning_rate=0.02, rate_unit="absolute", steps=400)
    for each in modes(config, recorded(config)[1]):
        assert each.expected is None and each.measured and each.deviation is None


def test_deviation_is_relative_to_what_was_measured() -> None:
    assert Mode(1, 2.0, 110.0, 100.0, 5.0).deviation == pytest.approx(0.1)
    assert Mode(1, 2.0, 110.0, 0.0, None).deviation is None


def test_incrementality_counts_rises_between_escapes() -> None:
    """Modes in the order of their escapes; those that never rose do not count."""
    found = [
        Mode(1, 3.0, None, 100.0, 10.0),
        Mode(2, 2.0, None, 160.0, 20.0),
        Mode(3, 1.0, None, 150.0, 5.0),
        Mode(4, 1.0, None, None, None),
    ]
    assert incrementality(found) == [5.0, 2.0]


def test_an_unknown_target_has_no_modes() -> None:
    empty = np.empty(0)
    trajectory = Trajectory("compressed", empty, empty, empty, empty, facts={})
    assert modes(full(), trajectory) == []
