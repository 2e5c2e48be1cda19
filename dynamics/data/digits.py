"""Digits: 1,797 handwritten digits of 8 × 8 pixels that ship with scikit-learn."""

import gzip
import importlib.util
from pathlib import Path

import numpy as np

from dynamics.data.folder import DataError
from dynamics.data.labelled import Labelled

SIDE = 8
NAMES = tuple("0123456789")


def digits() -> Labelled:
    """The digits 0 to 9, with brightness from 0 to 1; none of them is held out.

    Source: E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI (1998).

    Raises:
        DataError: if scikit-learn's file cannot be read.
    """
    # Importing scikit-learn to have it read the file would take a second.
    found = importlib.util.find_spec("sklearn")
    file = Path((found and found.origin) or "").parent / "datasets/data/digits.csv.gz"
    try:
        with gzip.open(file) as lines:
            rows = np.loadtxt(
                lines, dtype=np.int64, delimiter=","
            )  # pixels 0 to 16, then the digit
    except (OSError, EOFError, ValueError) as error:
        raise DataError(
            f"The digits cannot be read from {file} ({error}); install scikit-learn again."
        ) from None
    images = (rows[:, :-1] / 16).astype(np.float32).reshape(-1, 1, SIDE, SIDE)
    return Labelled(images, rows[:, -1], None, None, NAMES)
