"""Worker: real processes from start to end, through pauses, cancels and deaths."""

import dataclasses
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest

from dynamics.engine.training.comparison import prepare
from dynamics.runs import launcher, queue, worker
from dynamics.runs.run import CANCEL, PAUSE, RUN, Run, find, listing
from dynamics.runs.start import start
from tests.support.few import few
from tests.support.make import endless, full, is_sentence, small, started, until


def dead(run: Run) -> bool:
    return not queue.locked(run.folder / "alive")


def test_a_run_is_trained_from_start_to_done(finished: Run) -> None:
    """All records, in their order, and a last word."""
    status = finished.status
    assert (status.phase, status.step) == ("done", 60)
    assert set(status.outcomes) == {"original", "compressed"} and "step 60" in status.sentence
    made = (finished.folder / "config.json").stat().st_mtime  # the suite may have run for long
    assert "CPU" in status.machine and abs(made - status.created) < 60
    assert finished.rows()[:, 0].tolist() == list(range(0, 61, 10))
    assert [each.network for each in finished.trajectories] == ["original", "compressed"]
    assert (finished.folder / "log.txt").read_text() == ""
    assert until(lambda: dead(finished))


def test_where_rounding_decides_is_sought_once_a_run_has_ended(
    finished: Run, tmp_path: Path
) -> None:
    """This run is calm; a cancellation during the search leaves the run as complete as it is."""
    assert [vars(part) for part in finished.status.rounding] == [
        {"network": name, "promised": 1e-8, "until": None, "read": None}
        for name in ("original", "compressed")
    ]
    run = Run(shutil.copytree(finished.folder, tmp_path / finished.key))
    run.write("status.json", dataclasses.asdict(run.status) | {"rounding": []})
    for asked, found in ((CANCEL, 0), (RUN, 2)):
        run.ask(asked)
        searching = worker.Worker(run)
        searching._seek_rounding()
        assert len(searching.status.rounding) == found


def test_a_worker_s_numbers_are_those_of_training_in_this_process(finished: Run) -> None:
    """Nothing is lost or changed on the way through a process and a file."""
    rows = [records for records in prepare(finished.config) if records]
    for trajectory in finished.trajectories:
        for name, series in trajectory.series.items():
            wanted = [row[trajectory.network].values[name] for row in rows]
            assert np.array_equal(series, wanted, equal_nan=True), name


def test_what_is_stored_is_the_config_without_what_the_problem_does_not_read(
    finished: Run,
) -> None:
    assert finished.config == finished.config.canonical()
    assert finished.key == finished.config.key


def test_starting_an_equal_config_again_gives_the_run_that_is_there(folder: Path) -> None:
    """Whether it runs or has ended: no second worker, no second file."""
    run = started(folder)
    pid = run.status.pid
    again = start(endless(measurements=7), folder)  # completion does not read that
    assert again == run and again.status.pid == pid
    assert [status.pid for _, _, status in listing(folder)] == [pid]
    (parent,) = launcher._kept
    workers = psutil.Process(parent.process.pid).children()
    files = [file.path for worker in workers for file in worker.open_files()]
    assert files.count(str(run.folder / "alive")) == 1


@pytest.mark.slow
def test_a_finished_run_is_kept_unless_it_is_asked_for_anew(folder: Path) -> None:
    run = start(small(), folder)
    until(lambda: not run.status.live)
    first = run.status
    assert start(small(), folder).status == first
    start(small(), folder, anew=True)
    until(lambda: run.status.phase == "done" and run.status.pid != first.pid)
    assert len(run.rows()) == 7


def test_pause_waits_resume_goes_on_and_cancel_is_heard_within_half_a_second(
    folder: Path,
) -> None:
    run = started(folder)
    run.ask(PAUSE)
    until(lambda: run.status.phase == "paused")
    paused = len(run.rows())
    assert not dead(run) and run.status.live
    run.ask(RUN)
    until(lambda: len(run.rows()) > paused)
    assert run.status.phase == "running"
    run.ask(CANCEL)
    asked = time.monotonic()
    until(lambda: run.status.phase == "cancelled")
    assert time.monotonic() - asked <= 0.5
    rows = run.rows()
    assert np.array_equal(rows[:, 0], 1000 * np.arange(len(rows)))  # none is missing or doubled
    assert until(lambda: dead(run))


def test_a_paused_run_hears_a_cancel(folder: Path) -> None:
    run = started(folder)
    run.ask(PAUSE)
    until(lambda: run.status.phase == "paused")
    run.ask(CANCEL)
    until(lambda: run.status.phase == "cancelled")


