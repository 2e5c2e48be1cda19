"""A run's digits depend on its config: not on the cores, their load, or the shell's settings."""

import hashlib
import os
import subprocess
import sys

import numpy as np
import pytest
import torch

from dynamics.core import altmin
from dynamics.core.config import Config
from dynamics.engine import device
from dynamics.engine.losses import sums
from dynamics.engine.training.comparison import prepare
from dynamics.peers import trajectory_file
from dynamics.theory import original

WIDE = {"rows": 620, "cols": 600, "networks": ("original",), "depth": 2, "steps": 2}
LISTED = {"rows": 3000, "cols": 2000, "rank": 10, "rank_bound": 20, "observed": 0.02, "steps": 2}
MANY = {"problem": "sensing", "rows": 80, "cols": 80, "measurements": 3000, "steps": 2}
SQUARE: dict[str, object] = {
    "problem": "factorization",
    "rows": 400,
    "cols": 400,
    "rank": 20,
    "rank_bound": 40,
}
SQUARE |= {"networks": ("original",), "steps": 1}


def digits(settings: dict[str, object]) -> str:
    """A hash of the facts and all measurements of a run of this process, used as a library."""
    comparison = prepare(Config(**settings))  # type: ignore[arg-type]
    found = hashlib.sha256(repr(comparison.facts).encode())
    for records in comparison:
        for record in (records or {}).values():
            for name in sorted(record.values):
                found.update(name.encode() + record.values[name].tobytes())
    return found.hexdigest()


def overlap() -> str:
    """A hash of the overlap of large factors, computed by NumPy alone."""
    draw = np.random.default_rng(0)
    factors = [draw.standard_normal((400, 400)) for _ in range(2)]
    sides = draw.standard_normal((400, 20)), draw.standard_normal((20, 400))
    return hashlib.sha256(original.overlap(factors, *sides).tobytes()).hexdigest()


def alternated() -> str:
    """A hash of two half steps of AltMin, with a rank at which its small products are large."""
    draw = np.random.default_rng(0)
    places = draw.integers(0, 600, (2, 100_000))
    entries = altmin.Entries(places[0] // 100, places[1], draw.standard_normal(100_000))
    halves = altmin.alternate(entries, draw.random((600, 150)), 6, 1.0)
    left, right = [next(halves) for _ in range(2)][-1]
    return hashlib.sha256(left.tobytes() + right.tobytes()).hexdigest()


def forecast() -> str:
    """A hash of the facts that a trajectory file of sums gives a forecast."""
    draw = np.random.default_rng(0)
    arrays = {"target": draw.standard_normal((200, 200))}
    arrays["sensing"] = draw.standard_normal((60, 200, 200))
    config = Config(problem="sensing", rows=200, cols=200, measurements=60)
    return repr(trajectory_file._facts(config, arrays))


def elsewhere(call: str, threads: int, cores: set[int]) -> str:
    """What functions of this file return in a process with this many threads and these cores."""
    code = f"from tests.engine.test_threads import *; print({call})"
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
    "call",
    [
        pytest.param(f"digits({WIDE})", id="wide"),
        pytest.param(
            f"digits({LISTED | {'networks': ('compressed',)}})",
            id="listed",
            marks=pytest.mark.slow,
        ),
        pytest.param(f"digits({MANY})", id="many", marks=pytest.mark.slow),
        pytest.param(
            f"digits({SQUARE}), overlap(), alternated(), forecast()",
            id="NumPy",
            marks=pytest.mark.slow,
        ),
    ],
)
@pytest.mark.slow
def test_the_digits_are_the_same_on_any_number_of_threads(call: str) -> None:
    """Large products, the surrogate of listed entries, many measurements, and NumPy's part."""
    cores = os.sched_getaffinity(0)
    assert elsewhere(call, 2, cores) == elsewhere(call, 1, {min(cores)})


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
