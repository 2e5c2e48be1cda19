"""Launcher: a process that has loaded torch and forks a worker for each run.

Loading torch costs more processor time than many a run. So a process that starts runs one after
another, a web server above all, keeps one launcher, which loads torch once and shares it with the
workers that it forks: they begin within milliseconds and share its memory. A run that waits for its
turn is no process: the launcher holds its ticket, and forks a worker once it has a place. The
launcher ends ten minutes after its last run, or when the process that keeps it ends, however it
ends, once no run waits any more; its workers go on. For the line between both is the launcher's
standard input, which the kernel closes then. A process that keeps none has each worker load torch
itself.
"""

import contextlib
import dataclasses
import gc
import importlib
import json
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import psutil

from dynamics.core import registry
from dynamics.core.machine import files
from dynamics.core.registry import options
from dynamics.runs import queue, worker
from dynamics.runs.run import CANCEL, Run, RunError

PATIENCE = 600.0  # seconds that it waits for a run
ROOM = 2_000_000_000  # bytes of free memory below which none is kept; one takes about a tenth
LOADED = (  # what all runs need
    "dynamics.engine.training.many",
    "dynamics.engine.training.twin",
    "dynamics.runs.writer",
    "dynamics.findings.failures",
    "dynamics.findings.rounding",
)
KINDS = ("problems", "networks", "optimizers", "backbones", "measurements")  # what some runs need
SIZE = struct.Struct("<I")  # of a message: bytes that follow


@dataclass
class _Launcher:
    """The launcher of this process and the line to it."""

    process: subprocess.Popen[bytes]
    line: socket.socket


_lock = threading.Lock()
_kept: list[_Launcher] = []  # none or one


def needed() -> list[str]:
    """The modules to load before workers are forked; after torch, none of them takes long."""
    return [*LOADED, *(registry.module(kind, name) for kind in KINDS for name in options(kind))]


def keep() -> None:
    """Have a launcher ready from now on, unless memory is short or this system forks badly."""
    with _lock:
        if _kept and _kept[0].process.poll() is not None:
            _kept.pop().line.close()
        if _kept or sys.platform != "linux" or psutil.virtual_memory().available < ROOM:
            return
        line, its = socket.socketpair()
        with its:
            process = _python("dynamics.runs.launcher", stdin=its.fileno())
        _kept.append(_Launcher(process, line))


def launch(run: Path, alive: int, log: int) -> None:
    """Begin a worker for the run in this folder, with the environment of this process.

    Args:
        run: the folder.
        alive: a file whose lock the worker holds as long as it lives.
        log: a file for its output.
    """
    content = json.dumps([str(run), files.environment()]).encode()
    with _lock:
        if _kept:
            try:
                _send(_kept[0].line, content, [alive, log])
                return
            except OSError:  # it has ended
                _kept.pop().line.close()
        bury(_python("dynamics.runs.worker", str(run), output=log, alive=alive))


def bury(process: subprocess.Popen[bytes]) -> None:
    """Let no zombie stay of a process of which nobody wants to know how it ends."""
    threading.Thread(target=process.wait, daemon=True).start()


def _python(
    module: str,
    *arguments: str,
    stdin: int = subprocess.DEVNULL,
    output: int = subprocess.DEVNULL,
    alive: int | None = None,
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        cwd=Path(__file__).parents[2],
        env=files.environment(),
        stdin=stdin,
        stdout=output,
        stderr=output,
        pass_fds=() if alive is None else [alive],
        start_new_session=True,
    )


def _send(line: socket.socket, content: bytes, given: list[int]) -> None:
    """Send a message whole: Ctrl-C, which only the main thread hears, comes before or after it."""

    def send() -> None:
        socket.send_fds(line, [SIZE.pack(len(content))], given)
        line.sendall(content)

    with ThreadPoolExecutor(1) as thread:
        thread.submit(send).result()


def _receive(line: socket.socket) -> tuple[bytes, list[int]]:
    """The next message and the files that came with it; an empty one at the end of the line."""
    head, given, _, _ = socket.recv_fds(line, SIZE.size, 2)
    content = b""
    while head and len(content) < SIZE.unpack(head)[0]:
        part = line.recv(SIZE.unpack(head)[0] - len(content))
        if not part:
            return b"", given
        content += part
    return content, given


