"""Kept: the folder of the data sets that users import, one file each, named by its content."""

import os
import re
import shutil
import unicodedata
from pathlib import Path
from typing import BinaryIO

from dynamics.data import folder as data
from dynamics.data.folder import DataError

MOST_LETTERS = 40  # of a name
NAME = r"(?P<name>[a-z0-9]+(?:-[a-z0-9]+)*)"
DIGEST = r"(?P<digest>[0-9a-f]{16})"


def folder() -> Path:
    """The folder of what users import."""
    return data.folder() / "own"


def place(name: str) -> Path:
    """The path of a file of the folder."""
    return folder() / name


def copy(file: Path | BinaryIO, name: str) -> None:
    """Write a file into the folder in one go, unless it is there: a full disk leaves no half of it.

    Raises:
        OSError: if it cannot be written.
    """
    goal = place(name)
    if goal.exists():
        return
    goal.parent.mkdir(parents=True, exist_ok=True)
    aside = goal.with_name(f".{goal.name}.{os.getpid()}")
    try:
        if isinstance(file, Path):
            shutil.copyfile(file, aside)
        else:
            file.seek(0)
            with aside.open("wb") as opened:
                shutil.copyfileobj(file, opened)
        aside.replace(goal)
    finally:
        aside.unlink(missing_ok=True)


def content(file: str | Path | BinaryIO, most: int) -> bytes:
    """All bytes of a file, by path or opened.

    Raises:
        DataError: with half a sentence, if it is missing, cannot be read or has more than ``most``.
    """
    try:
        if isinstance(file, str | Path):
            if not Path(file).is_file():
                raise DataError("no such file exists")
            with Path(file).open("rb") as opened:
                read = opened.read(most + 1)
        else:
            file.seek(0)
            read = file.read(most + 1)
    except OSError as error:
        raise DataError(f"it cannot be read: {error.strerror}") from None
    if len(read) > most:
        raise DataError(f"it has more than {most / 1e6:g} MB")
    return read


def letters(name: str) -> str:
    """A file's name in the letters of an id; ``data`` if none of them remains."""
    plain = unicodedata.normalize("NFKD", Path(name).stem).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower())[:MOST_LETTERS].strip("-") or "data"
