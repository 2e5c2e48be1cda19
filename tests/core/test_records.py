"""Trajectory: rows and back, networks that end early, milestones."""

import json

import numpy as np
import pytest

from dynamics.core.records import COUNTERS, Layout, Record, Trajectory
from dynamics.findings.outcomes import milestones


def record(step: int, seed: int = 0, networks: int = 3) -> Record:
    draw = np.random.default_rng(seed)
    values = {
        "train_loss": np.array(draw.random()),
        "factor_singular_values": draw.random((networks, 2)),
        "left_angles": draw.random(4),
    }
    return Record(step, 0.5 * step, 0.25 * step, 100.0 * step, values)


def rows(lengths: dict[str, int]) -> tuple[Layout, dict[str, list[Record]], np.ndarray]:
    """Records of networks that end after their own number of rows."""
    made = {
        name: [record(10 * i, hash((i, len(name))) % 1000, len(name)) for i in range(length)]
        for name, length in lengths.items()
    }
    layout = Layout.of({name: records[0] for name, records in made.items()}, {"fact": [1.5]})
    table = [
        layout.row({name: records[i] for name, records in made.items() if i < len(records)})
        for i in range(max(lengths.values()))
    ]
    return layout, made, np.array(table)


def test_rows_give_back_every_number_of_every_network() -> None:
    """Also through the bytes of a file, and a layout that was stored as JSON."""
    layout, made, table = rows({"original": 5, "thin": 5})
    stored = Layout.from_dict(json.loads(json.dumps(layout.to_dict())))
    assert stored == layout
    table = np.frombuffer(table.astype("<f8").tobytes(), "<f8").reshape(-1, stored.width)
    for trajectory in stored.trajectories(table):
        records = made[trajectory.network]
        assert trajectory.steps.tolist() == [each.step for each in records]
        for counter in COUNTERS:
            wanted = [getattr(each, counter) for each in records]
            assert getattr(trajectory, counter).tolist() == wanted
        for name, series in trajectory.series.items():
            assert np.array_equal(series, [each.values[name] for each in records])
        assert trajectory.facts == {"fact": [1.5]}


def test_a_network_that_has_ended_leaves_nan_and_a_shorter_trajectory() -> None:
    layout, _, table = rows({"original": 6, "thin": 2})
    assert np.isnan(table[2:, layout.slices["thin", "train_loss"]]).all()
    assert np.isfinite(table[:, 0]).all()  # the step is that of whoever goes on
    lengths = {each.network: len(each.steps) for each in layout.trajectories(table)}
    assert lengths == {"original": 6, "thin": 2}


def test_a_diverged_record_counts_though_its_measurements_are_nan() -> None:
    """What tells an ended network from a diverged one is its clock."""
    layout, _, table = rows({"original": 3})
    table[2, layout.slices["original", "train_loss"]] = np.nan
    (trajectory,) = layout.trajectories(table)
    assert len(trajectory.steps) == 3 and np.isnan(trajectory.series["train_loss"][2])


def test_column_names_say_what_stands_in_each_column() -> None:
    """They are what the stream and the charts find their numbers by: counted from one."""
    layout, made, table = rows({"original": 1, "thin": 1})
    assert len(layout.names) == layout.width == len(set(layout.names)) == table.shape[1]
    at = dict(zip(layout.names, table[0], strict=True))
    values = made["thin"][0].values
    assert at["step"] == 0
    assert at["thin.train_loss"] == values["train_loss"]
    assert at["thin.left_angles.4"] == values["left_angles"][3]
    assert at["thin.factor_singular_values.4.1"] == values["factor_singular_values"][3, 0]
    assert at["original.operations"] == made["original"][0].operations


def test_a_layout_of_no_network_has_the_step_alone() -> None:
    """A run that waits has no layout yet."""
    layout = Layout({})
    assert (layout.width, layout.names, layout.trajectories(np.empty((0, 1)))) == (1, ["step"], [])


@pytest.mark.parametrize("stored", [{}, {"shapes": {}}, {"facts": {}}])
def test_a_stored_layout_without_its_parts_is_no_layout(stored: dict[str, object]) -> None:
    with pytest.raises(KeyError):
        Layout.from_dict(stored)


def falling(network: str, errors: list[float]) -> Trajectory:
    steps = 10.0 * np.arange(len(errors))
    return Trajectory(network, steps, steps / 4, steps, steps, {"recovery_error": np.array(errors)})


def test_milestones_are_the_first_records_at_or_below_each_decade() -> None:
    """An error that rises again does not take a milestone back."""
    table = milestones(
        [falling("original", [1, 0.5, 0.1, 0.2]), falling("compressed", [0.9, 0.05, 9e-3, 1e-4])]
    )
    assert table == [
        {
            "level": 0.1,
            "original.steps": 20,
            "original.seconds": 5,
            "original.operations": 20,
            "compressed.steps": 10,
            "compressed.seconds": 2.5,
            "compressed.operations": 10,
        },
        {
            "level": 0.01,
            "original.steps": None,
            "original.seconds": None,
            "original.operations": None,
            "compressed.steps": 20,
            "compressed.seconds": 5,
            "compressed.operations": 20,
        },
        *(
            {
                "level": level,
                "original.steps": None,
                "original.seconds": None,
                "original.operations": None,
                "compressed.steps": 30,
                "compressed.seconds": 7.5,
                "compressed.operations": 30,
            }
            for level in (1e-3, 1e-4)
        ),
    ]


def test_levels_that_nobody_reached_are_left_out() -> None:
    assert milestones([falling("original", [1.0, np.nan])]) == []
    assert falling("original", [1.0, 0.2]).first_at("recovery_error", 0.1) is None


def test_older_runs_carry_what_the_original_did_before_a_late_start() -> None:
    """Their late networks were counted from their own start on."""
    layout = Layout({"original": {}, "compressed": {}})
    rows = [
        layout.row({"original": Record(0, 0.0, 0.0, 0.0, {})}),
        layout.row(
            {
                "original": Record(40, 4.0, 1.0, 400.0, {}),
                "compressed": Record(40, 0.0, 0.0, 0.0, {}),
            }
        ),
        layout.row({"compressed": Record(50, 0.5, 0.1, 30.0, {})}),
    ]
    _, late = layout.trajectories(np.array(rows))
    assert late.seconds.tolist() == [4.0, 4.5]
    assert late.operations.tolist() == [400.0, 430.0]
    assert late.measuring_seconds.tolist() == [1.0, 1.1]
