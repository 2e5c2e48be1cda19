"""The launcher forks a worker for every run, and is never left over."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from dynamics.runs import launcher
from dynamics.runs.run import CANCEL, Run
from dynamics.runs.start import began, start
from tests.support.make import endless, small, until

ROOT = Path(__file__).parents[2]
SERVER = """
import sys
from pathlib import Path
from dynamics.core.config import Config
from dynamics.runs import launcher
from dynamics.runs.start import start
from tests.support.make import endless

launcher.keep()
print(launcher._kept[0].process.pid, flush=True)
start(endless(), Path(sys.argv[1]))
sys.stdin.read()
"""


@pytest.fixture
def kept() -> Iterator[psutil.Process]:
    """A launcher of its own for this process, instead of the one that all tests share."""
    before = launcher._kept[:]
    launcher._kept.clear()
    launcher.keep()
    yield psutil.Process(launcher._kept[0].process.pid)
    for each in launcher._kept:
        each.line.close()
        each.process.wait()
    launcher._kept[:] = before


def ended(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def test_it_forks_a_worker_for_each_run(folder: Path, kept: psutil.Process) -> None:
    """In a session of its own, which keeps nothing of the launcher open; no zombie stays."""
    launcher.keep()  # a second page of the same server
    first = start(endless(), folder)
    second = start(small(), folder)
    until(lambda: second.status.phase == "done" and len(first.rows()) > 2)
    worker = psutil.Process(first.status.pid)
    assert worker.ppid() == kept.pid and second.status.pid != worker.pid
    assert os.getsid(worker.pid) == worker.pid
    assert len(second.rows()) == 7
    until(lambda: kept.children() == [worker])
    first.ask(CANCEL)
    until(lambda: not kept.children())
    assert first.status.phase == "cancelled"
    assert (first.folder / "log.txt").read_text() == ""


def test_a_worker_has_the_environment_of_whoever_starts_it(
    folder: Path, kept: psutil.Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would read data from the former folder."""
    monkeypatch.setenv("DLN_DATA", str(folder))
    monkeypatch.delenv("HOME")
    run = start(endless(), folder)
    until(lambda: run.status.phase == "running")
    # /proc shows what a process began with, which is the launcher's.
    assert began(run) and psutil.Process(run.status.pid).ppid() == kept.pid
    (folder / "ml-100k").mkdir()
    (folder / "ml-100k" / "u.data").write_text("strange")
    rated = start(small(problem="movielens"), folder)
    until(lambda: rated.status.phase == "failed")
    assert str(folder) in rated.status.message
    run.ask(CANCEL)


def test_a_launcher_that_was_killed_costs_no_run(folder: Path, kept: psutil.Process) -> None:
    """The next run loads torch itself."""
    kept.kill()
    until(lambda: ended(kept))
    run = start(small(), folder)
    until(lambda: run.status.phase == "done")
    launcher.keep()
    assert launcher._kept[0].process.pid != kept.pid


def test_it_ends_with_its_web_process_and_its_workers_do_not(folder: Path) -> None:
    """Even a web process that is killed, and has no time to say so."""
    command = [sys.executable, "-c", SERVER, str(folder)]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as server:
        assert server.stdout
        process = psutil.Process(int(server.stdout.readline()))
        run = Run(folder / endless().key)
        until(lambda: run.folder.exists() and len(run.rows()) > 2)
        assert psutil.Process(run.status.pid).ppid() == process.pid
        server.send_signal(signal.SIGKILL)
    psutil.wait_procs([process], 60)
    assert not process.is_running()
    step = run.status.step
    until(lambda: run.status.step > step)
    assert run.status.phase == "running"


def test_it_ends_when_no_run_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    """From then on a run is refused, so that it gets a worker that loads torch itself."""
    monkeypatch.setattr(launcher, "PATIENCE", 0.01)
    ours, its = socket.socketpair()
    before = signal.getsignal(signal.SIGCHLD)
    with ours, its:
        launcher.serve(its)
        signal.signal(signal.SIGCHLD, before)
        with pytest.raises(BrokenPipeError):
            ours.send(b"a run")
