"""Files: how files are written, so that no reader ever finds half of anything.

A disk may be full for one record and have room again for the next one. So every write either leaves
the whole content or leaves the file as it was, and says so.
"""

import contextlib
import json
import os
import tempfile
from collections.abc import Iterator
from errno import ENOSPC
from pathlib import Path
from typing import IO, Any


def refusal(error: OSError, name: str | Path) -> str:
    """What the system refused, as the beginning of a sentence: the file, else ``name``, and why."""
    reason = error.strerror or str(error) or type(error).__name__
    return f"{error.filename or name}: {reason.removesuffix('.')}."


def environment() -> dict[str, str]:
    """The environment for a process in another working directory: folders are absolute in it."""
    named = {name: os.environ.get(name) for name in ("DLN_DATA", "DLN_RUNS", "HOME")}
    return os.environ | {name: os.path.abspath(value) for name, value in named.items() if value}


def parsed(content: bytes | str) -> Any:
    """The value that JSON stands for.

    Raises:
        ValueError: if it is no JSON, or is nested too deeply to be read.
    """
    try:
        return json.loads(content)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def append(file: Path, content: bytes, row: int) -> None:
    """Append rows to a file of rows. Afterwards the file has all of them, or none.

    Args:
        file: created if it does not exist. What follows its last whole row is cut off first.
        content: one or more rows.
        row: bytes of a row.

    Raises:
        OSError: with the name of the file, if not everything could be written.
    """
    handle = os.open(file, os.O_WRONLY | os.O_CREAT, 0o644)
    try:
        whole = os.fstat(handle).st_size // row * row
        os.ftruncate(handle, whole)
        try:
            _write(handle, content, whole)
        except OSError as error:
            os.ftruncate(handle, whole)
            raise OSError(error.errno, error.strerror, str(file)) from None
    finally:
        os.close(handle)


def replace(file: Path, content: bytes, durable: bool = False) -> None:
    """Write a file beside its final place and put it there in one go.

    Args:
        file: replaced if it exists.
        content: all of it.
        durable: whether to wait until the disk has it, so that it survives a power cut.

    Raises:
        OSError: with the name of the file; what was there before is still there.
    """
    if file.exists() and not file.is_file():  # such as /dev/null, which nothing may replace
        file.write_bytes(content)
        return
    file = file.resolve()  # a link stays a link
    try:
        handle, temporary = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}")
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(file)) from None
    try:
        try:
            _write(handle, content, 0)
            os.fchmod(handle, 0o644)
            if durable:
                os.fsync(handle)
        finally:
            os.close(handle)
        os.replace(temporary, file)
    except OSError as error:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise OSError(error.errno, error.strerror, str(file)) from None


@contextlib.contextmanager
def replacing(file: Path) -> Iterator[IO[bytes]]:
    """A file to write to, a part at a time, which is put in its place when the block ends well.

    Raises:
        OSError: with the name of the file, if it cannot be written; what was there before is still
            there.
    """
    if file.exists() and not file.is_file():  # such as /dev/null, which nothing may replace
        with open(file, "wb") as there:
            yield there
        return
    file = file.resolve()  # a link stays a link
    temporary = ""
    try:
        handle, temporary = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}"[:200])
        with open(handle, "wb") as written:
            yield written
            os.fchmod(written.fileno(), 0o644)
        os.replace(temporary, file)
    except BaseException as error:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        if isinstance(error, OSError):
            raise OSError(error.errno, error.strerror, str(file)) from None
        raise


def settle(file: Path) -> None:
    """Wait until the disk has all that was written to a file; a missing file is no error."""
    with contextlib.suppress(FileNotFoundError):
        handle = os.open(file, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _write(handle: int, content: bytes, start: int) -> None:
    """Write at a place of the file; a disk that fills up takes a part and reports no error."""
    left = memoryview(content)
    while left:
        count = os.pwrite(handle, left, start)
        if not count:
            raise OSError(ENOSPC, os.strerror(ENOSPC))
        left = left[count:]
        start += count
