"""Data sets: where they are read from, how they are fetched, and that they are what they claim."""

import os
from pathlib import Path


class DataError(Exception):
    """A data set that is missing or not what it should be; the message is one clear sentence."""


def folder() -> Path:
    """Where data sets are: ``$DLN_DATA``, else ``~/.cache/dln-explorer``."""
    return Path(os.environ.get("DLN_DATA") or Path.home() / ".cache" / "dln-explorer")
