"""Checkpoints hold all that training continues from, also those that older versions wrote."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from dynamics.core.config import Config
from dynamics.core.records import COUNTERS, Array, Layout
from dynamics.engine.measuring.moment import Resumable
from dynamics.engine.training.comparison import Comparison, prepare
from dynamics.runs.checkpoints import Checkpoints, resume, steps
from dynamics.runs.run import Run
from tests.support.digits import digits, settings
from tests.support.make import is_sentence, small


def train(comparison: Comparison, since: dict[str, Resumable]) -> list[dict[str, Resumable]]:
    return [each for each in comparison.resumed(since) if each]


def kept(comparison: Comparison, folder: Path) -> tuple[Run, Array]:
    """A run's folder with a checkpoint at every record, and its rows."""
    run, records = Run(folder / "run"), train(comparison, {})
    run.folder.mkdir()
    layout = Layout.of(records[0], comparison.facts)
    rows = np.array([layout.row(each) for each in records])
    run.write("config.json", comparison.config.canonical().to_dict())
    run.write("layout.json", layout.to_dict())
    (run.folder / "records.f8").write_bytes(rows.astype("<f8").tobytes())
    checkpoints = Checkpoints(run)
    for each in records:
        checkpoints.keep(each)
    return run, rows


def timeless(layout: Layout, rows: Array) -> Array:
    rows = rows.copy()
    for (_, name), place in layout.slices.items():
        if name in COUNTERS[:2]:
            rows[:, place] = 0
    return rows


def only(run: Run, step: int) -> Path:
    """The checkpoint of a step, after the others are removed."""
    for file in steps(run.folder / "checkpoints"):
        if int(file.stem) != step:
            file.unlink()
    (file,) = steps(run.folder / "checkpoints")
    return file


def test_a_slow_first_record_is_no_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dynamics.runs.checkpoints.APART", 0.0)
    run = Run(tmp_path)
    checkpoints = Checkpoints(run)
    start, first = train(prepare(small()), {})[:2]
    checkpoints.offer(start)
    assert not steps(run.folder / "checkpoints")
    checkpoints.offer(first)
    assert [int(file.stem) for file in steps(run.folder / "checkpoints")] == [10]


@pytest.mark.parametrize("optimizer", ["gradient_descent", "adam"])
def test_a_backbone_and_its_mini_batches_resume_bit_for_bit(tmp_path: Path, optimizer: str) -> None:
    """Parameters, what the optimizer keeps of them, and the generator that draws the batches."""
    config = settings(optimizer=optimizer, learning_rate=0.01)
    run, wanted = kept(digits(config), tmp_path)
    only(run, 40)
    since, before = resume(run, config)
    assert {record.step for record in since.values()} == {40} and len(before) == 2
    after = np.array([run.layout.row(each) for each in train(digits(config), since)])
    found = np.vstack([before, after])
    assert np.array_equal(timeless(run.layout, found), timeless(run.layout, wanted))


def as_it_was(state: dict[str, Any]) -> dict[str, Any]:
    """A moment as versions stored it whose optimizers had a dictionary for each factor."""
    memory: list[dict[str, Any]] = [{} for _ in state["factors"]]
    for key, value in state["memory"].items():
        index, name = key.split(".")
        memory[int(index)][name] = value
    old = {"factors": state["factors"], "memory": memory, "gaps": None}
    return old | {"turned": state["turned"], "matching": state["matching"]}


@pytest.mark.parametrize(
    "changes",
    [{}, {"optimizer": "adam", "learning_rate": 0.02}, {"changes": "20:alpha=3"}],
    ids=str,
)
def test_a_run_of_an_older_version_resumes_bit_for_bit(
    tmp_path: Path, changes: dict[str, Any]
) -> None:
    config = small(**changes)
    run, wanted = kept(prepare(config), tmp_path)
    file = only(run, 30)
    content = torch.load(file, weights_only=True)
    for each in content.values():
        each["state"] = as_it_was(each["state"])
    torch.save(content, file)
    since, before = resume(run, config)
    after = np.array([run.layout.row(each) for each in train(prepare(config), since)])
    found = np.vstack([before, after])
    assert len(before) == 3
    assert np.array_equal(timeless(run.layout, found), timeless(run.layout, wanted))


def test_a_checkpoint_that_cannot_be_read_is_passed_over_with_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without an earlier one, the worker trains the run anew."""
    config: Config = small()
    run, _ = kept(prepare(config), tmp_path)
    file = only(run, 30)
    for content in ({"original": {"state": {"factors": []}}}, {"original": 3}):
        torch.save(content, file)
        moment, rows = resume(run, config)
        assert not moment and not len(rows)
        said = capsys.readouterr().err.strip()
        assert "cannot be read" in said and is_sentence(said)
