"""Compiled code: gradient steps of narrow networks, and products of wide ones.

A library is compiled when it is first needed, in half a second, by the machine's compiler or by
the clang of the wheel ``ziglang``, which set-up installs where there is no other. It is kept in the
user's cache, in a file whose name depends on the source, the compiler and the processor.
``python -m dynamics.engine.kernels`` compiles the usual libraries at set-up. Without a compiler,
one warning is logged and torch makes the same steps, more slowly.
"""

import ctypes
import functools
import hashlib
import importlib.util
import logging
import os
import platform
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import torch

HERE = Path(__file__).parent
FLAGS = ("-std=c++17", "-O3", "-march=native", "-fPIC", "-shared")
NUMBERS = {torch.float64: "double", torch.float32: "float"}
USUAL = (3, 5, 6, 8, 10, 20, 30)  # widths of presets and lessons, in float64
PATIENCE = 600  # seconds; ziglang's first call compiles its own library, a minute on a quiet core
LANES = 4  # numbers in a vector; rows are padded to a multiple of LANES
INT, LONG, ADDRESS, RATE = ctypes.c_int, ctypes.c_int64, ctypes.c_void_p, ctypes.c_double
SIGNATURES = {
    "descent": {
        "entries": [LONG, *[INT] * 3, *[ADDRESS] * 7, RATE, RATE],
        "misfit": [*[INT] * 3, *[ADDRESS] * 8],
        "factored": [LONG, *[INT] * 4, *[ADDRESS] * 6, RATE, RATE],
    },
    "products": {
        "multiply": [*[LONG] * 3, *[ADDRESS, LONG, LONG] * 2, ADDRESS, LONG, RATE, RATE],
        "replay": [LONG, LONG, *[ADDRESS] * 3],
    },
}
log = logging.getLogger(__name__)


@functools.cache
def library(width: int, dtype: torch.dtype) -> ctypes.CDLL | None:
    """The functions of ``descent.cpp`` for this width; None if they cannot be compiled."""
    return _loaded("descent", NUMBERS[dtype], f"-DWIDTH={width}")


@functools.cache
def products(dtype: torch.dtype) -> ctypes.CDLL | None:
    """The functions of ``products.cpp``; None if they cannot be compiled or are not faster."""
    if not {"avx2", "fma"} <= set(_processor().split()) or dtype not in NUMBERS:
        return None
    return _loaded("products", NUMBERS[dtype])


def _loaded(name: str, number: str, *flags: str) -> ctypes.CDLL | None:
    try:
        functions = ctypes.CDLL(str(_built(name, f"-DREAL={number}", *flags)))
    except (OSError, subprocess.SubprocessError) as error:
        _complain((getattr(error, "stderr", None) or str(error)).strip().splitlines()[0])
        return None
    for function, types in SIGNATURES[name].items():
        # A rate must arrive as a REAL: as a double it would be misread where a float belongs.
        real = ctypes.c_float if number == "float" else RATE
        getattr(functions, function).argtypes = [real if t is RATE else t for t in types]
        getattr(functions, function).restype = None
    return functions


@functools.cache
def _complain(reason: str) -> None:
    log.warning("No compiled kernel, training runs on torch alone: %s", reason)


def _built(name: str, *flags: str) -> Path:
    """Returns the library's file, and compiles it unless it exists."""
    source = HERE / f"{name}.cpp"
    compiler = _compiler()
    parts = [source.read_text(encoding="utf-8"), *compiler, *FLAGS, *flags, _processor()]
    key = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]
    file = _folder() / f"{name}-{key}.so"
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        # The library is compiled elsewhere and moved into place, because two workers may compile
        # it at the same time.
        with tempfile.TemporaryDirectory(dir=file.parent) as folder:
            made = Path(folder) / file.name
            command = [*compiler, *FLAGS, *flags, "-o", str(made), str(source)]
            subprocess.run(command, check=True, capture_output=True, text=True, timeout=PATIENCE)
            made.replace(file)
    return file


def _compiler() -> list[str]:
    """The command of ``CXX``, the machine's own compiler, or else the clang that pip brings."""
    if named := os.environ.get("CXX"):
        return shlex.split(named)
    if not shutil.which("c++") and importlib.util.find_spec("ziglang"):
        return [sys.executable, "-m", "ziglang", "c++"]
    return ["c++"]


def _folder() -> Path:
    return Path.home() / ".cache" / "dln-explorer" / "kernels"


@functools.cache
def _processor() -> str:
    """The processor's model and features, for which the code is compiled, as Linux names them."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").split("\n\n")[0].splitlines()
    except OSError:
        return platform.machine() + platform.processor()
    return "".join(line for line in lines if line.startswith(("model name", "flags", "Features")))
