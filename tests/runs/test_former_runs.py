"""Run folders of earlier versions open with all that they hold, and continue.

``former.zip`` has four folders as version 813cc25 left them, each with the CSV that it exported: a
run whose rates changed on the way, one with exact reductions, one that diverged, and one that was
cancelled.
"""

import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from dynamics.__main__ import main
from dynamics.findings.failures import Failure
from dynamics.findings.story import story
from dynamics.runs import maps
from dynamics.runs.run import CANCEL, Run, listing
from dynamics.runs.start import start
from tests.support.make import is_sentence, until

CANCELLED = "167553b8dc20ef3b"
KEYS = {
    CANCELLED: "cancelled",
    "74d96ceb2fbe23c2": "done",
    "db56b5c6b445d6b6": "done",
    "ffc02eb7d8689ac0": "diverged",
}


@pytest.fixture
def former(folder: Path) -> Path:
    """The folders, unpacked where runs are."""
    with zipfile.ZipFile(Path(__file__).with_name("former.zip")) as file:
        file.extractall(folder)
    for key in KEYS:
        (folder / key / "alive").touch()
    return folder


def test_former_runs_are_listed_with_their_phases(former: Path) -> None:
    assert {run.key: status.phase for run, _, status in listing(former)} == KEYS


def carried(lines: list[str], starts: Mapping[str, float]) -> list[str]:
    """A table with the operations of first factors, and with what came before a late start."""
    rows = [line.split(",") for line in lines]
    late = [row for row in rows[1:] if row[0] == "compressed"]
    if late and float(late[0][1]) > 0 == float(late[0][4]):
        (source,) = (row for row in rows if row[:2] == ["original", late[0][1]])
        spent = [float(cell) for cell in source[2:5]]
        for row in late:
            row[2:5] = [str(float(cell) + more) for cell, more in zip(row[2:5], spent, strict=True)]
    for row in rows[1:]:
        row[4] = str(float(row[4]) + starts[row[0]])
    return [",".join(row) for row in rows]


@pytest.mark.parametrize("key", KEYS)
def test_a_former_run_has_its_key_and_its_numbers(
    key: str, former: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Equal settings still have the folder's key, and the table of records is equal to the byte.

    Operations now count the first factors, and a network that started late carries what the
    original had spent by then.
    """
    assert Run(former / key).config.key == key
    assert main(["export", key, "--runs", str(former), "--format", "csv", "--out", "-"]) == 0
    before = (former / key / "records.csv").read_text().splitlines()
    assert capsys.readouterr().out.splitlines() == carried(before, Run(former / key).starts)


def test_a_run_opens_under_a_key_that_its_settings_no_longer_have(
    former: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As after a version in which a setting that no network reads has left the key."""
    key = "0123456789abcdef"
    (former / "74d96ceb2fbe23c2").rename(former / key)
    assert key in [run.key for run, _, status in listing(former) if status.phase == "done"]
    assert main(["export", key, "--runs", str(former), "--format", "csv", "--out", "-"]) == 0
    before = (former / key / "records.csv").read_text().splitlines()
    assert capsys.readouterr().out.splitlines() == carried(before, Run(former / key).starts)


@pytest.mark.parametrize("key", KEYS)
def test_a_former_run_has_its_words_and_its_heat_maps(key: str, former: Path) -> None:
    """Outcomes were sentences then."""
    run = Run(former / key)
    networks = [trajectory.network for trajectory in run.trajectories]
    if KEYS[key] != "cancelled":
        assert set(run.status.outcomes) == set(networks)
    failed = [Failure.read(each) for each in run.status.signatures]
    sentences = story(run.config, run.trajectories, [each for each in failed if each])
    assert sentences and all(is_sentence(sentence) for sentence in sentences)
    arrays = maps.arrays(run)
    assert arrays and all(np.isfinite(cells).any() for cells in arrays.values())


def test_a_former_run_that_was_cancelled_continues_where_it_was(former: Path) -> None:
    """The moments that it kept are read, and no record is made twice."""
    before = Run(former / CANCELLED)
    rows = before.rows()
    losses = [trajectory.series["train_loss"] for trajectory in before.trajectories]
    run = start(before.config, former)
    until(lambda: len(run.rows()) > len(rows) or not run.status.live)
    run.ask(CANCEL)
    assert len(run.rows()) > len(rows), run.status.message
    # Seconds are among the numbers, so that equal rows were not trained again.
    assert np.array_equal(run.rows()[: len(rows) // 2], rows[: len(rows) // 2], equal_nan=True)
    for trajectory, loss in zip(run.trajectories, losses, strict=True):
        assert np.array_equal(trajectory.series["train_loss"][: len(loss)], loss)
