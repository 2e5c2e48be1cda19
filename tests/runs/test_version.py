"""Versions of folders: older ones open, newer ones are refused in one sentence and not replaced."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dynamics.__main__ import main
from dynamics.core.sweep import Axis, Sweep
from dynamics.runs import remarks, sweeper, version
from dynamics.runs.executors.here import Here
from dynamics.runs.run import CANCEL, Run, RunError, find, listing
from dynamics.runs.start import start
from dynamics.runs.sweep import SweepFolder, Training
from tests.pages.test_routes import answer_of, asked
from tests.support.make import PATIENCE, is_sentence, small

PAGES = Path(__file__).parents[2] / "pages"
LATER = json.dumps({"format": version.FORMAT + 1}).encode()
CONFIG = small(rows=10, cols=14, noise=0.01)  # of the run that ``finished`` is
BASE = {name: value for name, value in CONFIG.to_dict().items() if name != "alpha"}
SWEEP = Sweep.of(BASE, [Axis.read("alpha", "1,2")], outcome="final")


@pytest.fixture
def later(finished: Run, tmp_path: Path) -> Run:
    """A finished run, as a newer version of the program would have left it."""
    shutil.copytree(finished.folder, tmp_path / finished.key)
    (tmp_path / finished.key / version.NAME).write_bytes(LATER)
    return Run(tmp_path / finished.key)


def content(folder: Path) -> dict[str, bytes]:
    """All files of a folder."""
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file()
    }


def test_a_new_run_carries_its_version(finished: Run) -> None:
    assert version.written(finished.folder) == version.FORMAT


def test_a_run_without_a_version_opens(finished: Run, tmp_path: Path) -> None:
    shutil.copytree(finished.folder, tmp_path / finished.key)
    (tmp_path / finished.key / version.NAME).unlink()
    assert Run(tmp_path / finished.key).check()[1].phase == "done"


USES: dict[str, Callable[[Run], object]] = {
    "settings": lambda run: run.config,
    "status": lambda run: run.status,
    "layout": lambda run: run.layout,
    "records": lambda run: run.rows(),
    "control": lambda run: run.ask(CANCEL),
    "remark": lambda run: remarks.write(run, remarks.Remarks("a name")),
    "start": lambda run: start(CONFIG, run.folder.parent),
    "anew": lambda run: start(CONFIG, run.folder.parent, anew=True),
}


@pytest.mark.parametrize("use", USES)
def test_a_newer_run_is_refused_and_left_alone(use: str, later: Run) -> None:
    before = content(later.folder)
    with pytest.raises(RunError) as refused:
        USES[use](later)
    said = str(refused.value)
    assert is_sentence(said) and said.startswith(f"Run {later.key} was written by a newer version")
    assert "update the program" in said
    assert content(later.folder) == before


def test_a_newer_run_is_named_by_the_command_line(
    later: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    place = ["--runs", str(later.folder.parent)]
    assert main(["runs", "list", *place]) == 0
    assert "newer version" in capsys.readouterr().out
    for words in (["runs", "show", later.key], ["export", later.key, "--format", "csv"]):
        assert main([*words, *place]) == 2
        assert "update the program" in capsys.readouterr().err


def test_a_newer_run_is_named_by_the_pages(later: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DLN_RUNS", str(later.folder.parent))
    for page in ("1_Side_by_side.py", "7_Saved_runs.py"):
        shown = AppTest.from_file(PAGES / page, default_timeout=PATIENCE)
        if page.startswith("1"):  # the address opens the run
            shown.query_params["run"] = later.key
        shown.run()
        assert not shown.exception, shown.exception
        told = [each.value for each in shown.warning]
        assert any("update the program" in each for each in told), (page, told)


def test_a_newer_run_is_named_by_the_routes(later: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DLN_RUNS", str(later.folder.parent))
    for place in ("figures", "records.csv", "maps"):
        path = f"/api/runs/{later.key}/{place}".encode()
        answer = answer_of(asked("GET", path, b"panels=losses", [], b""))
        assert answer.status == 404
        assert "update the program" in json.loads(answer.body)["error"], place


def test_a_newer_sweep_is_refused_and_left_alone(tmp_path: Path) -> None:
    for _ in Training(SWEEP, tmp_path, Here(1)):
        pass
    place = SweepFolder(tmp_path, SWEEP.key)
    assert version.written(place.folder) == version.FORMAT
    (place.folder / version.NAME).unlink()
    assert place.progress().phase == "done"  # it is older than versions are
    (place.folder / version.NAME).write_bytes(LATER)
    before = content(place.folder)
    for use in (
        place.progress,
        lambda: place.create(SWEEP),
        lambda: sweeper.start(SWEEP, tmp_path),
        lambda: list(Training(SWEEP, tmp_path, Here(1))),
    ):
        with pytest.raises(RunError) as refused:
            use()
        said = str(refused.value)
        assert is_sentence(said) and said.startswith(
            f"The sweep {SWEEP.key} was written by a newer"
        )
    assert content(place.folder) == before


def test_a_sweep_replaces_no_newer_run(later: Run) -> None:
    assert later.key in SWEEP.keys
    before = content(later.folder)
    for _ in Training(SWEEP, later.folder.parent, Here(1)):
        pass
    assert content(later.folder) == before
    assert SweepFolder(later.folder.parent, SWEEP.key).progress().phase == "done"


@pytest.mark.parametrize(
    "damage", [b"", b"[1]", b'{"format": "1"}', b'{"format": 1e999}', b"[" * 9999]
)
def test_a_damaged_version_is_named(damage: bytes, later: Run) -> None:
    (later.folder / version.NAME).write_bytes(damage)
    ((_, _, status),) = listing(later.folder.parent)
    assert status.phase == "unreadable" and "format.json names no version" in status.message
    with pytest.raises(RunError, match="damaged"):
        _ = find(later.key, later.folder.parent).config
