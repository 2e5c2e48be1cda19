"""Data sets: the folder that they are read from, and the error if one is missing or wrong."""

import contextlib
import fcntl
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

PAUSE = 0.2  # seconds between two looks whether another process still downloads


class DataError(Exception):
    """A data set that is missing or not what it should be; the message is one clear sentence."""


def folder() -> Path:
    """The folder of the data sets: ``$DLN_DATA``, else ``~/.cache/dln-explorer``."""
    return Path(os.environ.get("DLN_DATA") or Path.home() / ".cache" / "dln-explorer")


@contextlib.contextmanager
def alone(place: Path, what: str, report: Callable[[str], None]) -> Iterator[None]:
    """Inside the block no other process downloads ``what`` into the folder ``place``.

    Raises:
        DataError: if the folder cannot be written.
    """
    try:
        place.mkdir(parents=True, exist_ok=True)
        lock = (place / ".lock").open("w")
    except OSError as error:
        raise DataError(f"{place} cannot be written: {error.strerror}.") from None
    with lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                report(f"waiting for {what}, which another process downloads")
                time.sleep(PAUSE)
        yield
