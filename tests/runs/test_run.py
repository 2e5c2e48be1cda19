"""Runs: folders read as they are, damaged ones named in a sentence."""

import contextlib
import dataclasses
import fcntl
import json
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from dynamics.core.config import Config
from dynamics.core.records import Layout, Record
from dynamics.findings.outcomes import Outcome
from dynamics.findings.rounding import Parting
from dynamics.runs.run import (
    CANCEL,
    LIVE,
    PAUSE,
    PHASES,
    RUN,
    Run,
    RunError,
    Status,
    find,
    listing,
    root,
)
from dynamics.runs.start import KEPT, most_queued, start
from tests.support.make import is_sentence, small, until


def written(folder: Path, count: int = 4, **status: object) -> Run:
    """A finished run of ``count`` records, by the same calls as a worker's."""
    run = Run(folder / small(seed_init=len(list(folder.glob("*")))).key)
    run.folder.mkdir(parents=True)
    config = small(seed_init=len(list(folder.glob("*"))) - 1)
    records = [Record(10 * i, i, i, i, {"train_loss": np.array(1 / (i + 1))}) for i in range(count)]
    layout = Layout.of({"original": records[0]}, {})
    rows = np.array([layout.row({"original": record}) for record in records])
    run.write("config.json", config.to_dict())
    run.write("layout.json", layout.to_dict())
    run.write("status.json", dataclasses.asdict(Status("done", **status)))  # type: ignore[arg-type]
    (run.folder / "records.f8").write_bytes(rows.astype("<f8").tobytes())
    return run


def sentence(read: object) -> str:
    with pytest.raises(RunError) as caught:
        read()  # type: ignore[operator]
    assert is_sentence(str(caught.value)), str(caught.value)
    return str(caught.value)


def test_a_run_reads_back_what_was_written(tmp_path: Path) -> None:
    run = written(tmp_path, step=30, message="all good")
    assert run.config == small() and run.key == small().key
    assert (run.status.phase, run.status.step, run.status.message) == ("done", 30, "all good")
    (trajectory,) = run.trajectories
    assert trajectory.steps.tolist() == [0, 10, 20, 30]
    assert trajectory.series["train_loss"].tolist() == [1, 1 / 2, 1 / 3, 1 / 4]


OLDER = {  # status.json as runs before outcomes were data have it
    "done": r"""{"phase": "done", "step": 3000, "rate": 475.8,
        "message": "original ended at step 3,000 with train loss 2.9\u00a0\u00d7\u00a010\u207b\u2078
        ; compressed never started, as the original had ended before",
        "machine": "AMD EPYC CPU, 1 thread",
        "outcomes": {
        "original": "ended at step 3,000 with train loss 2.9\u00a0\u00d7\u00a010\u207b\u2078",
        "compressed": "never started, as the original had ended before"},
        "signatures": [], "pid": 26475, "created": 1795898789.7}""",
    "diverged": r"""{"phase": "diverged", "step": 10, "rate": 0.0,
        "message": "original diverged at step 10; compressed ended at step 8 with train loss 0.051",
        "machine": "AMD EPYC CPU, 1 thread",
        "outcomes": {"original": "diverged at step 10",
        "compressed": "ended at step 8 with train loss 0.051"},
        "signatures": [{"step": 10, "sentence": "The original network diverges: lower \u03b7."}],
        "pid": 26410, "created": 1795898783.3}""",
    "cancelled": r"""{"phase": "cancelled", "step": 0, "rate": 0.0,
        "message": "cancelled; started again, it goes on from here", "machine": "",
        "outcomes": {}, "signatures": [], "pid": 26801, "created": 1795898806.8}""",
}
OUTCOMES = {
    "done": {"original": Outcome("ended", 3000, 2.9e-8), "compressed": Outcome("unstarted", 0)},
    "diverged": {"original": Outcome("diverged", 10), "compressed": Outcome("ended", 8, 0.051)},
    "cancelled": {},
}
ENDS = {
    "done": "original ended at step 3,000 with train loss 2.9 × 10⁻⁸; "
    "compressed never started, because the original ended first",
    "diverged": "original diverged at step 10; compressed ended at step 8 with train loss 0.051",
    "cancelled": "",
}


@pytest.mark.parametrize("phase", OLDER)
def test_the_status_of_an_older_run_is_read(tmp_path: Path, phase: str) -> None:
    """Its outcomes are sentences, which its message repeats."""
    run = written(tmp_path)
    (run.folder / "status.json").write_text(re.sub(r"\n +", " ", OLDER[phase]))
    status = run.status
    assert (status.phase, status.outcomes) == (phase, OUTCOMES[phase])
    assert status.ends.replace("\u00a0", " ") == ENDS[phase]
    assert status.sentence == (status.ends or status.message)


