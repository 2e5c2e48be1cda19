"""Dask: a cluster of Dask workers, reached by the address of its scheduler.

Needs ``requirements-cluster.txt``, here and on every worker. A worker must run the very same code
and the same torch as this process: both are compared before the first run, and again wherever runs
are trained, for workers that join later.
"""

import concurrent.futures
import contextlib
import functools
import hashlib
import platform
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from dynamics.core.config import VERSION, Config
from dynamics.core.records import Trained
from dynamics.runs.executors import DiedError, LostError
from dynamics.runs.run import RunError

REACHED = 10  # seconds within which a scheduler must answer
AGAIN = 60  # seconds for which a scheduler that was lost is looked for
LOOK = 1.0  # seconds between two looks at how many workers there are
NEEDED = "A cluster needs Dask: pip install -r requirements-cluster.txt."


class Dask:
    """The workers of one scheduler.

    Raises:
        RunError: if Dask is missing here, no scheduler answers, or a worker has other code.
    """

    def __init__(self, address: str) -> None:
        self._address = address
        self._client = self._connected(REACHED)
        self._looked = 0.0
        self._places = 0
        self._check()

    def _connected(self, patience: float) -> Any:
        try:
            from distributed import Client
        except ImportError:
            raise RunError(NEEDED) from None
        try:
            return Client(self._address, timeout=patience, set_as_default=False)
        except (OSError, TimeoutError, ValueError):
            raise RunError(f"No Dask scheduler answers at {self._address}.") from None

    def _check(self) -> None:
        """Compare code, torch and Config of all workers with those of this process.

        Raises:
            RunError: with one sentence that names the worker.
        """
        mine = versions()
        try:
            found = self._client.run(versions, on_error="return")
        except (OSError, TimeoutError) as error:
            raise RunError(f"The workers at {self._address} do not answer: {error}.") from None
        for worker, theirs in found.items():
            if isinstance(theirs, BaseException):
                raise RunError(f"Worker {worker} cannot load this program: {theirs}.")
            if theirs != mine:
                raise RunError(f"Worker {worker} {differs(mine, theirs)}.")

    @property
    def places(self) -> int:
        """How many threads all workers have; 1 while there is none, so that tasks wait there."""
        if time.monotonic() - self._looked > LOOK:
            self._looked = time.monotonic()
            with contextlib.suppress(OSError, TimeoutError):
                self._places = sum(self._client.nthreads().values())
        return max(1, self._places)

    def submit(
        self, configs: Sequence[Config], more: Sequence[str]
    ) -> concurrent.futures.Future[list[Trained]]:
        """Train a list of runs on one of the workers.

        Raises:
            RunError: if the scheduler was lost and does not come back.
        """
        if self._client.status != "running":
            self._reconnect()
        task = self._client.submit(_train, versions(), list(configs), list(more), pure=False)
        told: concurrent.futures.Future[list[Trained]] = concurrent.futures.Future()

        def tell(done: Any) -> None:
            if done.status == "finished":
                with contextlib.suppress(OSError, TimeoutError):
                    told.set_result(done.result())
                    return
            if done.status == "error":
                told.set_exception(_meant(done.exception()))
            else:  # lost or cancelled: the scheduler has gone
                told.set_exception(LostError())

        task.add_done_callback(tell)
        return told

    def _reconnect(self) -> None:
        """Look for the scheduler where it was; a new one in its place does as well."""
        with contextlib.suppress(OSError, TimeoutError):
            self._client.close(timeout=1)
        deadline = time.monotonic() + AGAIN
        while True:
            try:
                self._client = self._connected(REACHED)
                self._check()
                return
            except RunError:
                if time.monotonic() > deadline:
                    raise

    def close(self) -> None:
        """Forget all tasks, which ends those that wait, and leave the cluster as it is."""
        with contextlib.suppress(OSError, TimeoutError):
            self._client.close(timeout=5)


def _meant(error: BaseException) -> BaseException:
    from distributed.scheduler import KilledWorker

    return DiedError() if isinstance(error, KilledWorker) else error


@functools.cache
def versions() -> dict[str, str]:
    """What must be equal on every machine of a sweep."""
    program = Path(__file__).parents[2]
    content = hashlib.sha256()
    for file in sorted([*program.rglob("*.py"), *program.rglob("*.cpp")]):
        content.update(str(file.relative_to(program)).encode())
        content.update(file.read_bytes())
    return {
        "code": content.hexdigest()[:12],
        "torch": version("torch"),
        "Config": str(VERSION),
        "Python": ".".join(platform.python_version_tuple()[:2]),
    }


def differs(mine: dict[str, str], theirs: dict[str, str]) -> str:
    """What differs, as words that follow the name of a worker."""
    parts = [f"{name} {theirs.get(name)}, not {value}" for name, value in mine.items()
             if theirs.get(name) != value]  # fmt: skip
    return f"has {' and '.join(parts)}"


def _train(wanted: dict[str, str], configs: list[Config], more: list[str]) -> list[Trained]:
    """Train on a worker; one that joined late is held to the same versions.

    Raises:
        RunError: if it differs.
    """
    if versions() != wanted:
        raise RunError(f"Worker {platform.node()} {differs(wanted, versions())}.")
    from dynamics.engine.training.many import train  # loads torch

    return train(configs, more)
