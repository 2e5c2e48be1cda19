"""Files on a disk that fills up: whole rows, and the old content where the new one has no room."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from dynamics.core.machine import files

# A limit on the size of files refuses bytes as a full disk does: first a part of them, then all.
SHORT = """
import resource, signal, sys
from pathlib import Path
from dynamics.core.machine import files
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
def room(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
file, other = Path(sys.argv[1]), Path(sys.argv[2])
def refused(call, *arguments):
    try:
        call(*arguments)
    except OSError as error:
        return error.filename
row = lambda step: step.to_bytes(8, "little") * 8
room(1000)
answers = [refused(files.append, file, row(step), 64) for step in range(20)]
assert answers == [None] * 15 + [str(file)] * 5
assert file.stat().st_size == 15 * 64
assert refused(files.replace, other, b"x" * 2000) == str(other)
room(resource.RLIM_INFINITY)
for step in range(20, 25):
    files.append(file, row(step), 64)
"""


def test_a_disk_that_fills_up_leaves_whole_rows_and_the_old_content(tmp_path: Path) -> None:
    file, other = tmp_path / "rows", tmp_path / "other"
    other.write_bytes(b"before")
    root = Path(__file__).parents[3]
    subprocess.run([sys.executable, "-c", SHORT, file, other], cwd=root, check=True)
    rows = np.fromfile(file, "<u8").reshape(-1, 8)
    assert rows[:, 0].tolist() == [*range(15), *range(20, 25)]
    assert (rows == rows[:, :1]).all()
    assert other.read_bytes() == b"before"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other", "rows"]


def test_half_a_row_of_a_killed_process_is_cut_off(tmp_path: Path) -> None:
    file = tmp_path / "rows"
    file.write_bytes(b"aaaabbbbcc")
    files.append(file, b"dddd", 4)
    assert file.read_bytes() == b"aaaabbbbdddd"


def test_a_link_and_a_device_stay_what_they_are(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"before")
    (tmp_path / "link").symlink_to(tmp_path / "file")
    files.replace(tmp_path / "link", b"after")
    assert (tmp_path / "link").is_symlink() and (tmp_path / "file").read_bytes() == b"after"
    files.replace(Path("/dev/null"), b"anything")
    assert not Path("/dev/null").is_file()


def test_what_cannot_be_written_is_named(tmp_path: Path) -> None:
    for call in (files.replace, lambda file, content: files.append(file, content, 1)):
        with pytest.raises(OSError, match="No such file") as refused:
            call(tmp_path / "missing" / "file", b"content")
        assert refused.value.filename == str(tmp_path / "missing" / "file")
