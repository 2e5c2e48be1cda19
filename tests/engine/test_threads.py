"""A second thread changes the time of a run and nothing else."""

from collections.abc import Iterator

import pytest
import torch

from dynamics.core.config import Config
from dynamics.engine import device
from dynamics.engine.losses import sums
from dynamics.engine.training.comparison import prepare


@pytest.fixture
def threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def test_two_threads_give_the_same_sensing_gradient(
    threads: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To the last digit, also with an odd number of blocks, and the main thread keeps its two."""
    monkeypatch.setattr(sums, "WORTH_TWO", 0)
    monkeypatch.setattr(sums, "BLOCK_BYTES", 15 * 12 * 12 * 8)
    config = Config(problem="sensing", rows=12, cols=12, rank=2, rank_bound=4, measurements=137)
    found = []
    for count in (1, 2):
        torch.set_num_threads(count)
        comparison = prepare(config)
        factors = comparison.networks["original"].factors
        residual, _ = comparison.problem.residual(factors[2], factors[1] @ factors[0])
        found.append(residual.clone())
        assert torch.get_num_threads() == count
    assert comparison.problem._pool is not None  # type: ignore[attr-defined]
    assert torch.equal(*found)
    a = comparison.problem.matrix  # type: ignore[attr-defined]
    seen = comparison.problem.seen  # type: ignore[attr-defined]
    off = a @ (factors[2] @ factors[1] @ factors[0]).reshape(-1) - seen
    torch.testing.assert_close(found[0].reshape(-1), a.mT @ off, rtol=1e-12, atol=1e-15)


def test_small_runs_never_take_a_second_thread(threads: None) -> None:
    """Small products lose by it, idle core or not."""
    torch.set_num_threads(2)
    device.use_threads(Config())
    assert torch.get_num_threads() == 1
    device.use_threads(Config(rows=1000, cols=1000, networks=("compressed",)))
    assert torch.get_num_threads() == 1


def test_a_busy_machine_gives_no_second_thread(
    threads: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even a wide network loses when both threads share a core with other work."""
    wide = Config(rows=700, cols=700)
    for busy, count in ((95.0, 1), (0.0, 2)):
        monkeypatch.setattr(device.psutil, "cpu_percent", lambda _, busy=busy: busy)
        monkeypatch.setattr(device.psutil, "cpu_count", lambda: 2)
        device.use_threads(wide)
        assert torch.get_num_threads() == count