def test_where_rounding_decides_is_kept_and_unknown_in_older_runs(tmp_path: Path) -> None:
    rounding = [Parting("original", 1e-8, 20, None), Parting("compressed", 1e-8)]
    run = written(tmp_path, rounding=rounding)
    assert run.status.rounding == rounding
    stored = json.loads((run.folder / "status.json").read_text())
    for damage in (
        [{"network": "original"}],
        [3],
        {"a": 1},
        [stored["rounding"][0] | {"until": "x"}],
    ):
        run.write("status.json", stored | {"rounding": damage})
        assert "rounding" in sentence(lambda: run.status)
    del stored["rounding"]
    run.write("status.json", stored)
    assert run.status.rounding == []


def test_rows_can_be_read_from_where_one_left_off(tmp_path: Path) -> None:
    run = written(tmp_path, 5)
    whole = run.rows()
    assert len(whole) == 5
    for since in range(8):
        assert np.array_equal(run.rows(since), whole[since:])


@pytest.mark.parametrize("cut", [1, 7, 8, 31, 39])
def test_a_half_written_last_row_does_not_count(tmp_path: Path, cut: int) -> None:
    """A reader may come in the middle of a write, or after a worker that died in one."""
    run = written(tmp_path, 5)
    file = run.folder / "records.f8"
    file.write_bytes(file.read_bytes()[:-cut])
    assert run.rows()[:, 0].tolist() == [0, 10, 20, 30]
    assert len(run.trajectories[0].steps) == 4
    assert run.rows(4).shape == run.rows(9).shape == (0, run.layout.width)


def test_a_run_without_records_yet_is_empty(tmp_path: Path) -> None:
    """It waits: neither columns nor rows are known."""
    run = written(tmp_path)
    (run.folder / "records.f8").unlink()
    assert run.rows().shape == (0, run.layout.width)
    (run.folder / "layout.json").unlink()
    assert run.rows().shape == (0, 1) and run.trajectories == []


DAMAGE = {
    "status.json": [
        b'{"phase": "nonsense"}',
        b'{"phase": []}',
        b'{"phase": "done", "colour": 1}',
        b'{"phase": "done", "created": "yesterday"}',
        b'{"phase": "done", "step": null}',
        b'{"phase": "done", "outcomes": 5}',
        b'{"phase": "done", "outcomes": {"original": "nonsense"}}',
        b'{"phase": "done", "outcomes": {"original": {"kind": "ended"}}}',
        b'{"phase": "done", "signatures": [null]}',
        b'{"phase": "done", "signatures": [{"step": 3}]}',
        b'{"phase": "done", "signatures": [{"step": 3, "sentence": 5}]}',
        b'{"step": 3}',
    ],
    "config.json": [b'{"rank": -1}', b'{"nonsense": 1}', b'{"networks": 5}', b'{"problem": []}'],
    "layout.json": [
        b"{}",
        b'{"shapes": 5, "facts": {}}',
        b'{"shapes": {"a": {"b": ["x"]}}, "facts": {}}',
        b'{"shapes": {"a": {"b": null}}, "facts": {}}',
        b'{"shapes": {}, "facts": 5}',
    ],
}
ANY = [b"", b"[" * 100_000, b"{", b"[]", b"null", b'"text"', b"\xff\xfe\x00{}", b'{"phase": "do']


@pytest.mark.parametrize(
    ("name", "content"), [(name, each) for name in DAMAGE for each in ANY + DAMAGE[name]]
)
def test_a_damaged_file_is_named_in_one_sentence_and_the_list_goes_on(
    tmp_path: Path, name: str, content: bytes
) -> None:
    """One bad folder must not take the page of all runs with it."""
    good, bad = written(tmp_path, created=2.0), written(tmp_path, created=1.0)
    (bad.folder / name).write_bytes(content)
    read = {
        "status.json": lambda: bad.status,
        "config.json": lambda: bad.config,
        "layout.json": bad.rows,
    }[name]
    assert bad.key in sentence(read)
    entries = {run.key: (config, status) for run, config, status in listing(tmp_path)}
    assert entries[good.key] == (good.config, good.status)
    message = entries[bad.key][1].message
    assert name.partition(".")[0] in message or "settings" in message
    assert entries[bad.key][1].phase == "unreadable"


@pytest.mark.parametrize("name", ["status.json", "config.json", "layout.json"])
def test_a_missing_file_is_named(tmp_path: Path, name: str) -> None:
    """Also what says which columns the records have, where there are records."""
    run = written(tmp_path)
    (run.folder / name).unlink()
    assert name in sentence(lambda: (run.config, run.status, run.rows()))
    assert [status.phase for _, _, status in listing(tmp_path)] == ["unreadable"]


