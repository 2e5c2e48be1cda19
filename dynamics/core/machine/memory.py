"""Memory: whether an error means that there is too little of it, and what is said then."""

import mmap
import os
import resource
import sys
from typing import NoReturn

from dynamics.core.finite import finite

LEAST = 900_000_000  # bytes of addresses that NumPy and torch take; below, loading may abort
NEED = "There is too little memory for NumPy and torch, which take about 1 GB before any matrix."
ROOM = 64_000_000  # bytes of addresses for the modules of the program itself
SIDE = 300  # of a product large enough for OpenBLAS to take all the memory that it ever takes
MARKS = ("allocate memory", "out of memory", "map segment", "bad_alloc", "bad allocation")


def check() -> None:
    """Raise an error where torch cannot be loaded: call it before the first import of torch.

    Raises:
        MemoryError: with one sentence.
    """
    limit = _limit()
    if limit is not None and limit < LEAST:
        raise MemoryError(NEED)


def check_numpy() -> None:
    """Raise an error where NumPy cannot be loaded: call it before the first import of NumPy.

    OpenBLAS takes memory for each core and, where there is none, ends the process with a line of
    its own or with SIGINT. So under a limit a child process tries first.

    Raises:
        MemoryError: with one sentence.
    """
    if _limit() is None or "numpy" in sys.modules:
        return
    child = os.fork()
    if not child:
        _try_numpy()
    if os.waitpid(child, 0)[1]:
        raise MemoryError(NEED)


def _limit() -> int | None:
    """The limit of addresses in bytes; None for no limit."""
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    return None if limit in (resource.RLIM_INFINITY, -1) else limit


def _try_numpy() -> NoReturn:
    """Load and use NumPy without a word, and end this process: with 0 if that went well."""
    status = 1
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for output in (1, 2):
            os.dup2(nowhere, output)
        room = mmap.mmap(-1, ROOM)
        import numpy as np

        square = np.ones((SIDE, SIDE))
        np.linalg.svd(finite(square @ square))
        room.close()
        status = 0
    finally:
        os._exit(status)


def lacking(error: BaseException | None) -> bool:
    """Whether the error, or one that it arose from, says that memory is lacking."""
    seen = set()
    while error is not None and id(error) not in seen:
        if isinstance(error, MemoryError) or any(mark in str(error).lower() for mark in MARKS):
            return True
        seen.add(id(error))
        error = error.__cause__ or error.__context__
    return False
