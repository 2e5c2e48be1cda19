"""Threads: how many NumPy's linear algebra uses."""

import functools

from threadpoolctl import threadpool_limits


@functools.cache
def use_one() -> None:
    """Use one thread in NumPy's linear algebra, in this process and from now on.

    With more, it sums up in an order that follows the number of threads, so that the last digits
    depend on the machine and its settings. Whoever computes numbers that are kept calls this first.
    """
    threadpool_limits(1, "blas")