@dataclass
class _Waiting:
    """A run that waits for its turn, and what its worker will have.

    Attributes:
        run: its folder.
        environment: of whoever started it.
        alive: a file whose lock the worker will hold.
        log: a file for the worker's output.
        ticket: the run's number in the queue.
    """

    run: Run
    environment: dict[str, str]
    alive: int
    log: int
    ticket: queue.Ticket

    @classmethod
    def of(cls, content: bytes, given: list[int]) -> "_Waiting | None":
        """The run of a message; None if it has no queue, such as one that was deleted."""
        folder, environment = json.loads(content)
        alive, log = given
        try:
            run = Run(Path(folder))
            ticket = queue.Ticket(run.folder, run.status.created)
            return cls(run, environment, alive, log, ticket)
        except (OSError, RunError):
            os.close(alive)
            os.close(log)
            return None

    def leave(self) -> None:
        """Let go of the files: those of the worker are its own."""
        os.close(self.alive)
        os.close(self.log)

    def gone(self) -> bool:
        """Whether it was cancelled while it waited, or deleted; then it has left the queue."""
        with contextlib.suppress(OSError, RunError):
            if self.run.folder.is_dir() and self.run.asked() != CANCEL:
                return False
            ended = dataclasses.replace(self.run.status, phase="cancelled", message="")
            self.run.write("status.json", dataclasses.asdict(ended))
        self.ticket.tear()
        self.leave()
        return True


def serve(line: socket.socket) -> None:
    """In the launcher: fork a worker for each run in its turn, until no run comes or waits."""
    worker.lower_session()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel buries workers that have ended
    for name in needed():
        with contextlib.suppress(Exception):  # the run itself tells why it cannot be loaded
            importlib.import_module(name)
    with contextlib.suppress(Exception):  # or each worker would have to find the libraries anew
        importlib.import_module("dynamics.engine.device").use_threads()
    gc.collect()
    gc.freeze()  # or a worker's first collection would copy the pages that it shares
    waiting: list[_Waiting] = []
    while True:
        ready, _, _ = select.select([line], [], [], queue.LOOK if waiting else PATIENCE)
        if not ready and waiting:
            _turns(line, waiting)
            continue
        if not ready:
            line.shutdown(socket.SHUT_RD)  # whoever gives a run from now on is refused
        content, given = _receive(line)  # if none was ready, one that was given just before
        if not content:
            break
        if new := _Waiting.of(content, given):
            waiting.append(new)
        _turns(line, waiting)
    while waiting:  # nobody is there any more who would give another one
        _turns(line, waiting)
        time.sleep(queue.LOOK)


def _turns(line: socket.socket, waiting: list[_Waiting]) -> None:
    """Fork a worker for each waiting run whose turn it is; those leave the list."""
    waiting[:] = [each for each in waiting if not each.gone()]
    for each in list(waiting):
        try:
            place = each.ticket.place()
        except OSError:  # its folder is being deleted
            continue
        if place:
            waiting.remove(each)
            if os.fork() == 0:
                line.close()
                for other in waiting:  # or their locks would live as long as this worker
                    other.ticket.forget()
                    other.leave()
                _work(each, place)
            each.ticket.tear()
            each.leave()  # the worker alone holds the lock
            place.close()


def _work(mine: _Waiting, place: IO[str]) -> None:
    """Be the worker of a run, with its place in the queue; never returns."""
    status = 1
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setsid()
        mine.ticket.tear()
        with open(os.devnull, encoding="utf-8") as nothing:
            os.dup2(nothing.fileno(), 0)
        for output in (1, 2):
            os.dup2(mine.log, output)
        os.environ.clear()
        os.environ.update(mine.environment)
        worker.train(mine.run.folder, place)
        status = 0
    except Exception:
        sys.excepthook(*sys.exc_info())
    finally:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError):
                stream.flush()
        os._exit(status)  # what the launcher does at its own end is not the worker's


if __name__ == "__main__":
    with socket.socket(fileno=os.dup(0)) as given_line:
        serve(given_line)
