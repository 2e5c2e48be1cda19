"""Media: what one web process offers for download, another one serves."""

import os
import time
from pathlib import Path

import pytest
from streamlit.runtime.media_file_storage import MediaFileKind, MediaFileStorageError
from streamlit.runtime.memory_media_file_storage import MemoryFile

from pages.shared.files.media import KEPT, SharedFiles, folder


@pytest.fixture(autouse=True)
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of runs for this test."""
    monkeypatch.setenv("DLN_RUNS", str(tmp_path / "runs"))
    return tmp_path / "runs"


def made(content: bytes) -> str:
    """The name of a file that a process offers."""
    kind = MediaFileKind.DOWNLOADABLE
    return SharedFiles("/media").load_and_get_id(content, "text/csv", kind, "run-é.csv")


def test_another_process_has_the_same_file() -> None:
    content = b"step,\n\x00\n1"
    expected = MemoryFile(content, "text/csv", MediaFileKind.DOWNLOADABLE, "run-é.csv")
    assert SharedFiles("/media").get_file(f"{made(content)}.csv") == expected


@pytest.mark.parametrize("name", ["0" * 32, "..", "../run.json", "", "x" * 32, "0" * 31 + "/"])
def test_nothing_else_is_served(runs: Path, name: str) -> None:
    made(b"1")
    (runs / "run.json").write_text("{}\n", encoding="utf-8")
    with pytest.raises(MediaFileStorageError):
        SharedFiles("/media").get_file(name)


@pytest.mark.parametrize("content", [b"", b"{}\n", b"[]\n", b"1\n1", b'{"kind": "x"}\n', b"\xff"])
def test_a_damaged_file_is_not_there(content: bytes) -> None:
    name = made(b"1")
    (folder() / name).write_bytes(content)
    with pytest.raises(MediaFileStorageError):
        SharedFiles("/media").get_file(name)


def test_files_that_nobody_used_for_a_day_go() -> None:
    """One that is offered again stays."""
    old, used = made(b"old"), made(b"used")
    for name in (old, used):
        os.utime(folder() / name, (time.time() - KEPT - 1,) * 2)
    assert made(b"used") == used
    made(b"new")
    assert not (folder() / old).exists()
    assert (folder() / used).exists()


def test_without_a_folder_one_process_serves_its_own(runs: Path) -> None:
    runs.write_text("not a folder", encoding="utf-8")
    alone = SharedFiles("/media")
    name = alone.load_and_get_id(b"1", "text/csv", MediaFileKind.DOWNLOADABLE)
    assert alone.get_file(name).content == b"1"
