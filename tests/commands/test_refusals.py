"""What the machine refuses: each command says the file or the need in one sentence, status 2."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dynamics.__main__ import main
from dynamics.core.config import Config
from dynamics.runs.run import Run, root
from dynamics.runs.start import start
from pages.shared.files.process import Process
from tests.support.few import few
from tests.support.make import is_sentence, until

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


@pytest.mark.parametrize(
    "words", few([["export", "KEY", "--format", "csv", "--out", "-"], ["runs"]], 1)
)
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


@pytest.mark.parametrize(
    "home",
    ["/nonexistent", *(pytest.param(home, marks=pytest.mark.slow) for home in ("relative", ""))],
)
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


def test_relative_folders_mean_the_same_to_every_process(
    tmp_path: Path, ratings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker has another working directory than the command or the page that starts it."""
    shutil.copytree(ratings.parent, tmp_path / "data")
    monkeypatch.chdir(tmp_path)
    for name in ("DLN_DATA", "DLN_RUNS", "HOME"):
        monkeypatch.setenv(name, name.removeprefix("DLN_").lower())
    run = start(Config.from_dict({"problem": "movielens", "steps": 1, "rank_bound": 2}), root())
    until(lambda: not run.status.live and not run._worker_lives())
    assert run.status.phase == "done", run.status.message
    assert run.folder.parent == tmp_path / "runs"
    shown = [sys.executable, "-c", "import os; print(*map(os.environ.get, ('DLN_DATA', 'HOME')))"]
    process = Process(shown, {})
    until(lambda: process.over)
    assert process.text("output").split() == [str(tmp_path / "data"), str(tmp_path / "home")]


# As root, but without root's right to write everywhere.
BOUND = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all"]


@pytest.fixture
def read_only(finished: Run, tmp_path: Path) -> Iterator[Path]:
    """A folder of runs that may be read and not written, with a ticket of a dead worker."""
    folder = tmp_path / "runs"
    shutil.copytree(finished.folder.parent, folder)
    (folder / ".queue").mkdir(exist_ok=True)
    (folder / ".queue" / f"{1:020.6f}-{finished.key}").touch()
    places = [folder, *(path for path in folder.rglob("*") if path.is_dir())]
    for path in folder.rglob("*"):
        path.chmod(0o500 if path.is_dir() else 0o400)
    folder.chmod(0o500)
    yield folder
    for place in places:
        place.chmod(0o700)


def bound(*words: str, script: str = "") -> subprocess.CompletedProcess[str]:
    """A command, or a script, of a process that may not write where its user may not."""
    if os.geteuid() == 0 and not shutil.which("setpriv"):
        pytest.skip("root may write everywhere")
    before = BOUND if os.geteuid() == 0 else []
    program = ["-c", script] if script else ["-m", "dynamics"]
    return subprocess.run(
        [*before, sys.executable, *program, *words],
        check=False, cwd=ROOT, capture_output=True, text=True, timeout=120,
    )  # fmt: skip


def test_a_folder_that_cannot_be_written_is_named(read_only: Path, finished: Run) -> None:
    key, place = finished.key, ("--runs", str(read_only))
    for words in (
        ("run", "--rows", "12", "--cols", "12"),
        ("runs", "pause", key),
        ("runs", "resume", key),
        ("runs", "cancel", key),
        ("runs", "delete", key),
        ("export", key, "--out", str(read_only / "file.csv")),
    ):
        ended = bound(*words, *place)
        assert ended.returncode == 2, (words, ended.stderr)
        assert is_sentence(ended.stderr.strip()) and str(read_only) in ended.stderr, words
    for words in (("runs",), ("runs", "show", key), ("export", key, "--out", "-")):
        ended = bound(*words, *place)
        assert ended.returncode == 0 and ended.stdout and not ended.stderr, (words, ended.stderr)


PAGES = """
import os, sys
from streamlit import config
from streamlit.testing.v1 import AppTest
config.set_option("server.address", "127.0.0.1")
os.environ["DLN_RUNS"] = sys.argv[1]
for page in ("1_Side_by_side.py", "7_Saved_runs.py"):
    shown = AppTest.from_file(f"pages/{page}", default_timeout=300).run()
    assert not shown.exception, shown.exception
    if page[0] == "1":
        (train,) = [button for button in shown.button if "Train" in button.label]
        train.click().run()
        assert not shown.exception, shown.exception
        assert any(sys.argv[1] in each.value for each in shown.error), shown.error
        assert [button for button in shown.button if "Train" in button.label]
"""


def test_pages_stay_where_nothing_can_be_written(read_only: Path) -> None:
    ended = bound(str(read_only), script=PAGES)
    assert not ended.returncode, ended.stderr


LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[1]),) * 2)
from dynamics.__main__ import main
sys.exit(main(sys.argv[2:]))
"""
SIZES = (200, 250, 300, 450, 600, 700, 800, 1000, 1500)  # MB: from what NumPy needs to enough


@pytest.mark.slow
@pytest.mark.parametrize("megabytes", SIZES)
def test_too_little_memory_is_one_sentence(megabytes: int, tmp_path: Path) -> None:
    limited(megabytes, tmp_path)


@pytest.mark.parametrize("megabytes", [60, 100, 130, 160, 190])
def test_too_little_memory_for_numpy_is_one_sentence_and_none_of_openblas(megabytes: int) -> None:
    """OpenBLAS would end the process with a line of its own, or with Ctrl-C's signal."""
    ended = within(megabytes, LIMITED, "--help")
    (said,) = ended.stderr.splitlines()
    assert ended.returncode == 2 and not ended.stdout
    assert is_sentence(said.removeprefix("dynamics: ")) and "1 GB" in said


def test_the_app_says_that_memory_is_lacking_before_it_takes_any() -> None:
    ended = within(350, LIMITED.partition("from dynamics")[0] + "import app")
    assert ended.returncode == 1 and ended.stderr.splitlines()[-1].endswith("before any matrix.")
    assert "Traceback" not in ended.stderr and "OpenBLAS" not in ended.stderr


def within(megabytes: int, script: str, *words: str) -> "subprocess.CompletedProcess[str]":
    """A script in a process with so much memory."""
    return subprocess.run(
        [sys.executable, "-c", script, str(megabytes * 1_000_000), *words],
        check=False, cwd=ROOT, capture_output=True, text=True, timeout=120,
    )  # fmt: skip


def test_half_the_memory_of_torch_is_one_sentence(tmp_path: Path) -> None:
    limited(300, tmp_path)


def limited(megabytes: int, folder: Path) -> None:
    """A forecast and a run in so much memory."""
    sizes = ["--rows", "12", "--cols", "12", "--rank", "2", "--steps", "20", "--rank-bound", "3"]
    for words in (["forecast", *sizes, "--json"], ["run", *sizes, "--runs", str(folder)]):
        ended = within(megabytes, LIMITED, *words)
        said = ended.stderr.strip().splitlines()
        assert ended.returncode in (0, 2), (words, ended.stderr)
        assert not ended.returncode or (is_sentence(said[-1]) and "memory" in said[-1]), said
        assert "Traceback" not in ended.stderr
