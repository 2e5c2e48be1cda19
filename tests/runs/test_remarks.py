"""Remarks: kept beside a run, never in its way."""

from pathlib import Path

import pytest

from dynamics.runs.remarks import FILE, LONGEST, MOST_TAGS, Remarks, read, write
from dynamics.runs.run import Run
from dynamics.runs.start import start
from tests.support.make import small, until


def test_remarks_survive_a_second_training(folder: Path) -> None:
    """Trained anew, the run has other records and the same name; its key knows nothing of it."""
    run = start(small(steps=20), folder)
    until(lambda: not run.status.live)
    said = Remarks("  For the \n talk ", " α decides. ", ("b", "a", "a", " "), True)
    write(run, said)
    assert read(run) == Remarks("For the talk", "α decides.", ("a", "b"), True)
    again = start(run.config, folder, anew=True)
    until(lambda: not again.status.live)
    assert again.key == run.key and read(again) == said


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b'{"name": 3, "tags": 7}',
        b'{"tags": [["x"]]}',
        b'{"note": "' + b"x" * 30_000,
    ],
)
def test_damaged_remarks_are_none_or_harmless(tmp_path: Path, content: bytes) -> None:
    """Nothing that stands in the file stops a page."""
    (tmp_path / FILE).write_bytes(content)
    found = read(Run(tmp_path))
    assert isinstance(found, Remarks) and found.note == "" and not found.pinned


def test_limits_are_told_in_a_sentence() -> None:
    with pytest.raises(ValueError, match="name has at most 80 characters; 81"):
        Remarks("x" * (LONGEST["name"] + 1))
    with pytest.raises(ValueError, match="at most 10 tags; 11"):
        Remarks(tags=tuple(map(str, range(MOST_TAGS + 1))))
