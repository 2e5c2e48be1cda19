"""Version: the form of a run's or a sweep's folder, so that no program misreads a later one's."""

import json
from pathlib import Path

from dynamics.core.machine import files

FORMAT = 1  # raise it when a program of before would misread a folder of now
LARGEST = 1_000_000  # a larger number is no version but damage
NAME = "format.json"
CONTENT = json.dumps({"format": FORMAT}).encode()


def stamp(folder: Path) -> None:
    """Write into a new folder which form it has."""
    files.replace(folder / NAME, CONTENT)


def written(folder: Path) -> int | None:
    """The version of a folder: 0 if it is older than versions are, None if that is damaged."""
    try:
        number = files.parsed((folder / NAME).read_bytes())["format"]
    except (FileNotFoundError, NotADirectoryError):
        return 0
    except (KeyError, TypeError, ValueError):
        return None
    return number if type(number) is int and 0 < number <= LARGEST else None


def newer(folder: Path) -> bool:
    """Whether a newer version has written the folder: this one must neither read nor replace it."""
    return (written(folder) or 0) > FORMAT


def refusal(folder: Path, what: str) -> str:
    """Why this program does not read a folder, in one sentence; empty if it reads it.

    Args:
        folder: of a run or of a sweep.
        what: it in words, as a sentence begins.
    """
    if newer(folder):
        return (
            f"{what} was written by a newer version of this program (its folder has format "
            f"{written(folder)}, and this program reads up to {FORMAT}); update the program to "
            "open it."
        )
    return f"{what} is damaged: {NAME} names no version." if written(folder) is None else ""
