"""The compiled form of gradient descent: one small library for each width and precision.

A library is compiled when it is first wanted (half a second) and kept in the user's cache under
its source, the compiler and the processor; ``python -m dynamics.kernels`` makes the usual ones at
set-up. Without a compiler the log says so once and training runs on torch: same steps, slower.
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

import torch

SOURCE = Path(__file__).with_name("descent.cpp")
FLAGS = ("-std=c++17", "-O3", "-march=native", "-fPIC", "-shared")
NUMBERS = {torch.float64: "double", torch.float32: "float"}
LANES = 4  # numbers in a vector: rows are padded to a multiple of it
RATES = [ctypes.c_double] * 2
SIGNATURES = {
    "entries": [ctypes.c_int64, *[ctypes.c_int] * 3, *[ctypes.c_void_p] * 7, *RATES],
    "factored": [ctypes.c_int64, *[ctypes.c_int] * 4, *[ctypes.c_void_p] * 6, *RATES],
}
log = logging.getLogger(__name__)


@functools.cache
def library(width: int, dtype: torch.dtype) -> ctypes.CDLL | None:
    """The functions of ``descent.cpp`` for networks of this width; None if they cannot be had."""
    number = NUMBERS[dtype]
    try:
        functions = ctypes.CDLL(str(_built(width, number)))
    except (OSError, subprocess.SubprocessError) as error:
        _complain((getattr(error, "stderr", None) or str(error)).strip().splitlines()[0])
        return None
    for name, types in SIGNATURES.items():
        function = getattr(functions, name)
        # REALs are passed as they are: a rate must not reach a float's place as a double.
        function.argtypes = [ctypes.c_float if t is RATES[0] and number == "float" else t
                             for t in types]  # fmt: skip
        function.restype = None
    return functions


@functools.cache
def _complain(reason: str) -> None:
    log.warning("No compiled kernel, training runs on torch alone: %s", reason)


def _built(width: int, number: str) -> Path:
    """The library's file, compiled unless it is there."""
    compiler = shlex.split(os.environ.get("CXX") or "c++")
    flags = (*FLAGS, f"-DREAL={number}", f"-DWIDTH={width}")
    key = hashlib.sha256("\0".join([SOURCE.read_text(), *compiler, *flags, _processor()]).encode())
    file = _folder() / f"descent-{number}-{width}-{key.hexdigest()[:16]}.so"
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        # Compiled aside and moved into place: two workers may be at it at the same time.
        with tempfile.TemporaryDirectory(dir=file.parent) as folder:
            made = Path(folder) / file.name
            command = [*compiler, *flags, "-o", str(made), str(SOURCE)]
            subprocess.run(command, check=True, capture_output=True, text=True, timeout=120)
            made.replace(file)
    return file


def _folder() -> Path:
    return Path.home() / ".cache" / "dln-explorer" / "kernels"


@functools.cache
def _processor() -> str:
    """What the code is compiled for: the processor's model and abilities where Linux tells."""
    try:
        lines = Path("/proc/cpuinfo").read_text().split("\n\n")[0].splitlines()
    except OSError:
        return platform.machine() + platform.processor()
    return "".join(line for line in lines if line.startswith(("model name", "flags", "Features")))
