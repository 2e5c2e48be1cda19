"""Here: processes of this machine, as many as the queue has places, with one thread each.

Records come back in files, and the pipe of a pool carries their names alone: one of a few bytes is
written whole, but a process that is killed with half of its records in the pipe would have whoever
waits for the other half wait for ever.
"""

import concurrent.futures
import contextlib
import multiprocessing
import os
import pickle
import signal
import tempfile
import threading
from collections.abc import Sequence
from concurrent.futures.process import BrokenProcessPool, ProcessPoolExecutor
from pathlib import Path

from dynamics.core.config import Config
from dynamics.core.records import Trained
from dynamics.runs import launcher, queue
from dynamics.runs.executors import DiedError

NICENESS = 5  # as that of a single run: the web app comes first


class Here:
    """Each place is a pool of one process, so that a dead process tells which runs it had."""

    def __init__(self, places: int | None = None) -> None:
        self._places = [_Place() for _ in range(places or queue.capacity())]

    @property
    def places(self) -> int:
        """How many lists are trained at once."""
        return len(self._places)

    def submit(
        self, configs: Sequence[Config], more: Sequence[str]
    ) -> concurrent.futures.Future[list[Trained]]:
        """Train a list of runs in the place with the fewest."""
        return min(self._places, key=lambda place: place.waiting).submit(configs, more)

    def close(self) -> None:
        """Kill the processes; they write nothing, so nothing is left half-made."""
        for place in self._places:
            place.close()


class _Place:
    """One process, which is started anew if it has died."""

    def __init__(self) -> None:
        self.waiting = 0
        self._closed = False
        self._folder = tempfile.TemporaryDirectory(prefix="dln-sweep-", ignore_cleanup_errors=True)
        self._start()

    def _start(self) -> None:
        self._pool = ProcessPoolExecutor(1, _context(), _begin)
        self._pid = self._pool.submit(os.getpid)

    def submit(
        self, configs: Sequence[Config], more: Sequence[str]
    ) -> concurrent.futures.Future[list[Trained]]:
        told: concurrent.futures.Future[list[Trained]] = concurrent.futures.Future()
        self.waiting += 1
        given = list(configs), list(more), self._folder.name
        try:
            task = self._pool.submit(_train, *given)
        except BrokenProcessPool:  # it died while it had nothing to do
            self._start()
            task = self._pool.submit(_train, *given)

        def tell(done: concurrent.futures.Future[str]) -> None:
            self.waiting -= 1
            if done.cancelled():
                told.cancel()
            elif isinstance(done.exception(), BrokenProcessPool):
                if not self._closed:
                    self._start()
                told.set_exception(DiedError())
            elif error := done.exception():
                told.set_exception(error)
            else:
                try:
                    told.set_result(_read(Path(done.result())))
                except OSError as missing:  # the place was closed meanwhile
                    told.set_exception(missing)

        task.add_done_callback(tell)
        return told

    def close(self) -> None:
        self._closed = True
        with contextlib.suppress(Exception):  # a process that has died has no number
            os.kill(self._pid.result(), signal.SIGKILL)
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._folder.cleanup()


def _context() -> "multiprocessing.context.BaseContext":
    """How processes begin: forked from one that has loaded torch, and nothing else, if possible.

    One forked from this process would share its threads and the locks that they hold.
    """
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(launcher.needed())
    return context


def _begin() -> None:
    """Make this process polite: quiet at Ctrl-C, of low priority, and gone with its parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(NICENESS)
    parent = multiprocessing.parent_process()
    assert parent is not None

    def follow() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=follow, daemon=True).start()


def _train(configs: list[Config], more: list[str], folder: str) -> str:
    """Train a list of runs; returns the file that has them."""
    from dynamics.engine.training.many import train  # loads torch, which the caller lacks

    trained = train(configs, more)
    with tempfile.NamedTemporaryFile(dir=folder, delete=False) as file:
        pickle.dump(trained, file, pickle.HIGHEST_PROTOCOL)
    return file.name


def _read(file: Path) -> list[Trained]:
    """The runs that a process of this program has put into a file, which goes."""
    trained: list[Trained] = pickle.loads(file.read_bytes())
    file.unlink()
    return trained
