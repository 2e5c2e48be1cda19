"""Fixtures of all tests: one thread, run folders that leave no worker behind, shared data."""

import contextlib
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import settings

from dynamics.runs import launcher
from dynamics.runs.run import CANCEL, KEY, Run
from dynamics.runs.start import start
from tests.support.make import small, until

settings.register_profile("any machine", deadline=None)  # a busy one takes longer now and then
settings.load_profile("any machine")


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> None:
    """As in a worker: small products lose by a second one."""
    torch.set_num_threads(1)


@pytest.fixture(autouse=True, scope="session")
def _one_launcher() -> None:
    """As in a server: most runs are forked from a process that has loaded torch."""
    launcher.keep()


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers load torch themselves, and have the limits and the modules of this process now."""
    monkeypatch.setattr(launcher, "_kept", [])


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of reference trajectories and real ratings, which are not the project's own."""
    if not os.environ.get("DLN_SHARED"):
        pytest.skip("DLN_SHARED names no folder of reference trajectories and data sets")
    return Path(os.environ["DLN_SHARED"])


@pytest.fixture
def ratings(shared: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """MovieLens 100K's u.data, where the program looks for it."""
    monkeypatch.setenv("DLN_DATA", str(shared / "data"))
    return shared / "data" / "ml-100k" / "u.data"


@pytest.fixture
def no_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No data set here, and a proxy where nobody listens: downloads fail for real."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"http://127.0.0.1:{free.getsockname()[1]}"
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, address)
    monkeypatch.setenv("DLN_DATA", str(tmp_path / "nothing"))


@contextlib.contextmanager
def folder_of_runs(folder: Path) -> Iterator[Path]:
    """A folder of runs whose workers have all ended when the block is left."""
    yield folder
    left = [Run(place) for place in folder.glob("*") if KEY.fullmatch(place.name)]
    for run in left:
        run.ask(CANCEL)
    until(lambda: not any(run._worker_lives() for run in left))


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """An empty folder for runs."""
    with folder_of_runs(tmp_path / "runs") as folder:
        yield folder


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """A small run that a real worker has finished."""
    with folder_of_runs(tmp_path_factory.mktemp("finished")) as folder:
        run = start(small(rows=10, cols=14, noise=0.01), folder)
        until(lambda: not run.status.live and not run._worker_lives())
        assert run.status.phase == "done", run.status.message
        yield run


@pytest.fixture(scope="session")
def trajectory_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small trajectory file in the format of ``verify``, computed with plain NumPy."""
    from tests.support.numpy_engine import trajectory

    file = tmp_path_factory.mktemp("trajectories") / "small.npz"
    np.savez(file, **trajectory())
    return file
