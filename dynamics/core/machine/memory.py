"""Memory: whether an error means that there is too little of it, and what is said then."""

import resource

LEAST = 900_000_000  # bytes of addresses that NumPy and torch take; below, loading may abort
NEED = "There is too little memory for NumPy and torch, which take about 1 GB before any matrix."
MARKS = ("allocate memory", "out of memory", "map segment", "bad_alloc", "bad allocation")


def check() -> None:
    """Raise an error where torch cannot be loaded: call it before the first import of torch.

    Raises:
        MemoryError: with one sentence.
    """
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit not in (resource.RLIM_INFINITY, -1) and limit < LEAST:
        raise MemoryError(NEED)


def lacking(error: BaseException | None) -> bool:
    """Whether the error, or one that it arose from, says that memory is lacking."""
    seen = set()
    while error is not None and id(error) not in seen:
        if isinstance(error, MemoryError) or any(mark in str(error).lower() for mark in MARKS):
            return True
        seen.add(id(error))
        error = error.__cause__ or error.__context__
    return False