def test_runs_are_listed_newest_first_and_other_folders_are_none(tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir(parents=True)
    (tmp_path / ("a" * 16)).write_text("a file, no run")
    made = [written(tmp_path, created=created) for created in (1.0, 3.0, 2.0)]
    listed = [run.key for run, _, _ in listing(tmp_path)]
    assert listed == [made[1].key, made[2].key, made[0].key]
    assert listing(tmp_path / "nowhere") == []


@pytest.mark.parametrize(
    "key", ["../../etc/passwd", "..", "", "a" * 15, "A" * 16, "a" * 16 + "\n", "a/b", "\0" * 16]
)
def test_what_is_no_key_is_refused_before_any_file_is_looked_at(tmp_path: Path, key: str) -> None:
    """Keys come from the address bar."""
    (tmp_path / "runs").mkdir()
    assert "sixteen digits" in sentence(lambda: find(key, tmp_path / "runs"))


def test_a_key_of_no_run_is_said_to_be_none(tmp_path: Path) -> None:
    run = written(tmp_path)
    assert find(run.key, tmp_path) == run
    assert "no run 0000" in sentence(lambda: find("0" * 16, tmp_path))
    run.delete()
    assert run.key in sentence(lambda: run.status)


def test_a_run_in_hand_without_a_worker_is_lost(tmp_path: Path) -> None:
    """The kernel drops a dead worker's lock; a stale file says nothing."""
    run = written(tmp_path)
    (run.folder / "alive").touch()
    for phase in LIVE:
        run.write("status.json", dataclasses.asdict(Status(phase, step=20)))
        assert (run.status.phase, run.status.step) == ("lost", 20)
        with open(run.folder / "alive", encoding="utf-8") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            assert run.status.phase == phase
            assert "cancel it" in sentence(run.delete)
    run.delete()
    assert not run.folder.exists()


def test_what_was_asked_is_kept_until_something_else_is(tmp_path: Path) -> None:
    run = written(tmp_path)
    assert run.asked() == RUN
    for control in (PAUSE, CANCEL, RUN):
        run.ask(control)
        assert run.asked() == control
    (run.folder / "control").write_bytes(b"")
    assert run.asked() == RUN


def test_files_are_replaced_whole_and_leave_nothing_behind(tmp_path: Path) -> None:
    run = written(tmp_path)
    before = set(run.folder.iterdir())
    with pytest.raises(TypeError):
        run.write("status.json", {"phase": object()})
    assert run.status.phase == "done"  # what was there still is
    run.write("status.json", dataclasses.asdict(Status("cancelled")))
    assert run.status.phase == "cancelled"
    assert json.loads((run.folder / "status.json").read_text())["phase"] == "cancelled"
    assert set(run.folder.iterdir()) == before


@pytest.mark.parametrize("inside", ["file/runs", "file"])
def test_a_folder_that_cannot_be_written_gives_one_sentence(tmp_path: Path, inside: str) -> None:
    (tmp_path / "file").write_text("not a folder")
    text = sentence(lambda: start(small(), tmp_path / inside))
    assert "cannot be written" in text and str(tmp_path) in text


@contextlib.contextmanager
def waiting(folder: Path, count: int) -> Iterator[None]:
    """Tickets of ``count`` runs that wait, locked as by their workers."""
    (folder / ".queue").mkdir(parents=True)
    with contextlib.ExitStack() as held:
        for number in range(count):
            ticket = folder / ".queue" / f"{number:020d}-{number:016x}"
            fcntl.flock(held.enter_context(open(ticket, "w", encoding="utf-8")), fcntl.LOCK_EX)
        yield


def test_a_queue_that_is_full_takes_no_more(tmp_path: Path) -> None:
    """A link in a classroom may be opened by everybody at once."""
    with waiting(tmp_path, most_queued()):
        text = sentence(lambda: start(small(), tmp_path))
        assert str(most_queued()) in text
        assert not (tmp_path / small().key).exists()
        assert Run(tmp_path / f"{5:016x}").position == 5
    assert Run(tmp_path / f"{5:016x}").position is None  # its worker is gone
    assert list((tmp_path / ".queue").iterdir()) == []


def test_the_folder_of_all_runs_is_the_one_given_or_named_or_the_project_s(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DLN_RUNS", raising=False)
    assert root() == Path(__file__).parents[2] / "runs"
    monkeypatch.setenv("DLN_RUNS", str(tmp_path))
    assert root() == tmp_path.resolve()
    assert root("/elsewhere") == Path("/elsewhere")


def test_every_phase_has_words() -> None:
    """A page shows them; each phase that can be is one of them."""
    assert set(LIVE) < set(KEPT) < set(PHASES)
    assert all(PHASES.values()) and Status("queued").live and not Status("done").live
    assert Config().key == Config().canonical().key


def test_a_run_that_has_just_ended_is_deleted(folder: Path) -> None:
    """Its worker lives for a moment longer than the run that it has ended."""
    run = start(small(), folder)
    until(lambda: run.status.phase == "done")
    run.delete()
    assert not run.folder.exists()
