"""The launcher forks a worker for every run, and is never left over."""

import os
import signal
import socket
import subprocess
import sys
import threading
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
import os, sys
from pathlib import Path
from dynamics.core.config import Config
from dynamics.runs import launcher
from dynamics.runs.start import start
from tests.support.make import endless, small, until

if waits := "DLN_WAITS" in os.environ:
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
launcher.keep()
print(launcher._kept[0].process.pid, flush=True)
first = start(endless(), Path(sys.argv[1]))
if waits:
    until(lambda: first.status.phase == "running")
    start(small(), Path(sys.argv[1]))
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


@pytest.fixture
def one_place(kept: psutil.Process) -> Iterator[psutil.Process]:
    """A launcher that has one core, and so trains one run at a time."""
    cores = os.sched_getaffinity(0)
    kept.cpu_affinity([max(cores)])
    os.sched_setaffinity(0, {max(cores)})
    yield kept
    os.sched_setaffinity(0, cores)


def test_a_run_that_waits_is_no_process(folder: Path, one_place: psutil.Process) -> None:
    """It has its place in the queue, is cancelled there, and begins once it is its turn."""
    first = start(endless(), folder)
    until(lambda: first.status.phase == "running")
    waiting = []
    for seed in (1, 2, 3):
        run = start(small(seed_init=seed), folder)
        until(lambda run=run: run.position is not None)
        waiting.append(run)
    assert [run.position for run in waiting] == [0, 1, 2] and first.position is None
    assert {(run.status.phase, run.status.pid) for run in waiting} == {("queued", 0)}
    assert [child.pid for child in one_place.children()] == [first.status.pid]
    gone = waiting.pop(1)
    gone.ask(CANCEL)
    until(lambda: gone.status.phase == "cancelled" and waiting[-1].position == 1)
    gone.delete()
    first.ask(CANCEL)
    until(lambda: all(run.status.phase == "done" for run in waiting))
    ends = [(run.folder / "status.json").stat().st_mtime_ns for run in waiting]
    assert ends == sorted(ends)
    until(lambda: not one_place.children())


def test_a_worker_holds_nothing_of_those_that_wait(folder: Path, one_place: psutil.Process) -> None:
    """It was forked while they waited: with the launcher they are lost, and say so."""
    first = start(endless(), folder)
    until(lambda: first.status.phase == "running")
    waiting = [start(endless(seed_init=seed), folder) for seed in (1, 2)]
    until(lambda: [run.position for run in waiting] == [0, 1])
    first.ask(CANCEL)
    until(lambda: waiting[0].status.phase == "running")
    assert waiting[1].position == 0
    one_place.kill()
    until(lambda: waiting[1].status.phase == "lost")
    assert waiting[0].status.phase == "running" and waiting[1].position is None


def test_a_worker_that_loads_torch_itself_leaves_no_zombie(folder: Path, alone: None) -> None:
    """Also if nobody starts another run."""
    run = start(small(), folder)
    until(lambda: run.status.phase == "done")
    me = psutil.Process()
    until(lambda: run.status.pid not in [child.pid for child in me.children()])


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


def test_what_waits_begins_also_without_the_web_process(folder: Path) -> None:
    """The launcher stays until it has."""
    environment = os.environ | {"DLN_WAITS": "1"}
    command = [sys.executable, "-c", SERVER, str(folder)]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
    ) as server:
        assert server.stdout
        process = psutil.Process(int(server.stdout.readline()))
        first, second = Run(folder / endless().key), Run(folder / small().key)
        until(lambda: second.folder.exists() and second.position == 0)
        server.send_signal(signal.SIGKILL)
    until(lambda: server.poll() is not None)
    assert process.is_running() and second.status.phase == "queued"
    first.ask(CANCEL)
    until(lambda: second.status.phase == "done")
    psutil.wait_procs([process], 60)
    assert not process.is_running()


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


def test_ctrl_c_cuts_no_message_to_the_launcher() -> None:
    """What is sent in part would be a run that nobody trains, and would garble the next one."""
    line, its = socket.socketpair()
    content = os.urandom(2_000_000)  # more than the kernel keeps: who sends it waits
    received: list[bytes] = []

    def read() -> None:
        until(lambda: its.recv(1, socket.MSG_PEEK))
        os.kill(os.getpid(), signal.SIGINT)
        received.append(launcher._receive(its)[0])

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    reader = threading.Thread(target=read)
    try:
        reader.start()
        with pytest.raises(KeyboardInterrupt), line:
            launcher._send(line, content, [])
    finally:
        signal.signal(signal.SIGINT, before)
    reader.join(60)
    its.close()
    assert received == [content]
