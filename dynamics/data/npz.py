"""Headers of the arrays in an ``.npz`` file, read with bounded memory."""

import io
import zipfile
from typing import Any

import numpy as np

MOST_HEADER = 4096  # bytes that may stand before an array's numbers


def header(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> tuple[tuple[int, ...], Any, int]:
    """Shape, type and first byte of an array, from the first MOST_HEADER bytes alone.

    NumPy itself reads a header of any stated length into memory before it refuses it.

    Raises:
        ValueError: if the header is longer, or is none.
        Exception: of zipfile or of Python's parser, if the file is damaged.
    """
    with archive.open(entry) as opened:
        start = io.BytesIO(opened.read(MOST_HEADER))
    version = np.lib.format.read_magic(start)
    if version == (1, 0):
        shape, _, dtype = np.lib.format.read_array_header_1_0(start)
    elif version == (2, 0):
        shape, _, dtype = np.lib.format.read_array_header_2_0(start)
    else:
        raise ValueError(f"version {version}")
    return shape, dtype, start.tell()
