"""Finite: the guard before every decomposition of a matrix.

Given a number that is not finite, LAPACK prints on the program's own output, never returns, or
returns something finite.
"""

import math
from typing import Any, SupportsAbs, TypeVar

Matrix = TypeVar("Matrix", bound=SupportsAbs[Any])  # NumPy's, SciPy's or torch's


class NotFiniteError(ValueError):
    """A matrix has an entry that is infinite or not a number."""


def finite(matrix: Matrix) -> Matrix:
    """The matrix itself.

    Raises:
        NotFiniteError: unless all its entries are finite, and the sum of their sizes, too.
    """
    if not math.isfinite(float(abs(matrix).sum())):
        raise NotFiniteError("A number of a matrix is not finite; a smaller η would keep it so.")
    return matrix
