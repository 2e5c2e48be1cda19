"""Gaussian measurements in a file: the same numbers as in memory, and only a block resident."""

import contextlib
import os
import resource
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch

from dynamics.core import cost
from dynamics.core.config import Config
from dynamics.data.folder import DataError
from dynamics.engine import draws
from dynamics.engine.losses import gaussian_matrices, sums
from dynamics.engine.training.comparison import prepare
from dynamics.runs.run import CANCEL
from dynamics.runs.start import start
from dynamics.runs.worker import CancelledError
from tests.support.make import is_sentence, recorded, small, until

BASE: dict[str, Any] = {
    "problem": "sensing", "rows": 45, "cols": 41, "measurements": 333, "noise": 0.1,
}  # fmt: skip


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache folder, and no measurements small enough to be kept in memory."""
    monkeypatch.setenv("DLN_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(cost, "SHARE", 0.0)
    return tmp_path / "data"


def written(config: Config, heard: list[str] | None = None) -> Path:
    return gaussian_matrices.written(
        config, torch.float64, (heard if heard is not None else list[str]()).append
    )


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_run_from_a_file_is_the_run_from_memory(
    place: Path, dtype: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To the last digit, though the file is drawn and read in blocks that end inside of pages."""
    config = small(**BASE, dtype=dtype)
    monkeypatch.setattr(sums, "BLOCK_BYTES", 30_000)
    found = recorded(config)
    assert len(list(place.glob("measurements-*.bin"))) == 1
    monkeypatch.setattr(draws, "BLOCK", 1600)  # drawn in many blocks
    (file,) = place.iterdir()
    file.unlink()
    again = recorded(config)
    monkeypatch.setattr(cost, "SHARE", 0.5)
    shutil.rmtree(place)
    memory = recorded(config)
    assert not place.exists()
    for one, other, kept in zip(found, again, memory, strict=True):
        assert one.series["train_loss"][-1] < one.series["train_loss"][0]
        for name, values in kept.series.items():
            assert (one.series[name] == values).all() and (other.series[name] == values).all()


def test_a_file_serves_all_runs_with_the_same_measurements(place: Path) -> None:
    """Another rate, target or depth reads the same file; another seed, number or size its own."""
    first = written(small(**BASE))
    before = first.stat()
    for changes in ({"learning_rate": 2.0}, {"seed_target": 5}, {"depth": 4}, {"noise": 0.0}):
        assert written(small(**(BASE | changes))) == first
    assert first.stat().st_mtime_ns == before.st_mtime_ns and first.stat().st_ino == before.st_ino
    for changes in ({"seed_data": 1}, {"measurements": 334}, {"rows": 41, "cols": 45}):
        assert written(small(**(BASE | changes))) != first
    assert len(list(place.iterdir())) == 4


def test_half_a_file_is_written_anew_and_what_killed_writers_left_is_removed(place: Path) -> None:
    """But not what somebody is writing now."""
    file = written(small(**BASE))
    whole = file.read_bytes()
    assert len(whole) == 333 * 45 * 41 * 8
    file.write_bytes(whole[:-8])
    left, fresh = (place / f"measurements-{name}.part" for name in ("old", "new"))
    for part in (left, fresh):
        part.touch()
    os.utime(left, (1, 1))
    assert written(small(**BASE)).read_bytes() == whole
    assert sorted(place.iterdir()) == sorted([file, fresh])


def test_progress_is_told_and_an_interrupted_writer_leaves_nothing(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(draws, "BLOCK", 61_440)
    heard: list[str] = []
    written(small(**BASE), heard).unlink()
    shares = [int(words.rpartition(" ")[2].removesuffix("%")) for words in heard]
    assert shares[0] == 0 and shares == sorted(set(shares)) and len(shares) >= 8
    assert all(str(place) in words for words in heard)

    def stop(words: str) -> None:
        if words.endswith("50%"):
            raise CancelledError

    with pytest.raises(CancelledError):
        gaussian_matrices.written(small(**BASE), torch.float64, stop)
    assert list(place.iterdir()) == []


def test_only_a_block_is_resident(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A gradient, a loss and the surrogate of 96 MB of measurements cost no more than a few."""
    config = small(problem="sensing", rows=100, cols=100, measurements=1200)
    written(config)
    process = psutil.Process()
    before = process.memory_info().rss
    comparison = prepare(config)
    factors = comparison.networks["compressed"].factors
    left, right = factors[2], factors[1] @ factors[0]
    for task in (comparison.problem.residual, comparison.problem.train_loss):
        task(left, right)
        assert process.memory_info().rss - before < 40e6, task
    matrices = gaussian_matrices.held(config, torch.empty(0, dtype=torch.float64))
    assert matrices.rows.numel() * 8 == 96e6
    assert cost.memory(config, "compressed") < 1e6
    monkeypatch.setattr(cost, "SHARE", 0.5)
    assert cost.memory(config, "compressed") > 96e6


@contextlib.contextmanager
def largest_file(size: int) -> Iterator[None]:
    """No file of this process may grow past ``size`` bytes."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_a_disk_that_takes_no_more_gets_one_sentence(place: Path) -> None:
    with largest_file(100_000), pytest.raises(DataError, match="cannot be written") as caught:
        written(small(**BASE))
    assert is_sentence(str(caught.value)) and str(place) in str(caught.value)
    assert list(place.iterdir()) == []


def test_a_folder_that_cannot_be_one_gets_one_sentence(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DLN_DATA may name the ratings' file itself."""
    (tmp_path / "u.data").touch()
    monkeypatch.setenv("DLN_DATA", str(tmp_path / "u.data"))
    with pytest.raises(DataError) as caught:
        written(small(**BASE))
    assert is_sentence(str(caught.value))


def test_a_cancelled_worker_leaves_no_part_of_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Measurements of more than half of the free memory: their writing is seen, then cancelled."""
    free = psutil.virtual_memory().available
    count = int(0.8 * free / 8e6)
    if shutil.disk_usage(tmp_path).free < 1.2 * count * 8e6 or count > 1_000_000:
        pytest.skip("the disk is not larger than the memory")
    monkeypatch.setenv("DLN_DATA", str(tmp_path / "data"))
    config = small(problem="sensing", rows=1000, cols=1000, measurements=count)
    run = start(config, tmp_path / "runs")
    until(lambda: run.status.message.startswith("writing measurements"))
    assert list((tmp_path / "data").glob("*.part"))
    run.ask(CANCEL)
    until(lambda: not run.status.live)
    assert run.status.phase == "cancelled"
    assert list((tmp_path / "data").iterdir()) == []