def test_a_cancel_is_heard_while_the_run_is_being_prepared(folder: Path) -> None:
    """The singular values of a large Gaussian matrix take seconds in which nothing else runs."""
    run = start(small(rows=2500, cols=2500), folder)
    until(lambda: run.status.message == "preparing")
    run.ask(CANCEL)
    asked = time.monotonic()
    until(lambda: run.status.phase == "cancelled")
    assert time.monotonic() - asked <= 0.5
    assert not run.layout.shapes
    assert until(lambda: dead(run))


def test_a_cancel_is_heard_in_the_middle_of_a_long_gap_between_records(folder: Path) -> None:
    """A million steps until the next record are no reason to wait for it."""
    run = start(endless(record_every=1_000_000, rows=60, cols=60), folder)
    until(lambda: len(run.rows()) == 1)
    run.ask(CANCEL)
    asked = time.monotonic()
    until(lambda: run.status.phase == "cancelled")
    assert time.monotonic() - asked <= 0.5
    assert len(run.rows()) == 1


def test_a_pause_changes_no_number(folder: Path) -> None:
    """The run goes on from its own factors: the records are those of an unbroken run."""
    config = small(steps=20_000, record_every=500)
    run = start(config, folder)
    until(lambda: len(run.rows()) > 1)
    run.ask(PAUSE)
    until(lambda: run.status.phase == "paused" or not run.status.live)
    assert run.status.phase == "paused", "it ended before it could be paused"
    run.ask(RUN)
    until(lambda: not run.status.live)
    losses = [records["original"].values["train_loss"] for records in prepare(config) if records]
    assert np.array_equal(run.trajectories[0].series["train_loss"], losses)


def test_a_killed_worker_is_lost_and_its_records_stay(folder: Path) -> None:
    """Whoever kills it, the kernel says so; started again, it goes on from its last checkpoint."""
    run = started(folder)
    until(lambda: list(run.folder.glob("checkpoints/*.pt")))
    os.kill(run.status.pid, signal.SIGKILL)
    until(lambda: run.status.phase == "lost")
    assert is_sentence(run.status.message + ".")
    steps = run.rows()[:, 0]
    assert np.array_equal(steps, 1000 * np.arange(len(steps))) and len(steps) > 2
    assert len(run.trajectories) == 2
    killed, before = run.status.pid, clock(run)
    kept = max(int(file.stem) for file in run.folder.glob("checkpoints/*.pt")) // 1000
    start(endless(), folder)
    until(lambda: len(run.rows()) > len(before) + 2)
    assert run.status.pid != killed
    assert np.array_equal(clock(run)[:kept], before[:kept]) and kept > 0


def clock(run: Run) -> np.ndarray:
    """The seconds of the original network, which no other training would take alike."""
    return run.rows()[:, run.layout.slices["original", "seconds"]].ravel()


def test_a_cancelled_run_goes_on_from_its_last_moment(folder: Path) -> None:
    """Nothing is trained twice, no record is missing or doubled, nor any tenth one's map."""
    config = endless(steps=10_000_000)
    run = start(config, folder)
    until(lambda: len(run.rows()) > 25)
    run.ask(CANCEL)
    until(lambda: run.status.phase == "cancelled")
    before = clock(run)
    assert start(config, folder) == run
    assert run.status.step == 1000 * (len(before) - 1)
    until(lambda: len(run.rows()) > len(before) + 12)
    run.ask(CANCEL)
    until(lambda: dead(run))
    rows = run.rows()
    assert np.array_equal(clock(run)[: len(before) - 1], before[:-1])
    assert np.array_equal(rows[:, 0], 1000 * np.arange(len(rows)))
    size = 8 + 2 * 2 * 12 * 12
    content = (run.folder / "maps.f2").read_bytes()
    mapped = [np.frombuffer(content, "<f8", 1, at)[0] for at in range(0, len(content), size)]
    assert mapped == list(range(0, int(rows[-1, 0]) + 1, 10_000))


@pytest.mark.slow
def test_where_records_follow_from_the_losses_they_do_so_past_a_cancel(folder: Path) -> None:
    """The places of records depend on all that came before: they are an unbroken run's."""
    plateau = {"init_scale": 1e-6, "steps": 200_000, "record_every": 200}
    config = small(recording="escapes", **plateau)
    run = start(config, folder)
    until(lambda: len(run.rows()) > 6)
    run.ask(CANCEL)
    until(lambda: dead(run))
    assert run.status.phase == "cancelled", "it ended before it could be cancelled"
    before = clock(run)
    start(config, folder)
    until(lambda: run.status.phase == "done" and dead(run))
    records = [each["original"] for each in prepare(config) if each]
    assert run.rows()[:, 0].tolist() == [each.step for each in records]
    losses = run.trajectories[0].series["train_loss"]
    assert losses.tolist() == [float(each.values["train_loss"]) for each in records]
    assert np.array_equal(clock(run)[: len(before) - 1], before[:-1])


