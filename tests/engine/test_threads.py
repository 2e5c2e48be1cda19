"""A run's digits depend on its config: not on the cores, their load, or the shell's settings."""

import hashlib
import os
import subprocess
import sys

import pytest
import torch

from dynamics.core.config import Config
from dynamics.engine import device
from dynamics.engine.losses import sums
from dynamics.engine.training.comparison import prepare

WIDE = {"rows": 620, "cols": 600, "networks": ("original",), "depth": 2, "steps": 2}
LISTED = {"rows": 3000, "cols": 2000, "rank": 10, "rank_bound": 20, "observed": 0.02, "steps": 2}
MANY = {"problem": "sensing", "rows": 80, "cols": 80, "measurements": 3000, "steps": 2}


def digits(settings: dict[str, object]) -> str:
    """A hash of all measurements of a run of this process."""
    device.use_threads()
    found = hashlib.sha256()
    for records in prepare(Config(**settings)):  # type: ignore[arg-type]
        for record in (records or {}).values():
            for name in sorted(record.values):
                found.update(name.encode() + record.values[name].tobytes())
    return found.hexdigest()


def elsewhere(settings: dict[str, object], threads: int, cores: set[int]) -> str:
    """The same of a process with other settings for its libraries, on these cores."""
    code = f"import tests.engine.test_threads as t; print(t.digits({settings!r}))"
    counts = {"OMP_NUM_THREADS": str(threads), "OPENBLAS_NUM_THREADS": str(threads)}
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        check=True,
        env=os.environ | counts,
        capture_output=True,
        text=True,
        preexec_fn=lambda: os.sched_setaffinity(0, cores),
    ).stdout.strip()


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="cores cannot be chosen here")
@pytest.mark.parametrize(
    "settings",
    [
        pytest.param(WIDE, id="wide"),
        pytest.param(LISTED | {"networks": ("compressed",)}, id="listed", marks=pytest.mark.slow),
        pytest.param(MANY, id="many"),
    ],
)
def test_the_digits_are_the_same_on_any_number_of_threads(settings: dict[str, object]) -> None:
    """Large products, the surrogate of listed entries, and many measurements."""
    cores = os.sched_getaffinity(0)
    assert elsewhere(settings, 2, cores) == elsewhere(settings, 1, {min(cores)})


def test_two_threads_give_the_sensing_gradient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also with an odd number of blocks."""
    monkeypatch.setattr(sums, "WORTH_TWO", 0)
    monkeypatch.setattr(sums, "BLOCK_BYTES", 15 * 12 * 12 * 8)
    config = Config(problem="sensing", rows=12, cols=12, rank=2, rank_bound=4, measurements=137)
    comparison = prepare(config)
    factors = comparison.networks["original"].factors
    residual, _ = comparison.problem.residual(factors[2], factors[1] @ factors[0])
    assert comparison.problem._pool is not None  # type: ignore[attr-defined]
    a = comparison.problem.matrix  # type: ignore[attr-defined]
    seen = comparison.problem.seen  # type: ignore[attr-defined]
    off = a @ (factors[2] @ factors[1] @ factors[0]).reshape(-1) - seen
    torch.testing.assert_close(residual.reshape(-1), a.mT @ off, rtol=1e-12, atol=1e-15)


def test_the_threads_follow_from_the_sizes() -> None:
    """Small products lose by a second thread."""
    assert device.threads(Config()) == 1
    assert device.threads(Config(rows=1000, cols=1000, networks=("compressed",))) == 1
    assert device.threads(Config(rows=700, cols=700)) == 2
    assert device.threads(Config(**MANY)) == 2  # type: ignore[arg-type]
