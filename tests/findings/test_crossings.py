"""Crossings: modes stay themselves when their singular values exchange places."""

import dataclasses

import numpy as np
import pytest
import torch

from dynamics.core.registry import load
from dynamics.draw.shown import Shown, show
from dynamics.engine.losses.masked import Masked
from dynamics.engine.measurements import left_overlaps, mode_values
from dynamics.engine.measuring.matching import known
from dynamics.engine.measuring.state import State
from dynamics.engine.network import Network
from dynamics.engine.target import Target
from dynamics.engine.training.comparison import prepare
from dynamics.findings.crossings import crossings, least
from dynamics.findings.modes import modes
from dynamics.theory.matching import Matching
from tests.support.make import SIDE, crossing_run, gaussian, recorded


def frames() -> Target:
    """Three orthonormal directions on either side, goals 3, 2 and 1."""
    left, right = (torch.linalg.qr(gaussian(SIDE, 3, seed=seed))[0] for seed in (0, 1))
    return Target(left, torch.tensor([3.0, 2.0, 1.0], dtype=torch.float64), right.mT)


def test_lines_exchange_places_at_the_record_after_they_met() -> None:
    """Two at a time, each with each of several, not at gaps; what was never finite has no place."""
    first, second, third = np.full(6, 2.0), np.arange(6.0) - 0.5, np.arange(6.0)[::-1] - 2.25
    values = np.column_stack([first, second, third])
    assert crossings(values[:, :1]) == crossings(-np.sort(-values, axis=1)) == []
    assert crossings(values) == [(1, 0, 2), (2, 1, 2), (3, 0, 1)]
    values[[2, 5]] = np.nan
    assert crossings(values) == [(1, 0, 2), (3, 0, 1), (3, 1, 2)]
    assert crossings(values[:0]) == crossings(values[2:3]) == []


@pytest.mark.parametrize("width", [2, 3, 24])
def test_modes_are_known_by_their_directions_once_they_cross(width: int) -> None:
    """The second passes the first between 2.4 and 2.6; a narrow network has no third direction."""
    target = frames()
    seen, start, before = [], None, None
    for second in (2.0, 2.4, 2.6, 3.0):
        strengths = torch.tensor([2.5, second, 0.5], dtype=torch.float64)[:width]
        last = target.left.new_zeros(SIDE, width)
        first = last.mT.clone()
        kept = len(strengths)
        last[:, :kept], first[:kept] = target.left[:, :kept] * strengths, target.right[:kept]
        state, problem = State(Network([first, last]), 5, start, before=before), Masked(target)
        start = start or state
        values = mode_values.measure(state, problem)
        assert values is not None
        assert torch.allclose(values[:kept], strengths, atol=1e-12)
        assert values[kept:].abs().max() < 1e-12
        along = left_overlaps.measure(state, problem)
        assert along is not None and torch.allclose(along[:kept], torch.ones(()).to(along))
        seen.append(values.numpy())
        before = state.matching
    assert crossings(np.array(seen)) == [(2, 0, 1)]


def test_a_turning_frame_changes_hands_past_forty_five_degrees() -> None:
    """Both vectors turn: the product of cosines is cos², and passes a half there."""
    target, values = frames(), torch.tensor([2.0, 1.5], dtype=torch.float64)
    for degrees in range(0, 91, 5):
        angle = torch.tensor(np.radians(degrees))
        turn = torch.stack([angle.cos(), -angle.sin(), angle.sin(), angle.cos()]).reshape(2, 2)
        left, right = target.left[:, :2] @ turn, (target.right[:2].mT @ turn).mT
        found = known(left, values, right, target)
        assert degrees == 45 or found == ({0: 0, 1: 1} if degrees < 45 else {0: 1, 1: 0})


@pytest.mark.parametrize("values", [[2.0, 1.99], [0.015, 0.005]], ids=["tied", "not grown"])
def test_nothing_is_known_of_what_cannot_be_told_apart(values: list[float]) -> None:
    target = frames()
    left, right = target.left[:, [1, 0]], target.right[[1, 0]]
    near = torch.tensor(values, dtype=torch.float64)
    assert known(left, near, right, target) == {}
    assert known(left, torch.tensor([2.0, 1.5]).to(near), right, target) == {0: 1, 1: 0}


def test_a_line_keeps_its_place_until_another_is_known() -> None:
    """Unknown for a while it stays where it crossed to; grown without a name it never leaps."""
    grown, small = [-1.0, -1.0, -1.0], [1.0, 1.0, 1.0]
    start = Matching((0, 1, 2))
    named = start.followed({0: 0, 1: 1}, grown)
    crossed = named.followed({0: 1, 1: 0}, grown)
    assert named.order == (0, 1, 2) and crossed.order == (1, 0, 2)
    assert crossed.followed({}, grown) == crossed
    assert crossed.followed({0: 0, 1: 1}, grown).order == (0, 1, 2)
    assert start.followed({0: 1, 1: 0}, grown).order == (0, 1, 2)
    assert start.followed({0: 1, 1: 0}, small).order == (1, 0, 2)
    assert start.followed({1: 0}, small).order == (1, 0, 2)
    for place in range(3):  # always an order of all
        assert sorted(crossed.followed({2: place}, small).order) == [0, 1, 2]


