"""Kernel: compiled gradient steps of a narrow network that touch the observed entries only.

``kernels/entries.cpp`` is compiled once, at set-up (``python -m dynamics.kernel``) or at the first
run that wants it, and kept in the user's cache under its source and the processor. Without a
compiler the log says so once and all runs on torch: same steps, some times slower.
"""

import ctypes
import functools
import hashlib
import logging
import os
import platform
import shlex
import subprocess
import tempfile
from pathlib import Path
from types import ModuleType

import torch
from torch import Tensor

from dynamics.descent import Descent
from dynamics.network import Network
from dynamics.problem import Problem

SOURCE = Path(__file__).parent / "kernels" / "entries.cpp"
FLAGS = ("-std=c++17", "-O3", "-march=native", "-fPIC", "-shared")
LANES, WIDEST = 4, 64  # rows are padded to a multiple of LANES; wider networks run on torch
DENSEST = 0.8  # of the entries: with more observed, whole matrices are multiplied as fast
FUNCTIONS = {torch.float64: "descend_float64", torch.float32: "descend_float32"}
log = logging.getLogger(__name__)


class KernelDescent(Descent):
    """The steps of ``Descent``, made by the kernel: O(|Ω| r̂) operations and memory O(|Ω|).

    The network's factors become views of the kernel's padded arrays, so nothing is copied.
    ``operations`` stays that of ``Descent``: it does not depend on whether there is a compiler.
    """

    def __init__(
        self, network: Network, problem: Problem, optimizer: ModuleType, learning_rate: float
    ) -> None:
        self.network, self.problem, self.learning_rate = network, problem, learning_rate
        samples, factors, compiled = problem.samples, network.factors, library()
        assert samples is not None and compiled is not None
        first, last, width = factors[0], factors[-1], factors[0].shape[0]
        padded, inner = -(-width // LANES) * LANES, len(factors) - 2
        self._first = first.new_zeros(first.shape[1], padded)
        self._last = last.new_zeros(last.shape[0], padded)
        self._chain = first.new_zeros(inner, padded, padded)
        self._work = first.new_zeros(inner * padded**2 + 2 * self._first.numel())
        views = [self._first.mT[:width], *self._chain[:, :width, :width], self._last[:, :width]]
        for index, view in enumerate(views):
            factors[index] = view.copy_(factors[index])
        self._function = getattr(compiled, FUNCTIONS[first.dtype])
        self._sizes = (len(self._last), len(self._first), width, inner)
        self._samples = (samples.starts, samples.places, samples.values.contiguous())

    @staticmethod
    def applies(network: Network, problem: Problem, optimizer: ModuleType) -> bool:
        """Whether the kernel makes these steps: plain descent of a narrow network on the CPU."""
        like, hidden = network.factors[0], set(network.widths[1:-1])
        most = min(DENSEST * problem.shape[0] * problem.shape[1], 2**31 - 1)
        return (
            getattr(optimizer, "PLAIN", False)
            and like.device.type == "cpu"
            and like.dtype in FUNCTIONS
            and len(hidden) == 1
            and max(hidden) <= min(WIDEST, *problem.shape)
            and problem.samples is not None
            and len(problem.samples.places) <= most
            and library() is not None
        )

    def step(self, count: int = 1) -> None:
        """Make ``count`` gradient steps; other threads run meanwhile."""
        inner_rate = self.learning_rate * self.problem.scale
        arrays = (*self._samples, self._last, self._first, self._chain, self._work)
        self._function(
            count, *self._sizes, *map(_address, arrays), inner_rate * self.network.alpha, inner_rate
        )


@functools.cache
def library() -> ctypes.CDLL | None:
    """The compiled kernel, or None where it cannot be had, which the log says once."""
    try:
        loaded = ctypes.CDLL(str(_built()))
    except (OSError, subprocess.SubprocessError) as error:
        reason = (getattr(error, "stderr", None) or str(error)).strip().splitlines()[0]
        log.warning("No compiled kernel, training runs on torch alone: %s", reason)
        return None
    for name in FUNCTIONS.values():
        function = getattr(loaded, name)
        sizes, addresses = [ctypes.c_int] * 4, [ctypes.c_void_p] * 7
        function.argtypes = [ctypes.c_int64, *sizes, *addresses, *[ctypes.c_double] * 2]
    return loaded


def _built() -> Path:
    """The shared library's file, compiled unless one of this source and processor is there."""
    compiler = shlex.split(os.environ.get("CXX") or "c++")
    parts = (SOURCE.read_text(), *compiler, *FLAGS, platform.machine(), _processor())
    key = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]
    file = Path.home() / ".cache" / "dln-explorer" / "kernels" / f"entries-{key}.so"
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        # Compiled aside and moved into place: two workers may be at it at the same time.
        with tempfile.TemporaryDirectory(dir=file.parent) as folder:
            made = Path(folder) / file.name
            command = [*compiler, *FLAGS, "-o", str(made), str(SOURCE)]
            subprocess.run(command, check=True, capture_output=True, text=True, timeout=120)
            made.replace(file)
    return file


def _processor() -> str:
    """What the code is compiled for: the processor's model and abilities where Linux tells."""
    try:
        lines = Path("/proc/cpuinfo").read_text().split("\n\n")[0].splitlines()
    except OSError:
        return platform.processor()
    return "".join(line for line in lines if line.startswith(("model name", "flags", "Features")))


def _address(array: Tensor) -> int:
    return array.data_ptr()


if __name__ == "__main__":
    logging.basicConfig(format="%(message)s")
    print("The compiled kernel is ready." if library() else "Training will run on torch alone.")
