"""Faults: full disks, damaged and cut-off folders. One sentence, and nothing else is lost."""

import contextlib
import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dynamics.__main__ import main
from dynamics.runs import maps, remarks
from dynamics.runs.checkpoints import resume, steps
from dynamics.runs.run import CANCEL, Run, RunError, listing
from dynamics.runs.start import start
from pages.saved_runs.finding import Entry
from pages.saved_runs.table import table
from tests.support.make import endless, is_sentence, small, until
from tests.support.strange import STRANGE, put

pytestmark = pytest.mark.xdist_group("faults")  # in one process, they share what they set up

LONG = endless(steps=10_000_000, record_every=100)


@st.composite
def damages(draw: st.DrawFn) -> tuple[str, Any]:
    """A file of a run's folder and a function that damages its content."""
    file = draw(
        st.sampled_from(
            [
                "config.json",
                "layout.json",
                "status.json",
                "origin.json",
                "remarks.json",
                "records.f8",
                "maps.f2",
                "goal.f2",
                "control",
                "checkpoint",
            ]
        )
    )
    if file.endswith(".json") and draw(st.booleans()):
        place, strange = draw(st.integers(0, 60)), draw(st.sampled_from(STRANGE))
        return file, lambda content: json.dumps(put(json.loads(content), place, strange)).encode()
    at, size = draw(st.floats(0, 1)), draw(st.integers(0, 40))
    new = draw(st.binary(max_size=40))

    def spliced(content: bytes) -> bytes:
        start = int(at * len(content))
        return content[:start] + new + content[start + size :]

    def cut(content: bytes) -> bytes:
        return content[: int(at * len(content))]

    return file, draw(st.sampled_from([spliced, cut, lambda content: None]))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cancelled run with checkpoints and an origin; beside it one that is never hurt."""
    folder = tmp_path_factory.mktemp("whole")
    run = start(LONG, folder)
    until(lambda: len(list((run.folder / "checkpoints").glob("*.pt"))) > 1)
    run.ask(CANCEL)
    until(lambda: not run.status.live)
    run.write("origin.json", {"run": run.key})
    remarks.write(run, remarks.Remarks("a name", "a note", ("a tag",), pinned=True))
    other = start(small(), folder)
    until(lambda: not other.status.live)
    return folder


def survive(whole: Path, place: Path, damage: tuple[str, Any]) -> None:
    """Everything that reads a folder says one sentence of the damaged run, and lists the other."""
    file, damaged = damage
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(whole, place)
    other = Run(place / small().key)
    (run,) = (run for run, *_ in listing(place) if run != other)
    path = run.folder / file if file != "checkpoint" else steps(run.folder / "checkpoints")[-1]
    content = damaged(path.read_bytes())
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)
    listed = {run.key: (config, status) for run, config, status in listing(place)}
    assert listed[other.key][1].phase == "done"
    assert all(is_sentence(status.sentence) or config for config, status in listed.values())
    assert main(["runs", "--runs", str(place)]) == 0
    assert main(["export", run.key, "--runs", str(place), "--format", "csv", "--out", "-"]) in (
        0,
        2,
    )
    assert len(table([Entry(*each, remarks.read(each[0])) for each in listing(place)])) == 2
    for read in (
        lambda: run.trajectories,
        run.need_records,
        lambda: run.origin,
        run.asked,
        lambda: run.sound,
        lambda: maps.arrays(run),
        lambda: maps.cells_at(run),
        lambda: maps.described(run),
        lambda: resume(run, LONG),
        lambda: resume(run, small()),
    ):
        with contextlib.suppress(RunError):
            read()


@settings(max_examples=150, deadline=None)
@given(damage=damages())
def test_a_damaged_folder_harms_no_other(
    whole: Path, tmp_path_factory: pytest.TempPathFactory, damage: tuple[str, Any]
) -> None:
    survive(whole, tmp_path_factory.getbasetemp() / "damaged", damage)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@settings(max_examples=2000, deadline=None)
@given(damage=damages())
def test_thousands_of_damaged_folders_harm_no_other(
    whole: Path, tmp_path_factory: pytest.TempPathFactory, damage: tuple[str, Any]
) -> None:
    survive(whole, tmp_path_factory.getbasetemp() / "damaged", damage)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 600 kB, which ``mount`` can make larger."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=600k", "tmpfs", str(place)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("only root may mount a small disk")
    yield place
    for run, _, status in listing(place):
        if status.live:
            run.ask(CANCEL)
            until(lambda run=run: not run.status.live)
    subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.mark.slow
def test_a_full_disk_ends_a_run_with_a_sentence_and_it_continues_when_there_is_room(
    disk: Path,
) -> None:
    config = endless(steps=1_000_000, record_every=10)
    run = start(config, disk)
    until(lambda: not run.status.live)
    message = run.status.message
    assert run.status.phase == "failed"
    assert "No space left" in message and "are kept" in message and is_sentence(message)
    before = run.rows()
    assert len(before) > 100 and not list(run.folder.glob(".*json*"))
    subprocess.run(["mount", "-o", "remount,size=20m", str(disk)], check=True)
    again = start(config, disk)
    until(lambda: len(again.rows()) > len(before))
    again.ask(CANCEL)
    until(lambda: not again.status.live)
    taken = np.searchsorted(again.rows()[:, 0], before[:, 0])
    layout = run.layout.slices["original", "train_loss"]
    assert np.array_equal(again.rows()[taken][:, layout], before[:, layout])


@pytest.mark.slow
def test_garbled_records_are_named_and_trained_again(folder: Path) -> None:
    """As a short write left them: every later row is shifted."""
    config = small(steps=2000)
    run = start(config, folder)
    until(lambda: not run.status.live)
    rows = run.rows()
    content = (run.folder / "records.f8").read_bytes()
    (run.folder / "records.f8").write_bytes(content[:4000] + content[4008:])
    with pytest.raises(RunError, match="in order only up to") as refused:
        run.rows()
    assert is_sentence(str(refused.value))
    assert main(["export", run.key, "--runs", str(folder), "--format", "csv", "--out", "-"]) == 2
    again = start(config, folder)
    until(lambda: not again.status.live)
    assert again.status.phase == "done"
    assert np.array_equal(again.rows()[:, 0], rows[:, 0])


@pytest.mark.parametrize("harm", ["cut off", "a bit"])
def test_a_damaged_checkpoint_is_passed_over_for_an_earlier_one(
    harm: str, whole: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(whole, tmp_path / "runs")
    run = Run(tmp_path / "runs" / LONG.key)
    *_, earlier, newest = steps(run.folder / "checkpoints")
    content = bytearray(newest.read_bytes())
    if harm == "a bit":
        factor = torch.load(newest)["original"]["state"]["factors"][0]
        content[content.index(factor.numpy().tobytes())] ^= 1
    newest.write_bytes(content[:-100] if harm == "cut off" else content)
    moment, before = resume(run, LONG)
    assert {record.step for record in moment.values()} == {int(earlier.stem)}
    assert before[-1, 0] < int(earlier.stem)
    assert newest.name in capsys.readouterr().err


def test_a_checkpoint_without_the_records_before_it_is_passed_over(
    whole: Path, tmp_path: Path
) -> None:
    """As a power cut may leave a folder."""
    shutil.copytree(whole, tmp_path / "runs")
    run = Run(tmp_path / "runs" / LONG.key)
    earlier, *_, newest = steps(run.folder / "checkpoints")
    records = run.folder / "records.f8"
    row = run.layout.width * 8
    middle = max((int(earlier.stem) + int(newest.stem)) // 200, int(earlier.stem) // 100 + 1)
    records.write_bytes(records.read_bytes()[: middle * row])
    moment, before = resume(run, LONG)
    assert max(record.step for record in moment.values()) <= middle * 100
    assert before[-1, 0] + 100 == max(record.step for record in moment.values())


def test_folders_that_failed_once_are_named_as_damaged(
    shared: Path, whole: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("layout_infinite.json", "layout_damaged.json"):
        place = tmp_path / name
        shutil.copytree(whole, place)
        shutil.copy(shared / "inputs" / name, place / LONG.key / "layout.json")
        phases = {run.key: status for run, _, status in listing(place)}
        assert phases[LONG.key].phase == "unreadable" and is_sentence(phases[LONG.key].sentence)
        assert phases[small().key].phase == "done"
        assert main(["runs", "--runs", str(place)]) == 0
        assert main(["export", LONG.key, "--runs", str(place)]) == 2
        assert is_sentence(capsys.readouterr().err.strip())


def test_a_half_checkpoint_is_passed_over(shared: Path, whole: Path, tmp_path: Path) -> None:
    shutil.copytree(whole, tmp_path / "runs")
    run = Run(tmp_path / "runs" / LONG.key)
    newest = steps(run.folder / "checkpoints")[-1]
    shutil.copy(shared / "inputs" / "half_checkpoint.pt", newest)
    moment, _ = resume(run, LONG)
    assert 0 < max(record.step for record in moment.values()) < int(newest.stem)
