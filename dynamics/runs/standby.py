"""Standby: a worker that loads torch before its run is known, so that the first picture comes soon.

A web process keeps at most one, while somebody uses its pages and nothing trains. It takes the next
run, or ends: after ten minutes, or at once when the web process ends, however it ends. For the line
between both is the worker's standard input, which the kernel closes then.
"""

import contextlib
import importlib
import os
import socket
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

import psutil

from dynamics.core.machine import files
from dynamics.runs import queue

PATIENCE = 600.0  # seconds that it waits for a run
ROOM = 2_000_000_000  # bytes of free memory below which none is kept; one takes about a tenth
LONGEST = 65_536  # bytes of a folder's path
LOADED = (  # what most runs need
    "dynamics.engine.training.comparison",
    "dynamics.engine.training.twin",
    "dynamics.runs.writer",
    "dynamics.findings.failures",
    "dynamics.findings.rounding",
)


@dataclass
class _Standby:
    """A process that waits, the line to it, and the environment in which it was started."""

    process: subprocess.Popen[bytes]
    line: socket.socket
    environment: dict[str, str]


allowed = False  # whether this process is a web process
_lock = threading.Lock()
_kept: list[_Standby] = []  # none or one


def keep(folder: Path) -> None:
    """In a web process, have one wait unless a run of this folder trains or memory is short."""
    if not allowed:
        return
    with _lock:
        if _kept and _kept[0].process.poll() is not None:
            _kept.pop().line.close()
        if _kept or queue.busy(folder) or psutil.virtual_memory().available < ROOM:
            return
        line, its = socket.socketpair()
        with its:
            _kept.append(_Standby(_launch(stdin=its.fileno()), line, files.environment()))


def worker(run: Path, alive: int, log: int) -> subprocess.Popen[bytes]:
    """A worker for the run in this folder: the one that waits, if a core is free, else a new one.

    Args:
        run: the folder.
        alive: a file whose lock the worker holds as long as it lives.
        log: a file for its output.
    """
    with _lock:
        ready = _kept.pop() if _kept and queue.busy(run.parent) < queue.capacity() else None
    if ready:
        with ready.line, contextlib.suppress(OSError):  # it may have ended
            if ready.environment == files.environment():
                socket.send_fds(ready.line, [os.fsencode(run)], [alive, log])
                return ready.process
    return _launch(str(run), stdin=subprocess.DEVNULL, output=log, alive=alive)


def _launch(
    *run: str,
    stdin: int,
    output: int = subprocess.DEVNULL,
    alive: int | None = None,
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "dynamics.runs.worker", *run],
        cwd=Path(__file__).parents[2],
        env=files.environment(),
        stdin=stdin,
        stdout=output,
        stderr=output,
        pass_fds=() if alive is None else [alive],
        start_new_session=True,
    )


def wait(line: socket.socket) -> Path | None:
    """In the process that waits: load torch; returns the folder of the run, None if none comes."""
    for name in LOADED:
        with contextlib.suppress(Exception):  # the run itself tells why it cannot be loaded
            importlib.import_module(name)
    line.settimeout(PATIENCE)
    try:
        run, given, _, _ = socket.recv_fds(line, LONGEST, 2)
    except TimeoutError:
        line.shutdown(socket.SHUT_RD)  # whoever gives a run from now on is refused
        run, given, _, _ = socket.recv_fds(line, LONGEST, 2)  # one that was given just before
    if not run:
        return None
    _, log = given  # the other stays open, and with it the lock
    for output in (1, 2):
        os.dup2(log, output)
    return Path(os.fsdecode(run))
