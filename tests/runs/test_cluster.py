"""The same sweep on a real Dask cluster of this machine: a scheduler and workers as processes."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dynamics.core.sweep import Axis, Sweep
from dynamics.runs.run import RunError
from dynamics.runs.sweep import Progress, Training
from tests.runs.test_sweep import Inline, last
from tests.support.make import is_sentence, until

pytest.importorskip("distributed")
from dynamics.runs.executors.dask import Dask, differs, versions

ROOT = Path(__file__).parents[2]
BASE: dict[str, Any] = {
    "rows": 40, "cols": 40, "rank": 2, "observed": 0.8, "init_scale": 0.2,
    "learning_rate": 0.3, "rate_unit": "limit", "steps": 4000, "record_every": 20, "tolerance": 0,
}  # fmt: skip
Begin = Callable[..., "subprocess.Popen[bytes]"]


def sweep() -> Sweep:
    axes = [Axis.read("alpha", "1:6:0.5"), Axis.read("rank_bound", "2,4,6")]
    return Sweep.of(BASE, axes, seeds=2, level=0.5)


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Begin]:
    """Starts a scheduler or a worker; all are ended in the end."""
    begun: list[subprocess.Popen[bytes]] = []

    def start(*words: str) -> "subprocess.Popen[bytes]":
        with open(tmp_path / f"{len(begun)}.log", "wb") as log:
            line = [sys.executable, "-m", "dask", *words]
            begun.append(subprocess.Popen(line, cwd=ROOT, stdout=log, stderr=log))
        return begun[-1]

    yield start
    for process in begun:
        process.kill()
        process.wait()


def scheduler(begin: Begin, tmp_path: Path, port: int = 0) -> str:
    """Its address, once it is there."""
    file = tmp_path / f"scheduler-{port}.json"
    begin("scheduler", "--host", "127.0.0.1", "--port", str(port), "--dashboard-address", ":0",
          "--scheduler-file", str(file))  # fmt: skip
    until(file.exists)
    return str(json.loads(file.read_text())["address"])


def worker(begin: Begin, address: str) -> "subprocess.Popen[bytes]":
    return begin("worker", address, "--nthreads", "1", "--no-nanny", "--no-dashboard")


def joined(executor: Dask, count: int) -> None:
    until(lambda: len(executor._client.nthreads()) == count)


@pytest.mark.slow
def test_a_cluster_computes_the_same_with_a_killed_worker_and_a_late_one(
    begin: Begin, tmp_path: Path
) -> None:
    """Cell by cell as in this process; none is lost, none computed into a wrong place."""
    address = scheduler(begin, tmp_path)
    workers = [worker(begin, address) for _ in range(3)]
    executor = Dask(address)
    joined(executor, 3)
    executor._check()
    training: Iterator[Progress] = iter(Training(sweep(), tmp_path / "far", executor))
    next(training)
    next(training)
    os.kill(workers[0].pid, signal.SIGKILL)
    worker(begin, address)
    *_, now = training
    assert now.phase == "done" and not now.failed and now.ended == now.total == 66
    here = last(Training(sweep(), tmp_path / "here", Inline()))
    assert now.values == pytest.approx(here.values, nan_ok=True)
    for config in sweep().configs:
        far, near = (
            (tmp_path / place / config.key / "config.json").read_bytes()
            for place in ("far", "here")
        )
        assert far == near


@pytest.mark.slow
def test_a_scheduler_that_is_killed_and_started_again_trains_the_rest(
    begin: Begin, tmp_path: Path
) -> None:
    """At the same address; Dask's workers end with their scheduler, so there is a new one, too."""
    begun: list[subprocess.Popen[bytes]] = []

    def noted(*words: str) -> "subprocess.Popen[bytes]":
        begun.append(begin(*words))
        return begun[-1]

    address = scheduler(noted, tmp_path)
    worker(begin, address)
    executor = Dask(address)
    joined(executor, 1)
    training = iter(Training(sweep(), tmp_path / "far", executor))
    now = next(training)
    while now.ended == 0:
        now = next(training)
    assert now.ended < now.total
    begun[0].kill()
    begun[0].wait()
    again = scheduler(begin, tmp_path, int(address.rpartition(":")[2]))
    assert again == address
    worker(begin, address)
    *_, now = training
    assert now.phase == "done" and not now.failed and now.ended == now.total == 66
    here = last(Training(sweep(), tmp_path / "here", Inline()))
    assert now.values == pytest.approx(here.values, nan_ok=True)


@pytest.mark.slow
def test_a_client_that_ends_goes_on_where_it_was(begin: Begin, tmp_path: Path) -> None:
    """Also on the command line; and a scheduler that is not there is one sentence."""
    address = scheduler(begin, tmp_path)
    worker(begin, address)
    executor = Dask(address)
    joined(executor, 1)
    training = iter(Training(sweep(), tmp_path, executor))
    while next(training).ended == 0:
        pass
    training.close()  # type: ignore[attr-defined]
    written = len([*tmp_path.glob("????????????????/config.json")])
    assert 0 < written < 66
    again = [*sweep().command.split()[1:], "--runs", str(tmp_path), "--scheduler", address]
    done = subprocess.run(
        [sys.executable, *again], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert f"66 runs, {written} of them finished already" in done.stderr
    assert len([*tmp_path.glob("????????????????/config.json")]) == 66


def test_no_scheduler_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """It names the address."""
    monkeypatch.setattr("dynamics.runs.executors.dask.REACHED", 0.5)
    with pytest.raises(RunError, match=r"answers at tcp://127.0.0.1:9\.") as raised:
        Dask("tcp://127.0.0.1:9")
    assert is_sentence(str(raised.value))


def test_what_differs_on_a_worker_is_named() -> None:
    """The same program says the same everywhere."""
    mine = versions()
    assert {*mine} == {"code", "torch", "Config", "Python"}
    other = mine | {"torch": "1.0"}
    assert differs(mine, other) == f"has torch 1.0, not {mine['torch']}"
