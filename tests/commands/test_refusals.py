"""What the machine refuses: each command says the file or the need in one sentence, status 2."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from dynamics.__main__ import main
from dynamics.runs.run import Run
from tests.support.make import is_sentence

ROOT = Path(__file__).parents[2]


def command(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """One command in a process of its own, as a user's shell starts it."""
    return subprocess.run(
        [sys.executable, "-m", "dynamics", *words],
        check=False,
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=120,
    )


@pytest.mark.parametrize("words", [["runs"], ["export", "KEY", "--format", "csv", "--out", "-"]])
def test_a_full_output_is_named(finished: Run, words: list[str]) -> None:
    """Once, and without a traceback at the exit."""
    words = [finished.key if word == "KEY" else word for word in words]
    folder = finished.folder.parent
    with open("/dev/full", "w", encoding="utf-8") as full:
        ended = subprocess.run(
            [sys.executable, "-m", "dynamics", *words, "--runs", str(folder)],
            check=False, cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
    assert ended.returncode == 2
    assert ended.stderr == "dynamics: the output: No space left on device.\n"


def test_a_full_disk_leaves_no_half_of_a_file(
    finished: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was there before is still there."""
    import resource
    import signal

    file = tmp_path / "run.csv"
    file.write_text("before", encoding="utf-8")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    former = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        words = ["export", finished.key, "--runs", str(finished.folder.parent), "--out", str(file)]
        assert main(words) == 2
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, former)
    said = capsys.readouterr().err
    assert str(file) in said and "None" not in said and is_sentence(said.strip())
    assert file.read_text(encoding="utf-8") == "before" and [*tmp_path.iterdir()] == [file]


def test_a_terminal_without_greek_letters_shows_their_codes(finished: Run) -> None:
    """And the program's own files are read as UTF-8 whatever the system says."""
    bare = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    for words in (["runs", "--runs", str(finished.folder.parent)], ["forecast", "--rows", "20"]):
        ended = command(*words, **bare)
        assert ended.returncode == 0, ended.stderr
    assert "r\\u0302" in command("runs", "--runs", str(finished.folder.parent), **bare).stdout


@pytest.mark.parametrize("home", ["relative", "/nonexistent", ""])
def test_a_strange_home_does_no_harm(home: str) -> None:
    ended = command("forecast", "--problem", "factorization", HOME=home)
    assert ended.returncode == 0, ended.stderr


def test_a_linked_run_is_deleted_as_a_link(
    finished: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What it links to stays where it is."""
    (tmp_path / finished.key).symlink_to(finished.folder)
    assert main(["runs", "delete", finished.key, "--runs", str(tmp_path)]) == 0
    assert not [*tmp_path.glob("*")] and finished.trajectories


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tmp_path.chmod(0o500)
    assert main(["run", "--rows", "12", "--cols", "12", "--runs", str(tmp_path)]) == 2
    assert str(tmp_path) in capsys.readouterr().err
