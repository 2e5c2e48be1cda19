"""Damaged folders of sweeps: one sentence says so, and no other sweep is hurt."""

import contextlib
import json
import shutil
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dynamics.core.sweep import Axis, Sweep
from dynamics.runs.executors.here import Here
from dynamics.runs.run import RunError
from dynamics.runs.sweep import PHASES, SweepFolder, Training, listing
from tests.support.make import is_sentence
from tests.support.strange import STRANGE, put

BASE: dict[str, Any] = {
    "rows": 8, "cols": 8, "rank": 1, "rank_bound": 2, "observed": 0.9, "learning_rate": 0.3,
    "rate_unit": "limit", "steps": 20, "record_every": 10,
}  # fmt: skip
SWEEP = Sweep.of(BASE, [Axis.read("alpha", "1,2")], outcome="final")
OTHER = Sweep.of(BASE, [Axis.read("alpha", "1,3")], outcome="final")
Damage = tuple[str, Callable[[bytes], bytes]]
FILES = ("sweep.json", "status.json", "outcomes.jsonl", "control")


@st.composite
def damages(draw: st.DrawFn) -> Damage:
    """A file of a sweep and a function that damages its content."""
    file = draw(st.sampled_from(FILES))
    if file != "control" and draw(st.booleans()):
        place, strange = draw(st.integers(0, 60)), draw(st.sampled_from(STRANGE))

        def replaced(content: bytes) -> bytes:
            lines = content.splitlines()  # outcomes are a line each, all else is one line
            return b"\n".join(
                json.dumps(put(json.loads(line), place, strange)).encode() for line in lines
            )

        return file, replaced
    at, size = draw(st.floats(0, 1)), draw(st.integers(0, 40))
    new = draw(st.binary(max_size=40) | st.just(b"[" * 100_000))

    def spliced(content: bytes) -> bytes:
        start = int(at * len(content))
        return content[:start] + new + content[start + size :]

    return file, draw(st.sampled_from([spliced, lambda content: b"", lambda content: new]))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two sweeps that have ended, with one run in both."""
    folder = tmp_path_factory.mktemp("sweeps")
    for sweep in (SWEEP, OTHER):
        for _ in Training(sweep, folder, Here(1)):
            pass
    return folder


def survive(whole: Path, place: Path, damage: Damage) -> None:
    """The damaged sweep is read or named in one sentence, and the other one is as it was."""
    file, damaged = damage
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(whole / "sweeps", place / "sweeps")
    hurt = SweepFolder(place, SWEEP.key)
    path = hurt.folder / file
    path.write_bytes(damaged(path.read_bytes()))
    assert {each.key for each in listing(place)} == {SWEEP.key, OTHER.key}
    other = SweepFolder(place, OTHER.key).progress()
    assert (other.phase, other.ended, other.sweep) == ("done", 2, OTHER)
    standing = hurt.standing
    assert standing.phase in PHASES
    hurt.asked()
    values, failed = hurt.outcomes()
    assert all(isinstance(value, float) for value in values.values())
    assert all(isinstance(why, str) for why in failed.values())
    said = ""
    try:
        told = hurt.progress().sentence
        assert hurt.sweep == SWEEP and told.endswith(".")
        assert "None" not in told and "nan" not in told
    except RunError as error:
        said = str(error)
    assert not said or ("damaged" in said and is_sentence(said))


@settings(max_examples=200, deadline=None)
@given(damage=damages())
def test_a_damaged_sweep_is_named_or_read_and_harms_no_other(
    whole: Path, tmp_path_factory: pytest.TempPathFactory, damage: Damage
) -> None:
    survive(whole, tmp_path_factory.getbasetemp() / "damaged-sweeps", damage)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@settings(max_examples=3000, deadline=None)
@given(damage=damages())
def test_thousands_of_damaged_sweeps_are_named_or_read(
    whole: Path, tmp_path_factory: pytest.TempPathFactory, damage: Damage
) -> None:
    survive(whole, tmp_path_factory.getbasetemp() / "damaged-sweeps", damage)


def test_a_damaged_sweep_is_trained_anew(whole: Path, tmp_path: Path) -> None:
    """What its runs have is kept: only the sweep itself is written again."""
    shutil.copytree(whole, tmp_path / "runs")
    place = SweepFolder(tmp_path / "runs", SWEEP.key)
    values = place.progress().values
    for file in FILES:
        (place.folder / file).write_bytes(b"[" * 100_000)

    class Never(Here):
        def submit(self, *_: Any) -> "Future[Any]":
            raise AssertionError("a run was trained again")

    for _ in Training(SWEEP, tmp_path / "runs", Never(1)):
        pass
    assert place.progress().phase == "done"
    assert place.progress().values == values


def test_another_sweeps_file_is_not_taken_for_its_own(whole: Path, tmp_path: Path) -> None:
    """As a folder that was copied to another name has it."""
    shutil.copytree(whole / "sweeps", tmp_path / "sweeps")
    place = SweepFolder(tmp_path, SWEEP.key)
    shutil.copy(tmp_path / "sweeps" / OTHER.key / "sweep.json", place.folder)
    with pytest.raises(RunError, match="another one's"):
        _ = place.sweep


def test_a_folder_deleted_while_they_are_listed_is_not_listed(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(whole / "sweeps", tmp_path / "sweeps")
    gone = tmp_path / "sweeps" / SWEEP.key
    found = Path.glob

    def glob(self: Path, pattern: str) -> list[Path]:
        paths = [*found(self, pattern)]
        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(gone)
        return paths

    monkeypatch.setattr(Path, "glob", glob)
    assert [each.key for each in listing(tmp_path)] == [OTHER.key]
