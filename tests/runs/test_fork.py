"""Forks: what two runs share, checkpoints, and going on from them as if trained from the start."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dynamics.core.config import Config, ConfigError
from dynamics.core.records import COUNTERS, Array, Layout
from dynamics.engine.measuring.moment import Resumable
from dynamics.engine.training.comparison import prepare
from dynamics.runs.checkpoints import Checkpoints, resume, steps
from dynamics.runs.fork import forked, shared
from dynamics.runs.run import CANCEL, Run
from dynamics.runs.start import start as start_run
from tests.support.make import crossing_run, endless, small, until

FULL = {"problem": "factorization", "learning_rate": 0.2, "rate_unit": "limit", "init_scale": 0.3}
SPARSE = {
    "recording": "escapes", "learning_rate": 0.5, "rate_unit": "limit", "steps": 120,
    "record_every": 1,
}  # fmt: skip
REDUCED = {**FULL, "networks": "original_reduced,compressed_reduced"}


def rows_of(config: Config, since: dict[str, Resumable]) -> tuple[Layout, Array, list[Any]]:
    comparison = prepare(config)
    records = [each for each in comparison.resumed(since) if each]
    layout = Layout.of(records[0] if not since else records[-1], comparison.facts)
    return layout, np.array([layout.row(each) for each in records]), records


def kept(config: Config, folder: Path) -> Run:
    """A run as a worker leaves it, with a checkpoint at every record."""
    run = Run(folder / config.key)
    run.folder.mkdir(parents=True)
    layout, rows, records = rows_of(config, {})
    run.write("config.json", config.canonical().to_dict())
    run.write("layout.json", layout.to_dict())
    (run.folder / "records.f8").write_bytes(rows.astype("<f8").tobytes())
    checkpoints = Checkpoints(run)
    for each in records:
        checkpoints.keep(each)
    return run


def timeless(layout: Layout, rows: Array) -> Array:
    """The rows without the seconds that they took."""
    rows = rows.copy()
    for (_, name), place in layout.slices.items():
        if name in COUNTERS[:2]:
            rows[:, place] = np.where(np.isfinite(rows[:, place]), 0, np.nan)
    return rows


@pytest.mark.parametrize(
    ("settings", "changes"),
    [
        ({}, {"changes": "35:alpha=7,alpha_original=3"}),
        ({"optimizer": "adam", "learning_rate": 0.02}, {"changes": "40:learning_rate=0.01"}),
        ({"optimizer": "momentum", "depth": 2}, {"changes": "31:learning_rate=0.3,alpha=1"}),
        ({"problem": "sensing", "changes": "20:alpha=3"}, {"changes": "20:alpha=3;45:alpha=1"}),
        ({"rank_bound": 12, "dtype": "float32"}, {"changes": "55:alpha=3"}),
        (FULL, {"changes": "33:alpha=3"}),
        (REDUCED, {"changes": "33:alpha=3,alpha_original=2"}),
        ({}, {"steps": 90}),
        ({"steps": 55}, {"steps": 90}),
        ({"tolerance": 1e-3}, {"tolerance": 1e-4}),
        (FULL, {"changes": "40:compress"}),
        ({"changes": "20:compress"}, {"changes": "40:compress"}),
        ({"changes": "20:alpha=3"}, {"changes": "20:alpha=3;41:compress;50:alpha=1"}),
        ({**SPARSE, "steps": 50}, {"steps": 120}),
        (SPARSE, {"changes": "75:alpha=3"}),
        ({**SPARSE, "changes": "70:compress"}, {"changes": "80:compress"}),
    ],
    ids=str,
)
def test_going_on_from_a_checkpoint_is_training_from_the_start(
    settings: dict[str, Any], changes: dict[str, Any], tmp_path: Path
) -> None:
    """To the last bit, in every measurement: only the seconds are others."""
    base = {"rows": 20, "cols": 16, **settings}
    if settings.get("problem") == "factorization":
        base["rows"] = base["cols"] = 16
    origin, config = kept(small(**base), tmp_path), small(**(base | changes))
    since, before = resume(origin, config)
    start = next(iter(since.values())).step
    assert start >= 20 and (before[:, 0] < start).all()
    layout, wanted, _ = rows_of(config, {})
    _, after, _ = rows_of(config, since)
    found = np.vstack([before, after])
    same = np.array_equal(timeless(layout, found), timeless(layout, wanted), equal_nan=True)
    assert same
    assert before.shape[0] >= 2 and after[0, 0] == start


def test_modes_stay_themselves_in_a_fork_between_two_crossings(tmp_path: Path) -> None:
    """Sorted anew where the second mode is the largest, they would exchange names there."""
    origin = kept(crossing_run(record_every=5), tmp_path)
    names = origin.layout.slices["original", "mode_values"]
    swapped = [row[0] for row in origin.rows() if row[names][1] > row[names][0] > 0.1]
    config = forked(origin.config, int(swapped[len(swapped) // 2]), alpha_original=2.0)
    since, before = resume(origin, config)
    assert since["original"].step in swapped[1:]
    layout, wanted, _ = rows_of(config, {})
    _, after, _ = rows_of(config, since)
    found = np.vstack([before, after])
    assert np.array_equal(found[:, names], wanted[:, names])
    assert np.array_equal(timeless(layout, found), timeless(layout, wanted), equal_nan=True)


def test_a_network_that_has_ended_stays_ended_in_a_fork(tmp_path: Path) -> None:
    settings = {**FULL, "tolerance": 1e-3, "steps": 2000, "alpha": 4.0, "init_scale": 0.1}
    origin = kept(small(**settings), tmp_path)
    original, compressed = origin.trajectories
    assert compressed.steps[-1] + 20 < original.steps[-1]
    at = int(original.steps[-1]) - 5
    config = forked(origin.config, at, learning_rate=0.1)
    since, before = resume(origin, config)
    assert set(since) == {"original"}
    layout, wanted, _ = rows_of(config, {})
    comparison = prepare(config)
    after = np.array([layout.row(each) for each in comparison.resumed(since) if each])
    found = np.vstack([before, after])
    assert np.array_equal(timeless(layout, found), timeless(layout, wanted), equal_nan=True)


def test_another_tolerance_takes_over_no_network_that_would_go_on_or_end(tmp_path: Path) -> None:
    settings = {**FULL, "tolerance": 1e-3, "steps": 2000, "alpha": 4.0, "init_scale": 0.1}
    origin = kept(small(**settings), tmp_path)
    ends = {each.network: each.steps[-1] for each in origin.trajectories}
    for tolerance in (1e-6, 1e-1):
        since, before = resume(origin, small(**(settings | {"tolerance": tolerance})))
        assert set(since) == {"original", "compressed"}
        assert next(iter(since.values())).step <= ends["compressed"]
        losses = [origin.layout.slices[name, "train_loss"] for name in ends]
        assert all((before[:, place] > tolerance).all() for place in losses)


def test_what_makes_other_records_is_not_taken_over(tmp_path: Path) -> None:
    origin = kept(small(), tmp_path)
    for other in (
        {"depth": 4}, {"seed_init": 1}, {"record_every": 5}, {"optimizer": "momentum"},
        {"learning_rate": 0.9}, {"networks": "compressed"}, {"recording": "escapes"},
        {"changes": "5:alpha=3"},
    ):  # fmt: skip
        since, before = resume(origin, small(**other))
        assert not since and not len(before), other
    assert shared(small(changes="25:compress"), small(changes="40:compress")) == 25
    assert shared(small(), small(changes="40:compress")) == 0
    assert shared(small(changes="30:alpha=3"), small(changes="30:alpha=3;50:alpha=4")) == 50
    assert shared(small(steps=40), small()) == 40


@pytest.mark.parametrize(
    ("changes", "step", "rates", "wanted"),
    [
        ("", 30, {"alpha": 3.0}, "30:alpha=3"),
        ("", 30, {"alpha": 2.0, "learning_rate": 1.0}, ""),
        ("10:alpha=3;40:alpha=4", 30, {"alpha": 2.0}, "10:alpha=3;30:alpha=2"),
        ("30:alpha=3", 30, {"alpha": 5.0}, "30:alpha=5"),
        ("10:alpha=3;50:learning_rate=2", 20, {"alpha": 3.0, "learning_rate": 0.5},
         "10:alpha=3;20:learning_rate=0.5"),
    ],
)  # fmt: skip
def test_a_fork_keeps_what_was_before_and_leaves_out_what_comes_later(
    changes: str, step: int, rates: dict[str, float], wanted: str
) -> None:
    config = forked(small(changes=changes), step, **rates).canonical()
    assert config.changes == wanted


def test_a_fork_at_the_start_is_a_start_with_other_settings() -> None:
    assert forked(small(changes="20:alpha=4"), 0, alpha=3.0) == small(alpha=3.0)


def test_the_original_is_compressed_once_where_it_was_asked_last() -> None:
    config = forked(small(changes="10:compress,alpha=3"), 30, compress=True)
    assert config.changes == "10:alpha=3;30:compress"
    with pytest.raises(ConfigError, match="last step"):
        forked(small(), 60, alpha=3.0)


def test_checkpoints_stay_few_and_spread_over_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long it is: the newest is there, and gaps are at most four times even ones."""
    monkeypatch.setattr("dynamics.runs.checkpoints.MOST", 8)
    run = kept(small(steps=1000), tmp_path)
    found = [int(file.stem) for file in steps(run.folder / "checkpoints")]
    assert 4 <= len(found) <= 8 and found[-1] == 1000
    monkeypatch.setattr("dynamics.runs.checkpoints.LIMIT", 10)
    big = kept(small(steps=990), tmp_path)
    assert not steps(big.folder / "checkpoints")


