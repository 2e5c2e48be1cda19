"""Standby: the worker that waits takes the next run, and is never left over."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from dynamics.runs import standby
from dynamics.runs.run import CANCEL
from dynamics.runs.start import start
from tests.support.make import endless, small, until

ROOT = Path(__file__).parents[2]
SERVER = """
import sys
from pathlib import Path
from dynamics.runs import standby

standby.allowed = True
standby.keep(Path(sys.argv[1]))
print(standby._kept[0].process.pid, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def patch(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """As in a web process; nothing waits when the test is over."""
    monkeypatch.setattr(standby, "allowed", True)
    yield monkeypatch
    while standby._kept:
        standby._kept.pop().line.close()


def kept(folder: Path, patch: pytest.MonkeyPatch) -> psutil.Process:
    """The process that waits for the runs of this folder."""
    patch.delenv("PYTEST_CURRENT_TEST")  # pytest changes it, and a server's environment stays
    standby.keep(folder)
    (only,) = standby._kept
    return psutil.Process(only.process.pid)


def ended(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def test_it_takes_the_next_run(folder: Path, patch: pytest.MonkeyPatch) -> None:
    """The one after has a new worker; the next one waits when nothing trains."""
    process = kept(folder, patch)
    standby.keep(folder)  # a second page of the same server
    first = start(endless(), folder)
    until(lambda: len(first.rows()) > 2)
    assert first.status.pid == process.pid and first.status.live
    standby.keep(folder)
    assert not standby._kept, "beside training it would take a core"
    second = start(small(), folder)
    until(lambda: second.status.phase == "done")
    assert second.status.pid != process.pid and len(second.rows()) == 7
    first.ask(CANCEL)
    until(lambda: ended(process))
    assert first.status.phase == "cancelled"


def test_it_is_not_taken_where_the_environment_has_changed(
    folder: Path, patch: pytest.MonkeyPatch
) -> None:
    """It would read data from the former folder."""
    process = kept(folder, patch)
    patch.setenv("DLN_DATA", str(folder))
    run = start(small(), folder)
    until(lambda: run.status.phase == "done")
    assert run.status.pid != process.pid
    until(lambda: ended(process))


def test_it_ends_with_its_web_process(folder: Path) -> None:
    """Even a web process that is killed, and has no time to say so."""
    command = [sys.executable, "-c", SERVER, str(folder)]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as server:
        assert server.stdout
        process = psutil.Process(int(server.stdout.readline()))
        assert process.is_running()
        server.kill()
    psutil.wait_procs([process], 60)
    assert not process.is_running()


def test_it_ends_when_no_run_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    """From then on a run is refused, so that it gets a new worker."""
    monkeypatch.setattr(standby, "PATIENCE", 0.01)
    ours, its = socket.socketpair()
    with ours, its:
        assert standby.wait(its) is None
        with pytest.raises(BrokenPipeError):
            ours.send(b"a run")
