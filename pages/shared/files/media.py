"""Media: the files behind download buttons, for every web process of one server.

Streamlit keeps them in the memory of the process that made them, and a browser's request for a file
may reach another process. So each file is also written beside the runs, for a day.
"""

import contextlib
import json
import os
import re
import time
from pathlib import Path

from streamlit.runtime.media_file_storage import MediaFileKind, MediaFileStorageError
from streamlit.runtime.memory_media_file_storage import MemoryFile, MemoryMediaFileStorage

from dynamics.core.machine import files
from dynamics.runs.run import root

KEPT = 86_400  # seconds that a file is kept after its last use
NAME = re.compile(r"[0-9a-f]{32}")  # Streamlit's hash of a file: nobody can guess it


def folder() -> Path:
    """The folder of the files; the processes that share their runs share it."""
    return root() / ".downloads"


class SharedFiles(MemoryMediaFileStorage):
    """Streamlit's storage of media files, which finds those of other processes, too."""

    def load_and_get_id(
        self,
        path_or_data: str | bytes,
        mimetype: str,
        kind: MediaFileKind,
        filename: str | None = None,
    ) -> str:
        """Keep a file; returns its name."""
        name = super().load_and_get_id(path_or_data, mimetype, kind, filename)
        with contextlib.suppress(OSError):  # then this process alone has the file
            _share(name, super().get_file(name))
        return name

    def get_file(self, filename: str) -> MemoryFile:
        """The file with this name, whatever its ending.

        Raises:
            MediaFileStorageError: if no process has it.
        """
        try:
            return super().get_file(filename)
        except MediaFileStorageError:
            file = _shared(filename.partition(".")[0])
            if file is None:
                raise
            return file


def _share(name: str, file: MemoryFile) -> None:
    """Write a file for the other processes, and remove those that nobody has used for a day."""
    path = folder() / name
    if path.exists():
        os.utime(path)
        return
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    for old in path.parent.iterdir():
        with contextlib.suppress(FileNotFoundError):  # another process removes them as well
            if time.time() - old.stat().st_mtime > KEPT:
                old.unlink()
    head = {"mimetype": file.mimetype, "kind": file.kind.value, "filename": file.filename}
    files.replace(path, json.dumps(head).encode() + b"\n" + file.content)


def _shared(name: str) -> MemoryFile | None:
    """The file that any process has written under this name; None if there is none."""
    if not NAME.fullmatch(name):
        return None
    try:
        head, _, content = (folder() / name).read_bytes().partition(b"\n")
        about = files.parsed(head)
        kind = MediaFileKind(about["kind"])
        return MemoryFile(content, about["mimetype"], kind, about["filename"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