def test_a_real_crossing_follows_the_overlaps_of_dense_decompositions() -> None:
    """Each mode that one direction clearly is has that one's value, before and after it crossed."""
    comparison = prepare(crossing_run())
    target = comparison.problem.target
    assert target is not None
    goals, held, crossed = target.values.numpy(), 0, 0
    for records in comparison:
        record = records["original"] if records else None
        if record is None:
            continue
        matrix = np.linalg.multi_dot([each.numpy() for each in record.moment.factors[::-1]])
        left, values, right = np.linalg.svd(matrix)
        along = np.abs(left.T @ target.left.numpy()) * np.abs(right @ target.right.numpy().T)
        for mode, place in enumerate(along.argmax(axis=0)):
            apart = np.abs(np.delete(values, place) - values[place]).min() > 0.02 * values[place]
            if along[place, mode] > 0.6 and values[place] > 0.02 * goals[mode] and apart:
                found = record.values["mode_values"]
                assert np.isclose(found[mode], values[place], rtol=1e-9)
                left_one = record.values["left_overlaps"][mode]
                assert np.isclose(left_one, abs(left[:, place] @ target.left[:, mode].numpy()))
                held, crossed = held + 1, crossed + (place != mode)
    assert held > 100 and crossed > 20


def test_a_mode_that_comes_first_is_measured_first() -> None:
    """Also where it is not the largest: the table of escapes is of modes, not of sorted places."""
    config = crossing_run()
    (trajectory,) = recorded(config)
    first, second, *_ = modes(config, trajectory)
    assert first.measured and second.measured and second.measured < first.measured
    plain = {name: each for name, each in trajectory.series.items() if name != "mode_values"}
    old = modes(config, dataclasses.replace(trajectory, series=plain))
    assert old[0].measured and old[1].measured and old[0].measured < old[1].measured


def test_the_middle_one_of_three_that_reverse_crosses_both_others() -> None:
    """It keeps its place in the order, yet one passes it from above and one from below."""
    values = np.array([[3.0, 2.0, 1.0], [1.0, 2.0, 3.0]])
    assert crossings(values) == [(1, 0, 1), (1, 0, 2), (1, 1, 2)]


def test_rings_mark_crossings_over_any_axis_and_say_which_modes() -> None:
    config = crossing_run()
    (trajectory,) = recorded(config)
    draw = load("charts", "singular_values").draw
    for versus in ("steps", "log steps", "seconds", "normalised"):
        figure = draw(show(config, [trajectory], versus), versus)
        (rings,) = [trace for trace in figure.data if trace.name == "crossings"]
        values = trajectory.series["mode_values"]
        found = crossings(values, least(trajectory.facts["target_singular_values"]))
        assert found and len(rings.x) == len(rings.y) == len(found)
        assert rings.text[0] == f"modes 1 and 2 cross at step {trajectory.steps[found[0][0]]:.0f}"
        (first,) = [each for each in figure.data if each.meta.get("y") == "original.mode_values.1"]
        assert np.array_equal(first.y, values[:, 0]) and rings.x[0] in first.x


def test_sorted_modes_and_runs_without_identities_have_no_rings() -> None:
    """A start in line with the target keeps its order; older records are drawn as they were."""
    (trajectory,) = recorded(crossing_run(networks="compressed"))
    assert np.array_equal(trajectory.series["mode_values"], trajectory.series["singular_values"])
    series = {name: each for name, each in trajectory.series.items() if name != "mode_values"}
    old = dataclasses.replace(trajectory, series=series)
    draw = load("charts", "singular_values").draw
    for each, name in ((trajectory, "mode_values"), (old, "singular_values")):
        figure = draw([Shown(each)])
        columns = [trace.meta["y"] for trace in figure.data if "y" in (trace.meta or {})]
        assert columns[0] == f"compressed.{name}.1"
        assert not [trace for trace in figure.data if trace.name == "crossings"]


def test_theory_is_held_against_modes_that_cross() -> None:
    """Momentum swings modes past each other: exact in every record, also where they are tied."""
    config = crossing_run(networks="compressed", optimizer="momentum", record_every=1)
    (trajectory,) = recorded(config)
    assert crossings(trajectory.series["mode_values"])
    (item,) = show(config, [trajectory])
    residuals = item.residuals
    assert residuals is not None
    assert np.isfinite(residuals).mean() > 0.5 and np.nanmax(residuals) < 1e-9
