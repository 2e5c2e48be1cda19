"""Media: the files behind download buttons, for every web process of one server.

Streamlit keeps them in the memory of the process that made them, and a browser's request for a file
may reach another process. So each file is also written beside the runs, for a day.

A file that a process has made is only ever on the disk, from where it is sent.
"""

import contextlib
import json
import os
import re
import shutil
import tempfile
import time
import uuid
from pathlib import Path
from urllib.parse import quote

from streamlit.runtime.media_file_storage import MediaFileKind, MediaFileStorageError
from streamlit.runtime.memory_media_file_storage import MemoryFile, MemoryMediaFileStorage

from dynamics.core.machine import files
from dynamics.runs.run import root

KEPT = 86_400  # seconds that a file is kept after its last use
STRANGE = re.compile(r"[^\w.\- ]+")  # letters that the name of a file for a browser may not have
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


def place() -> Path:
    """A folder for files in the making: beside the runs, else where temporary files are."""
    chosen = root() / ".making"
    with contextlib.suppress(OSError):
        chosen.mkdir(mode=0o700, parents=True, exist_ok=True)
        _forget_old(chosen)
        if os.access(chosen, os.W_OK):
            return chosen
    return Path(tempfile.gettempdir())


def keep(file: Path) -> str:
    """Take a file that a process has made; returns the token under which it can be fetched."""
    token = uuid.uuid4().hex
    kept = _kept(token)
    with contextlib.suppress(OSError):
        folder().mkdir(mode=0o700, parents=True, exist_ok=True)
        _forget_old(folder())
        file.replace(kept[0])
        return token
    shutil.move(file, kept[1])  # the folder of runs cannot be written
    return token


def address(token: str, name: str) -> str:
    """Where a browser fetches a file that was kept; it saves it under this name."""
    return f"/api/files/{token}/{quote(name, safe='')}"


def made(token: str) -> Path | None:
    """The file of a token; None if there is none, or nobody has fetched it for a day."""
    if not NAME.fullmatch(token):
        return None
    return next((file for file in _kept(token) if file.is_file()), None)


def _kept(token: str) -> tuple[Path, Path]:
    """Where a file is kept: beside the runs, or where temporary files are."""
    name = f"made-{token}"
    return folder() / name, Path(tempfile.gettempdir()) / f"dln-{name}"


def _forget_old(where: Path) -> None:
    """Remove files that nobody has used for a day, and what a server that died was making."""
    for old in where.iterdir():
        with contextlib.suppress(OSError):  # another process removes them as well
            if time.time() - old.stat().st_mtime > KEPT:
                if old.is_dir():
                    shutil.rmtree(old)
                else:
                    old.unlink()


def _share(name: str, file: MemoryFile) -> None:
    """Write a file for the other processes, and remove those that nobody has used for a day."""
    path = folder() / name
    if path.exists():
        os.utime(path)
        return
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    _forget_old(path.parent)
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
