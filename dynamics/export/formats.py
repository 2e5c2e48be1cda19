"""Formats: which file endings there are and which charts each can hold."""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dynamics.draw.panel import MAPS


def filmed(panel: str, form: str) -> bool:
    """Whether a file is a film of a run's heat maps."""
    return form in FILMS and panel.partition("/")[0] == MAPS


ENDINGS = {"script": "py", "notebook": "ipynb"}  # of files that are not called as their format
FILMS = ("gif", "mp4")
PICTURES = {"pdf": "pdf", "svg": "svg", "png": "png", "tikz": "tex", "gif": "gif", "mp4": "mp4"}


def form_of(file: Path, endings: Mapping[str, str]) -> str:
    """What to write into a file that can be written, asked before anything is computed.

    Args:
        file: where to.
        endings: that of each form.

    Raises:
        ValueError: if its ending is none of these.
        OSError: as ``ready``.
    """
    forms = {ending: form for form, ending in endings.items()}
    ending = file.suffix.removeprefix(".")
    if ending not in forms:
        raise ValueError(f"{file} must end in one of .{', .'.join(forms)}.")
    ready(file)
    return forms[ending]


def ready(file: Path) -> None:
    """Asked before anything is computed: raises OSError, which names the file, if it cannot be."""
    try:
        with tempfile.TemporaryFile(dir=file.parent):
            pass
        if file.exists():
            file.open("ab").close()
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(file)) from None


def unfit(figure: Mapping[str, Any]) -> tuple[tuple[str, ...], str]:
    """The formats that a figure cannot have, and why in one sentence; none for most."""
    if all(trace.get("type") != "bar" for trace in figure["data"]):
        return (), ""
    return ("gif", "mp4"), (
        "GIF and MP4 show what happens over time, and this chart has no time; take PDF, SVG, PNG, "
        "TikZ or HTML."
    )
