"""Expiry: the oldest finished run goes first, and never one that is pinned, seen or in hand."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from dynamics.runs import capability, control, expiry, limits, remarks
from dynamics.runs.expiry import DAY, seen, tidy
from dynamics.runs.limits import LimitError
from dynamics.runs.remarks import Remarks
from dynamics.runs.run import CANCEL, Run
from dynamics.runs.start import start
from tests.support.make import endless, small, until

NOW = 2_000_000_000.0
SEES = """
import sys
from pathlib import Path
from dynamics.runs.expiry import seen
from dynamics.runs.run import Run
with seen(Run(Path(sys.argv[1]))):
    print("seen", flush=True)
    sys.stdin.read()
"""
Set = Callable[[str], None]


@pytest.fixture
def limited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Set:
    """A function that gives the server other limits."""

    def given(text: str) -> None:
        file = tmp_path / "limits.toml"
        file.write_text(f"[folder]\n{text}")
        monkeypatch.setenv(limits.OWN, str(file))

    return given


@pytest.fixture
def runs(folder: Path, finished: Run) -> list[Run]:
    """Four finished runs, of which the first ended a hundred days ago, and each a day later."""
    folder.mkdir()
    made = []
    for number in range(4):
        run = Run(folder / f"{number:016x}")
        shutil.copytree(finished.folder, run.folder)
        ended = NOW - (100 - number) * DAY
        os.utime(run.folder / "status.json", (ended, ended))
        made.append(run)
    return made


def left(runs: list[Run]) -> list[int]:
    return [number for number, run in enumerate(runs) if run.folder.exists()]


def test_by_default_nothing_goes(runs: list[Run]) -> None:
    assert tidy(runs[0].runs, NOW * 2) == 0 and left(runs) == [0, 1, 2, 3]


def test_what_is_old_goes(runs: list[Run], limited: Set) -> None:
    limited("days = 98")
    tidy(runs[0].runs, NOW + 1)
    assert left(runs) == [3]
    limited("days = 1")
    tidy(runs[0].runs, NOW)
    assert left(runs) == []


def test_the_oldest_makes_room(runs: list[Run], limited: Set) -> None:
    each = sum(file.stat().st_size for file in runs[0].folder.rglob("*") if file.is_file())
    limited(f"bytes = {2 * each + 1}")
    assert tidy(runs[0].runs, NOW) == 0
    assert left(runs) == [2, 3]


def test_what_is_pinned_seen_or_in_hand_stays(runs: list[Run], limited: Set) -> None:
    """Seen by another process, which is killed in the end."""
    limited("days = 1")
    remarks.write(runs[0], Remarks(pinned=True))
    (runs[2].folder / "status.json").write_bytes(b"of a version to come")
    live = start(endless(), runs[0].runs)
    until(lambda: live.status.phase == "running")
    command = [sys.executable, "-c", SEES, str(runs[1].folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as viewer:
        assert viewer.stdout and viewer.stdout.readline() == b"seen\n"
        tidy(runs[0].runs, NOW)
        assert left(runs) == [0, 1, 2] and live.status.phase == "running"
        viewer.kill()
    tidy(runs[0].runs, NOW)
    assert left(runs) == [0, 2]
    live.ask(CANCEL)


def test_two_see_one_run(runs: list[Run], limited: Set) -> None:
    limited("days = 1")
    with seen(runs[1]):
        with seen(runs[1]):
            tidy(runs[0].runs, NOW)
        tidy(runs[0].runs, NOW)
        assert left(runs) == [1]
    tidy(runs[0].runs, NOW)
    assert left(runs) == [] and not [*(runs[0].runs / expiry.SEEN).iterdir()]


def test_the_run_that_another_one_continues_stays_until_that_has_begun(
    runs: list[Run], limited: Set
) -> None:
    limited("days = 1")
    live = start(endless(), runs[0].runs)
    until(lambda: live.status.phase == "running")
    live.write("origin.json", {"run": runs[0].key})
    tidy(runs[0].runs, NOW)
    assert left(runs) == [0]
    live.ask(CANCEL)


def test_a_start_makes_room_or_says_that_there_is_none(runs: list[Run], limited: Set) -> None:
    folder = runs[0].runs
    visitor = capability.issue(folder)
    for run in runs[1:]:
        remarks.write(run, Remarks(pinned=True))
    limited("bytes = 10")
    with pytest.raises(LimitError, match="All runs together may take 10 B"):
        start(small(), folder, by=visitor)
    assert left(runs) == [1, 2, 3]
    expiry._looked.clear()
    run = start(small(), folder)  # the owner's
    assert control.role(run, visitor) == "stranger"


def test_the_run_that_is_trained_again_does_not_go_for_it(runs: list[Run], limited: Set) -> None:
    """It is the oldest, was cancelled, and goes on now."""
    folder = runs[0].runs
    run = start(endless(), folder)
    until(lambda: len(run.rows()) > 3)
    run.ask(CANCEL)
    until(lambda: not run.status.live and not run._worker_lives())
    for each in (run, *runs):
        os.utime(each.folder / "status.json", (0, 0))
    step = run.status.step
    limited("days = 1")
    expiry._looked.clear()
    assert start(run.config, folder).status.step >= step > 0
    assert left(runs) == []
    run.ask(CANCEL)