@pytest.mark.slow
def test_a_live_run_is_changed_by_going_on_from_where_it_is_ended(folder: Path) -> None:
    """The worker keeps its last moment; the fork takes all records before it and trains on."""
    origin = start_run(endless(), folder)
    until(lambda: len(origin.rows()) > 5)
    origin.ask(CANCEL)
    until(lambda: not origin.status.live)
    last = int(origin.rows()[-1, 0])
    child = start_run(forked(origin.config, last, alpha=3.0), folder, origin=origin)
    assert child.origin == origin
    until(lambda: len(child.rows()) > len(origin.rows()) + 3)
    layout, there = child.layout, origin.rows()
    assert layout.facts["changes"] == [[last, "α 1 → 3"]]
    mine = child.rows()[: len(there)]
    assert np.array_equal(timeless(layout, mine), timeless(layout, there), equal_nan=True)
    # It went on from there: nothing before was trained, or even timed, again.
    clock = layout.slices["original", "seconds"]
    assert np.array_equal(mine[:-1, clock], there[:-1, clock])
    child.ask(CANCEL)
    until(lambda: not child.status.live)
    origin.delete()
    assert child.origin is None


@pytest.mark.slow
def test_a_fork_of_a_fork_finds_what_its_grandparent_kept(folder: Path) -> None:
    config = small(steps=3000, record_every=10)
    first = start_run(config, folder)
    until(lambda: not first.status.live)
    second = start_run(forked(config, 2990, alpha=3.0), folder, origin=first)
    until(lambda: not second.status.live)
    third = start_run(forked(config, 2995, alpha=4.0), folder, origin=second)
    until(lambda: not third.status.live)
    layout, wanted, _ = rows_of(third.config, {})
    assert np.array_equal(timeless(layout, third.rows()), timeless(layout, wanted), equal_nan=True)