@pytest.mark.slow
def test_what_cannot_be_gone_on_with_is_trained_from_the_start(folder: Path) -> None:
    """A damaged folder."""
    config = small()
    run = start(config, folder)
    until(lambda: run.status.phase == "done" and dead(run))
    before, told = run.rows(), json.loads((run.folder / "status.json").read_text())
    run.write("status.json", told | {"phase": "cancelled"})
    (run.folder / "layout.json").write_text("{")
    start(config, folder)
    until(lambda: run.status.phase == "done" and dead(run))
    losses = run.layout.slices["original", "train_loss"]
    assert np.array_equal(run.rows()[:, losses], before[:, losses])
    assert np.array_equal(run.rows()[:, 0], before[:, 0])


def test_a_worker_outlives_the_process_that_started_it(folder: Path) -> None:
    """A server may restart: its runs go on and are found again."""
    code = (
        "import json, sys; from pathlib import Path; from dynamics.runs.start import start; "
        "from dynamics.core.config import Config; "
        "print(start(Config.from_dict(json.loads(sys.argv[1])), Path(sys.argv[2])).key)"
    )
    argument = json.dumps(endless().to_dict())
    command = [sys.executable, "-c", code, argument, str(folder)]
    key = subprocess.run(
        command,
        cwd=Path(__file__).parents[2],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    run = find(key, folder)
    until(lambda: len(run.rows()) > 2)
    assert run.status.phase == "running"
    # The page stays quick meanwhile: also where the system divides time between sessions first.
    usual = os.getpriority(os.PRIO_PROCESS, 0)
    assert os.getpriority(os.PRIO_PROCESS, run.status.pid) == min(usual + 5, 19)
    session = Path(f"/proc/{run.status.pid}/autogroup")
    assert not session.exists() or session.read_text("utf-8").endswith("nice 5\n")
    run.ask(CANCEL)
    until(lambda: run.status.phase == "cancelled")


def test_divergence_is_said_with_its_step_and_keeps_the_records(folder: Path) -> None:
    run = start(small(learning_rate=1e4, init_scale=1.0, record_every=1), folder)
    until(lambda: not run.status.live)
    status = run.status
    assert status.phase == "diverged" and "diverged at step" in status.sentence
    assert set(status.outcomes) == {"original", "compressed"}
    assert len(run.rows()) > 1
    named = [each["sentence"] for each in status.signatures]
    assert [sentence.split()[1] for sentence in named] == ["original", "compressed"]
    last = run.trajectories[0].series["train_loss"]
    assert np.isfinite(last[0]) and not np.isfinite(last[-1])


@pytest.mark.parametrize(("steps", "named"), few([(1000, []), (440, ["no gain"])], 1))
def test_a_finished_run_keeps_only_the_failures_that_it_has_not_disproved(
    folder: Path, steps: int, named: list[str]
) -> None:
    """The compressed network is behind at step 440 and has reached every error by step 500."""
    run = start(full(alpha=0.2, steps=steps), folder)
    until(lambda: not run.status.live)
    assert [failure["name"] for failure in run.status.signatures] == named


@pytest.mark.usefixtures("no_network")
def test_missing_data_fail_with_one_sentence(folder: Path) -> None:
    run = start(small(problem="movielens"), folder)
    until(lambda: not run.status.live)
    assert run.status.phase == "failed" and is_sentence(run.status.message)
    assert "MovieLens" in run.status.message and "DLN_DATA" in run.status.message
    assert len(run.rows()) == 0


def test_settings_that_do_not_fit_the_machine_fail_with_one_sentence(folder: Path) -> None:
    config = small(problem="sensing", rows=20_000, cols=20_000, measurements=1_000_000)
    run = start(config, folder)
    until(lambda: not run.status.live)
    assert run.status.phase == "failed" and is_sentence(run.status.message)
    assert "GB" in run.status.message


@pytest.mark.slow
def test_a_failed_run_is_tried_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Data may be there the second time."""
    config = small(problem="sensing", rows=20_000, cols=20_000, measurements=1_000_000)
    run = start(config, folder)
    until(lambda: not run.status.live)
    first = run.status
    start(config, folder)
    until(lambda: run.status.phase == "failed" and run.status.pid not in (0, first.pid))
    assert run.status.created > first.created


@pytest.mark.parametrize("every", [0.002, 0.7, 5.0])
def test_the_pace_is_that_of_training_however_seldom_a_record_comes(every: float) -> None:
    """Fifty steps a record; twice as fast from the hundredth on."""
    pace, now = worker.Pace(7.0, 100), 7.0
    assert pace.rate == 0
    for record in range(1, 101):
        now += every
        pace.note(now, 100 + 50 * record)
        assert pace.rate == pytest.approx(50 / every)
    for record in range(1, 2 + int(worker.PACE_OVER / (every / 2))):
        pace.note(now + record * every / 2, 5100 + 50 * record)
    assert pace.rate == pytest.approx(100 / every, rel=0.01)
