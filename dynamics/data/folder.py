"""Data sets: the folder that they are read from, and the error if one is missing or wrong."""

import os
from pathlib import Path


class DataError(Exception):
    """A data set that is missing or not what it should be; the message is one clear sentence."""


def folder() -> Path:
    """The folder of the data sets: ``$DLN_DATA``, else ``~/.cache/dln-explorer``."""
    return Path(os.environ.get("DLN_DATA") or Path.home() / ".cache" / "dln-explorer")
