"""File formats: one row each. Command line, menus, dialogs, downloads and tests read this table."""

import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

Kind = Literal["data", "page", "picture", "film", "matrix", "cells"]


@dataclass(frozen=True)
class Format:
    """A file format.

    Attributes:
        name: the word on the command line.
        mime: the media type that a browser receives.
        kind: ``data`` holds numbers, ``picture`` and ``film`` one chart, ``page`` both,
            ``matrix`` a user's matrix without gaps, ``cells`` all runs of a sweep.
        ending: the ending of its files; the name if empty.
        label: its label on a button; the name in capitals if empty.
        seconds: usual time to draw one chart, in seconds.
        refuses: Plotly's types of traces that it cannot show.
    """

    name: str
    mime: str
    kind: Kind
    ending: str = ""
    label: str = ""
    seconds: float = 8
    refuses: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "ending", self.ending or self.name)
        object.__setattr__(self, "label", self.label or self.name.upper())


_ROWS = (
    # Before others of their endings, which are what a file's name alone asks for.
    Format("completed", "text/csv", "matrix", ending="csv", label="Completed matrix (CSV)"),
    Format(
        "completed_npz",
        "application/octet-stream",
        "matrix",
        ending="npz",
        label="Completed matrix (NPZ)",
    ),
    Format(
        "completed_npy",
        "application/octet-stream",
        "matrix",
        ending="npy",
        label="Completed matrix (NPY)",
    ),
    Format("csv", "text/csv", "data"),
    Format("npz", "application/octet-stream", "data"),
    Format("json", "application/json", "data"),
    Format("parquet", "application/vnd.apache.parquet", "cells", label="Parquet"),
    Format("zip", "application/zip", "data"),
    Format("script", "text/x-python", "data", ending="py", label="Script"),
    Format("notebook", "application/x-ipynb+json", "data", ending="ipynb", label="Notebook"),
    Format("pdf", "application/pdf", "picture"),
    Format("svg", "image/svg+xml", "picture"),
    Format("png", "image/png", "picture"),
    Format("tikz", "application/x-tex", "picture", ending="tex", label="TikZ", seconds=2),
    Format("gif", "image/gif", "film", seconds=15, refuses=("bar",)),
    Format("mp4", "video/mp4", "film", seconds=20, refuses=("bar",)),
    Format("html", "text/html", "page", seconds=2),
)
FORMATS: Mapping[str, Format] = {form.name: form for form in _ROWS}


def of_kind(*kinds: Kind) -> tuple[str, ...]:
    """Names of the formats of these kinds, in the table's order."""
    return tuple(name for name, form in FORMATS.items() if form.kind in kinds)


RUNS = of_kind("matrix", "data", "picture", "film", "page")  # formats of a run
DATA = of_kind("data", "page")  # formats of a run's numbers
CHARTS = of_kind("picture", "film", "page")  # formats of one chart
COMPLETED = of_kind("matrix")  # formats of a matrix whose gaps are filled
STILL = of_kind("picture", "page")  # formats of a chart that does not move
PROGRAMS = ("script", "notebook")  # formats that train a run again


def format_of(file: Path, names: Iterable[str]) -> str:
    """The format, one of ``names``, of a file that can be written.

    Call it before anything is computed for the file.

    Raises:
        ValueError: if none of these formats has the file's ending.
        OSError: if the file cannot be written.
    """
    by_ending = {FORMATS[name].ending: name for name in names}
    ending = file.suffix.removeprefix(".")
    if ending not in by_ending:
        raise ValueError(f"{file} must end in one of .{', .'.join(by_ending)}.")
    check_writable(file)
    return by_ending[ending]


def check_writable(file: Path) -> None:
    """Check, before anything is computed, that a file can be written.

    Raises:
        OSError: if it cannot; the error names the file.
    """
    try:
        with tempfile.TemporaryFile(dir=file.parent):
            pass
        if file.exists():
            file.open("ab").close()
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(file)) from None


def refused(figure: Mapping[str, Any]) -> tuple[tuple[str, ...], str]:
    """The formats that cannot show a Plotly figure, and the reason in one sentence.

    Both are empty for most figures.
    """
    types = {trace.get("type", "scatter") for trace in figure["data"]}
    names = tuple(name for name in CHARTS if types & set(FORMATS[name].refuses))
    if not names:
        return (), ""
    others = [FORMATS[name].label for name in CHARTS if name not in names]
    return names, (
        f"{' and '.join(FORMATS[name].label for name in names)} show what happens over time, and "
        f"this chart has no time; take {', '.join(others[:-1])} or {others[-1]}."
    )
