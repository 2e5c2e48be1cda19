"""Data of one's own and downloads in runs: imported, trained, deleted, refused, cancelled."""

import contextlib
import http.server
import threading
from pathlib import Path

import numpy as np
import psutil
import pytest

from dynamics.__main__ import main
from dynamics.core.config import Config
from dynamics.data import imported, kept
from dynamics.data.imported import EXAMPLE
from dynamics.engine.losses import memory
from dynamics.runs.run import CANCEL, Run, RunError, listing
from dynamics.runs.start import start
from tests.engine.test_digits import config
from tests.support.make import answering, is_sentence, until

RNG = np.random.default_rng(0)


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three classes of forty rows, sorted by class, which one column tells apart."""
    monkeypatch.setenv("DLN_DATA", str(tmp_path / "data"))
    labels = np.arange(120) // 40
    rows = RNG.normal(size=(120, 5)) + 3 * np.eye(5)[labels]
    np.savez(tmp_path / "flowers.npz", images=rows, labels=labels, classes=["a", "b", "c"])
    return tmp_path / "flowers.npz"


def test_a_file_is_imported_trained_on_and_asked_for_where_it_is_missing(
    file: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = [
        "--networks=plain,compressed",
        "--steps=100",
        "--init-scale=0.5",
        "--rank-bound=5",
        f"--runs={folder}",
    ]
    assert main(["run", f"--dataset={file}", *flags]) == 0
    said = capsys.readouterr()
    assert "r̂ = 5 is above the number of classes, 3" in said.err
    ((run, *_),) = listing(folder)
    (dataset,) = imported.names()
    assert dataset.startswith("flowers-96x5-3c-") and run.config.dataset == dataset
    for each in run.trajectories:
        correct = 24 * each.series["accuracy"][-1]
        assert correct == pytest.approx(round(correct), abs=1e-4) and correct > 12
        assert each.facts["classes"] == ["a", "b", "c"]
    assert main(["run", f"--dataset={dataset}", *flags]) == 0  # the same run, which has ended
    assert len(listing(folder)) == 1
    kept.place(f"{dataset}.npz").unlink()
    assert Run(run.folder).config == run.config and len(Run(run.folder).trajectories) == 2
    assert main(["run", f"--dataset={dataset}", *flags]) == 0  # its records are all there
    capsys.readouterr()
    assert main(["run", f"--dataset={dataset}", *flags, "--seed-data=1"]) == 2
    said = capsys.readouterr()
    assert f"{dataset} is not on this machine: import the file" in said.err
    assert is_sentence(said.err.splitlines()[-1]) and len(listing(folder)) == 1


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--dataset=nothing.npz"], "--dataset: nothing.npz cannot be used: no such file exists."),
        (["--dataset=/etc/passwd"], "--dataset: dataset must be the id of an imported data set"),
        (["--dataset="], "--dataset: dataset must be given with the problem own"),
        ([f"--dataset={EXAMPLE}"], f"The data set {EXAMPLE} is not on this machine"),
    ],
    ids=str,
)
def test_a_flag_that_names_no_data_gets_one_sentence(
    file: Path, folder: Path, capsys: pytest.CaptureFixture[str], flags: list[str], words: str
) -> None:
    assert main(["run", "--problem=own", *flags, f"--runs={folder}"]) == 2
    said = capsys.readouterr().err
    assert words in said and is_sentence(said.strip()) and not listing(folder)


def test_a_worker_whose_data_set_was_deleted_says_so(file: Path, folder: Path) -> None:
    dataset = imported.keep(file)
    made = Config.from_dict({"problem": "own", "dataset": dataset, "steps": 20})
    with pytest.raises(RunError, match="is not on this machine"):
        start(made.from_dict(made.to_dict() | {"dataset": EXAMPLE}), folder)
    kept.place(f"{dataset}.npz").write_bytes(b"PK")
    run = start(made, folder)
    until(lambda: not run.status.live)
    assert run.status.phase == "failed" and "is damaged" in run.status.message
    assert is_sentence(run.status.message)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"features": 20_000, "rank_bound": 3}, "Training the backbone mlp with 20,000 features"),
        ({"backbone": "cnn", "batch": 0}, "Training the backbone cnn"),
        ({"features": 20_000, "rank_bound": 3, "batch": 1}, "on 1 image a step"),
    ],
    ids=str,
)
def test_what_does_not_fit_into_memory_is_refused_before_it_is_read(
    monkeypatch: pytest.MonkeyPatch, changes: dict[str, object], words: str
) -> None:
    free = psutil.virtual_memory()._replace(available=3e8)
    made = Config.from_dict({"problem": "fashion_mnist"} | changes)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: free._replace(available=2e9))
    with pytest.raises(MemoryError, match=words) as caught:
        memory.check(made)
    assert is_sentence(str(caught.value))
    monkeypatch.setattr(psutil, "virtual_memory", lambda: free)
    with pytest.raises(MemoryError, match="A data set of 60,000 images") as caught:
        memory.check(made)
    memory.check(config())


def test_the_memory_of_a_backbone_is_that_of_the_module_that_is_built() -> None:
    """A polynomial through three small backbones tells the sizes of a large one."""
    for backbone in ("mlp", "cnn", "residual", "vit", "layer"):
        made = config(backbone=backbone, features=150, networks="plain")
        sizes = memory._sizes(made, made.contents, 150)
        one, two = (memory._training(made, made.contents, step) for step in (1, 2))
        assert (two - one) / 8 == pytest.approx(sizes[1], rel=1e-6)


class Trickle(http.server.BaseHTTPRequestHandler):
    """A download that never ends, so that it is the user who ends it."""

    over = threading.Event()

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "26000000")
        self.end_headers()
        with contextlib.suppress(ConnectionError):
            while not self.over.wait(0.02):
                self.wfile.write(bytes(2**17))

    def log_message(self, *_: object) -> None:
        pass


@pytest.mark.usefixtures("alone")
def test_a_download_is_shown_and_can_be_cancelled(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a real worker; what it has is kept for the next run and never read as a data set."""
    place, root = tmp_path / "data" / "fashion-mnist", Path(__file__).parents[2]
    with answering(http.server.ThreadingHTTPServer(("127.0.0.1", 0), Trickle)) as server:
        (tmp_path / "sitecustomize.py").write_text(
            "from pathlib import Path; from dynamics.data import fashion_mnist as it; "
            f"it.SOURCE, it.DEBIAN = 'http://127.0.0.1:{server.server_port}/', Path('none')"
        )
        for name, value in {"DLN_DATA": tmp_path / "data", "no_proxy": "127.0.0.1",
                            "PYTHONPATH": f"{tmp_path}:{root}"}.items():  # fmt: skip
            monkeypatch.setenv(name, str(value))
        run = start(Config.from_dict({"problem": "fashion_mnist"}), folder)
        until(lambda: run.status.message.startswith("downloading FashionMNIST, file 1 of 4: "))
        run.ask(CANCEL)
        until(lambda: not run.status.live)
        Trickle.over.set()
    assert run.status.phase == "cancelled"
    (part,) = [each for each in place.iterdir() if each.name != ".lock"]
    assert part.name == ".train-images-idx3-ubyte.gz.part" and part.stat().st_size > 0
