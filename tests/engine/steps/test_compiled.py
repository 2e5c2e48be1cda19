"""The compiled kernel takes the steps of the plain path, and is done without where it cannot be."""

import copy
import ctypes
import logging
import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from dynamics.core import registry
from dynamics.core.config import Config
from dynamics.engine import kernels
from dynamics.engine.kernels import NUMBERS
from dynamics.engine.network import Network
from dynamics.engine.steps import compiled
from dynamics.engine.steps.compiled import KernelDescent
from dynamics.engine.steps.fastest import fastest
from dynamics.engine.steps.plain import Descent
from dynamics.engine.training.comparison import prepare

PLAIN = registry.load("optimizers", "gradient_descent")
STEPS = 60


def pair(config: Config) -> tuple[Network, Network]:
    """The compressed network after the same steps by the kernel and by the plain path.

    The losses of both agree, to rounding.
    """
    comparison = prepare(config)
    network = comparison.networks["compressed"]
    plain = Network(copy.deepcopy(network.factors), network.alpha)
    ours = fastest(network, comparison.problem, PLAIN, comparison.learning_rate)
    assert isinstance(ours, KernelDescent)
    ours.step(STEPS // 3)
    ours.step(STEPS - STEPS // 3)
    other = Descent(plain, comparison.problem, PLAIN, comparison.learning_rate)
    other.step(STEPS)
    rounding = 1e-10 if config.dtype == "float64" else 1e-3
    assert ours.loss() == pytest.approx(other.loss(), rel=rounding)
    return network, plain


@pytest.mark.parametrize("depth", [2, 3, 4, 6])
@pytest.mark.parametrize("width", [1, 4, 10, 17, 29])
@pytest.mark.parametrize("shape", [(30, 30), (50, 31), (29, 70)])
def test_kernel_equals_the_plain_path(depth: int, width: int, shape: tuple[int, int]) -> None:
    """Every depth, widths beside multiples of four, and all shapes: 1e-12 of the largest entry."""
    rows, cols = shape
    config = Config(
        rows=rows, cols=cols, rank=3, rank_bound=width, depth=depth, observed=0.4, noise=0.1,
        init_scale=0.3, learning_rate=0.3, rate_unit="limit", alpha=2.5,
        networks=("compressed",),
    )  # fmt: skip
    found, wanted = pair(config)
    for ours, plain in zip(found.factors, wanted.factors, strict=True):
        torch.testing.assert_close(ours, plain, rtol=0, atol=1e-12 * float(plain.abs().max()))


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the flag is for these processors")
@pytest.mark.parametrize("width", [4, 10, 29])
def test_processors_with_shorter_vectors_take_the_same_steps(
    width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Compiled as if there were none of 64 bytes."""

    def library(width: int, dtype: torch.dtype) -> ctypes.CDLL | None:
        return kernels._loaded("descent", NUMBERS[dtype], f"-DWIDTH={width}", "-mno-avx512f")

    monkeypatch.setattr(compiled, "library", library)
    found, wanted = pair(Config(rank_bound=width, rank=3, init_scale=0.3, networks="compressed"))
    for ours, plain in zip(found.factors, wanted.factors, strict=True):
        torch.testing.assert_close(ours, plain, rtol=0, atol=1e-12 * float(plain.abs().max()))


def test_kernel_moves_every_factor() -> None:
    """Without movement, equality with the plain path would say nothing."""
    config = Config(networks=("compressed",), depth=4, init_scale=0.3)
    before = [factor.clone() for factor in prepare(config).networks["compressed"].factors]
    after, _ = pair(config)
    for old, new in zip(before, after.factors, strict=True):
        assert float((new - old).norm()) > 1e-3 * float(old.norm())


def test_kernel_in_single_precision_stays_near_the_plain_path() -> None:
    """float32 has the same kernel: a few of its last digits after sixty steps."""
    config = Config(networks=("compressed",), dtype="float32", init_scale=0.3)
    for ours, plain in zip(*(network.factors for network in pair(config)), strict=True):
        torch.testing.assert_close(ours, plain, rtol=0, atol=1e-5 * float(plain.abs().max()))


def test_rows_and_columns_with_nothing_observed_get_no_gradient_from_the_data() -> None:
    """A row of W_L without observed entries stays as it is, however its network moves."""
    comparison = prepare(Config(rows=60, cols=40, observed=0.02, rank=2, networks=("compressed",)))
    network, samples = comparison.networks["compressed"], comparison.problem.samples
    assert samples is not None
    empty = (samples.starts[1:] == samples.starts[:-1]).nonzero().ravel()
    before = network.factors[-1][empty].clone()
    assert len(empty)
    fastest(network, comparison.problem, PLAIN, comparison.learning_rate).step(STEPS)
    torch.testing.assert_close(network.factors[-1][empty], before, rtol=0, atol=0)


@pytest.mark.parametrize("optimizer", ["momentum", "adam", "rmsprop"])
def test_other_optimizers_run_on_the_plain_path(optimizer: str) -> None:
    """The kernel knows plain descent alone; all else must not be handed to it."""
    comparison = prepare(Config(networks=("compressed",), optimizer=optimizer))
    steps = fastest(
        comparison.networks["compressed"],
        comparison.problem,
        registry.load("optimizers", optimizer),
        comparison.learning_rate,
    )
    assert type(steps) is Descent


def test_without_a_compiler_the_log_says_so_once_and_torch_trains(tmp_path: Path) -> None:
    """A machine without a compiler must train all the same, and must not repeat itself."""
    script = (
        "import logging; logging.basicConfig(format='%(message)s')\n"
        "from dynamics.core.config import Config\n"
        "from dynamics.engine.training.comparison import prepare\n"
        "for _ in range(2):\n"
        "    records = [each for each in prepare(Config(steps=20, record_every=10)) if each]\n"
        "print(len(records))\n"
    )
    environment = os.environ | {"CXX": "/nonexistent/c++", "HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "3"
    assert done.stderr.count("No compiled kernel, training runs on torch alone") == 1


@pytest.mark.slow
def test_a_kernel_is_compiled_once_and_kept(tmp_path: Path) -> None:
    """The second start finds the first one's file, and nothing unfinished lies beside it."""
    environment = os.environ | {"HOME": str(tmp_path)}
    command = [sys.executable, "-m", "dynamics.engine.kernels"]
    for _ in range(2):
        subprocess.run(command, env=environment, check=True, capture_output=True)
        files = list((tmp_path / ".cache" / "dln-explorer" / "kernels").iterdir())
        assert {file.suffix for file in files} == {".so"}
        environment["PATH"] = "/nonexistent"  # from now on there is no compiler


def test_logging_is_left_alone() -> None:
    """The library adds no handlers of its own: a host program decides where its lines go."""
    assert logging.getLogger("dynamics.engine.kernels").handlers == []
