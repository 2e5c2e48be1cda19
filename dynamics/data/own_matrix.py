"""Own matrix: a user's matrix with gaps, or ratings as user, item, rating, from CSV or NPY.

A text is a matrix, one row a line, or a list of ratings, one a line: user, item, rating, and a
fourth field that is not read, such as a time. It is a list if it has three or four fields a line,
each pair of the first two (nearly) once, and both of them again and again. Fields are separated by
whatever all lines have as often; names of rows and columns, and a heading of a list, are told by
not being numbers. A blank, ``NA``, ``NaN``, ``null``, ``none``, ``?``, ``-`` or ``.`` is a gap.

An id such as ``films-943x1682-100000e-9r-3f2a9c01b2d4e5f6`` says what a matrix is: a name, rows and
columns, how many entries are known, a guess at the rank, and the start of a SHA-256 of its content.
"""

import csv
import hashlib
import io
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dynamics.data import kept
from dynamics.data.folder import DataError
from dynamics.data.labelled import draws

Numbers = NDArray[np.float64]
Places = NDArray[np.int64]
EXAMPLE = "films-943x1682-100000e-9r-3f2a9c01b2d4e5f6"
ENDINGS = (".csv", ".tsv", ".txt", ".data", ".dat", ".npy")
MOST_BYTES = 100_000_000  # of a file
LEAST_SIDE, MOST_SIDE = 5, 20_000  # rows or columns
MOST_ENTRIES = 5_000_000
LEAST_ENTRIES = 10
MOST_LETTERS = 200  # of the name of a row or column
GAPS = ("", "na", "nan", "null", "none", "?", "-", ".")
SEPARATORS = ("::", "\t", ";", ",", "|", r"\s+")
LOOKED_AT = 100  # lines from which the separator is told
ONCE = 0.9  # share of the pairs of a list that must be there once
MOST_RANK = 50  # that is guessed
ID = re.compile(
    rf"{kept.NAME}-(?P<rows>[1-9]\d{{0,4}})x(?P<cols>[1-9]\d{{0,4}})-(?P<entries>[1-9]\d{{0,6}})e"
    rf"-(?P<rank>[1-9]\d?)r-{kept.DIGEST}",
    re.ASCII,
)


@dataclass(frozen=True)
class Matrix:
    """A matrix of which some entries are known.

    rows, cols: the names of its rows and columns
    places: int64, 2 × entries, row and column of each known entry, row by row
    values: float64, the known entries
    """

    rows: tuple[str, ...]
    cols: tuple[str, ...]
    places: Places
    values: Numbers

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return len(self.rows), len(self.cols)

    @property
    def mean(self) -> float:
        """The mean of the known entries."""
        return float(self.values.mean())

    @property
    def deviation(self) -> float:
        """The standard deviation of the known entries."""
        return float(self.values.std())

    @property
    def standard(self) -> Numbers:
        """The known entries with mean 0 and standard deviation 1, as networks learn them."""
        return (self.values - self.mean) / self.deviation


class MatrixId(NamedTuple):
    """What an id says of a matrix.

    Attributes:
        name: letters, digits and hyphens.
        rows, cols: its shape.
        entries: how many are known.
        rank: a guess at the rank.
        digest: sixteen hexadecimal digits that follow from the content.
    """

    name: str
    rows: int
    cols: int
    entries: int
    rank: int
    digest: str

    @classmethod
    def read(cls, text: str) -> "MatrixId | None":
        """The identity that an id states; None if it is not one of a matrix."""
        match = ID.fullmatch(text)
        if match is None or len(match["name"]) > kept.MOST_LETTERS:
            return None
        rows, cols, entries, rank = (
            int(match[name]) for name in ("rows", "cols", "entries", "rank")
        )
        fits = LEAST_SIDE <= min(rows, cols) <= max(rows, cols) <= MOST_SIDE
        if not fits or not LEAST_ENTRIES <= entries <= min(rows * cols, MOST_ENTRIES):
            return None
        if rank > min(rows, cols, MOST_RANK):
            return None
        return cls(match["name"], rows, cols, entries, rank, match["digest"])

    @classmethod
    def of(cls, name: str, matrix: Matrix) -> "MatrixId":
        """The identity of a matrix that is imported under this name."""
        total = hashlib.sha256(repr((matrix.rows, matrix.cols)).encode())
        total.update(matrix.places.astype("<i8").tobytes())
        total.update(matrix.values.astype("<f8").tobytes())
        sizes = (*matrix.shape, len(matrix.values), guessed_rank(matrix))
        return cls(name, *sizes, total.hexdigest()[:16])

    def __str__(self) -> str:
        return f"{self.name}-{self.rows}x{self.cols}-{self.entries}e-{self.rank}r-{self.digest}"

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.rows, self.cols


def keep(file: str | Path | BinaryIO, name: str = "") -> str:
    """Import a matrix and return its id.

    Raises:
        DataError: with one sentence, if it cannot be used or kept.
    """
    matrix = own_matrix(file, name)
    identity = str(MatrixId.of(kept.letters(name or str(file)), matrix))
    packed = io.BytesIO()
    np.savez_compressed(
        packed,
        rows=np.array(matrix.rows),
        cols=np.array(matrix.cols),
        places=matrix.places.astype("<i4"),
        values=matrix.values.astype("<f8"),
    )
    try:
        kept.copy(packed, f"{identity}.npz")
    except OSError as error:
        raise DataError(f"{kept.folder()} cannot be written: {error.strerror}.") from None
    return identity


def own_matrix(file: str | Path | BinaryIO, name: str = "") -> Matrix:
    """The matrix of a CSV or NPY file, by path or opened; ``name`` is what errors call the file.

    Raises:
        DataError: if the file is missing, too large or damaged, or does not fit.
    """
    try:
        content = kept.content(file, MOST_BYTES)
        if content.startswith(b"\x93NUMPY"):
            return _checked(_of_array(content))
        return _checked(_of_text(content))
    except DataError as error:
        reason = str(error)
    except MemoryError:
        reason = "it does not fit into memory"
    raise DataError(f"{name or file} cannot be used: {reason}.")


def matrix(dataset: str) -> Matrix:
    """The matrix with this id.

    Raises:
        DataError: if it is missing, damaged or another one.
    """
    check(dataset)
    stated = MatrixId.read(dataset)
    place = kept.place(f"{dataset}.npz")
    try:
        with np.load(place, allow_pickle=False) as arrays:
            rows, cols = (tuple(map(str, arrays[side].tolist())) for side in ("rows", "cols"))
            found = Matrix(rows, cols, arrays["places"].astype(np.int64), arrays["values"])
            if stated is not None and MatrixId.of(stated.name, found) == stated:
                return found
    except Exception:  # what NumPy and zipfile raise on a damaged file has no common kind
        pass
    raise DataError(f"{place} is not what its name says: import the matrix again.")


def check(dataset: str) -> None:
    """Raise an error unless the matrix is on this machine.

    Raises:
        DataError: with one sentence that says how to bring it here.
    """
    if not kept.place(f"{dataset}.npz").is_file():
        raise DataError(
            f"The matrix {dataset} is not on this machine: import the file that it came from, "
            f"with run --data-file FILE or on the page, or copy {dataset}.npz into {kept.folder()}."
        )


def guessed_rank(matrix: Matrix) -> int:
    """How many singular values of the known entries, zero elsewhere, stand out.

    They stand out above the largest one of the same numbers in another order at the same places
    (parallel analysis: Horn 1965), as their gap to the rest does. Where all entries are known, all
    up to the largest gap between two neighbours count too, if the lower is a millionth. At least 1.
    """
    side = min(matrix.shape)
    most = min(MOST_RANK, side)
    values = _singular_values(matrix, matrix.standard, min(most + 1, side))
    order = draws("rank", 0).permutation(len(matrix.values))
    (noise,) = _singular_values(matrix, matrix.standard[order], 1)
    found = int((values[:most] > noise).sum())
    if len(matrix.values) == matrix.shape[0] * matrix.shape[1]:
        small = np.flatnonzero(values < 1e-6 * values[0])
        found = int(small[0]) if len(small) else found
    return max(1, min(found, most))


def _singular_values(matrix: Matrix, values: Numbers, count: int) -> Numbers:
    """The first ``count`` singular values, largest first, always by the same start."""
    from scipy.sparse import csr_matrix
    from scipy.sparse.linalg import svds
    from threadpoolctl import threadpool_limits

    whole = csr_matrix((values, matrix.places), shape=matrix.shape)
    with threadpool_limits(1, "blas"):  # more threads would change the last digits
        if count >= min(matrix.shape) - 1:
            found = np.linalg.svd(finite(whole.toarray()), compute_uv=False)[:count]
        else:
            found = svds(finite(whole), k=count, rng=0, return_singular_vectors=False)
    return np.sort(np.asarray(found))[::-1]


def finite(matrix: Any) -> Any:
    """The matrix itself; on any other than a finite one, LAPACK may print or never return."""
    assert np.isfinite(matrix.sum()), "a matrix has a number that is not finite"
    return matrix


def _of_array(content: bytes) -> Matrix:
    """The matrix of an NPY file, whose rows and columns are counted from 1; NaN is a gap."""
    try:
        opened = io.BytesIO(content)
        version = np.lib.format.read_magic(opened)
        reader = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }[version]
        shape, _, dtype = reader(opened)
    except Exception:  # what NumPy raises on a damaged header has no common kind
        raise DataError("it is a damaged .npy file") from None
    if dtype.hasobject or dtype.kind not in "biuf":
        raise DataError("its array has no real numbers")
    if len(shape) != 2:
        raise DataError(f"its array has {len(shape)} axes, and a matrix has 2")
    _check_sides(*shape)
    if np.prod(shape, dtype=float) * dtype.itemsize != len(content) - opened.tell():
        raise DataError("it does not have the length that its header states")
    opened.seek(0)
    with np.errstate(all="ignore"):
        array = np.lib.format.read_array(opened, allow_pickle=False).astype(np.float64)
    return _of_grid(array, _counted(shape[0]), _counted(shape[1]))


def _of_grid(array: Numbers, rows: Sequence[str], cols: Sequence[str]) -> Matrix:
    known = ~np.isnan(array)
    return Matrix(tuple(rows), tuple(cols), np.stack(known.nonzero()), array[known])


def _of_text(content: bytes) -> Matrix:
    table = _table(content)
    width = len(table[0])
    numbers = _numbers(table)
    if width in (3, 4) and _is_list(table, numbers):
        return _of_list(table, numbers)
    return _of_rows(table, numbers)


def _table(content: bytes) -> list[list[str]]:
    """The fields of all lines that are not blank."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    if "\0" in text:
        raise DataError("it is neither a text nor an .npy file")
    lines = [line for line in text.splitlines() if line.strip()]
    if len(lines) < 2:
        raise DataError(f"it has {len(lines) or 'no'} line, and a matrix has two or more")
    separator = _separator(lines[:LOOKED_AT])
    table = _split(lines, separator)
    width = len(table[1])  # a corner without a name may be missing in the first line
    if len(table[0]) == width - 1:
        table[0] = ["", *table[0]]
    for number, fields in enumerate(table, 1):
        if len(fields) != width:
            raise DataError(
                f"line {number} has {len(fields)} fields, and line 2 has {width} (blank lines are "
                "not counted)"
            )
    if separator != ",":  # 3,5 is a number where fields are separated otherwise
        table = [[re.sub(r"^(\s*[-+]?\d+),(\d+\s*)$", r"\1.\2", field) for field in fields]
                 for fields in table]  # fmt: skip
    return table


def _separator(lines: Sequence[str]) -> str:
    """What separates the fields: the first of SEPARATORS that most lines have equally often."""
    best, found = 0.0, ""
    for separator in SEPARATORS:
        widths = Counter(len(fields) for fields in _split(lines, separator))
        width, count = max(widths.items(), key=lambda item: item[1])
        share = count / len(lines)
        if width > 1 and share > best + 0.2:
            best, found = share, separator
    if not found:
        raise DataError(
            "its lines have no fields: commas, tabs, semicolons or blanks separate them"
        )
    return found


def _split(lines: Sequence[str], separator: str) -> list[list[str]]:
    """The fields of each line, without quotes and blanks around them."""
    if separator == "::":
        table = [line.split("::") for line in lines]
    elif separator == r"\s+":
        table = [line.split() for line in lines]
    else:
        try:
            table = list(csv.reader(lines, delimiter=separator, skipinitialspace=True))
        except csv.Error as error:
            raise DataError(f"its lines cannot be split: {error}") from None
    return [[field.strip() for field in fields] for fields in table if fields]


def _numbers(table: Sequence[Sequence[str]]) -> Numbers:
    """The fields as numbers: NaN for a gap, infinity for what is neither."""
    return np.array([[_number(field) for field in fields] for fields in table])


def _number(field: str) -> float:
    if field.lower() in GAPS:
        return np.nan
    try:
        return float(field)
    except ValueError:
        return np.inf


def _is_list(table: Sequence[Sequence[str]], numbers: Numbers) -> bool:
    """Whether the lines are ratings: user, item, rating, and perhaps a field that is not read."""
    body = table[1:] if not np.isfinite(numbers[0, 2]) else table
    ratings = numbers[len(table) - len(body) :, 2]
    if not len(body) or not np.isfinite(ratings).mean() > ONCE:
        return False
    users, items = ({fields[place] for fields in body} for place in (0, 1))
    pairs = {(fields[0], fields[1]) for fields in body}
    once = len(pairs) >= ONCE * len(body)
    return once and max(len(users), len(items)) < ONCE * len(body)


def _of_list(table: Sequence[Sequence[str]], numbers: Numbers) -> Matrix:
    """Users × items; of a pair that is there twice, the last rating counts."""
    first = 0 if np.isfinite(numbers[0, 2]) else 1
    places: dict[tuple[int, int], float] = {}
    users: dict[str, int] = {}
    items: dict[str, int] = {}
    for number, (fields, values) in enumerate(
        zip(table[first:], numbers[first:], strict=True), first + 1
    ):
        user, item = fields[0], fields[1]
        if not user or not item:
            raise DataError(f"line {number} has no {'item' if user else 'user'}")
        if np.isnan(values[2]):
            continue
        if np.isinf(values[2]):
            raise DataError(f"line {number} has {fields[2][:40]!r} where a rating should be")
        pair = users.setdefault(user, len(users)), items.setdefault(item, len(items))
        places[pair] = float(values[2])
    _check_sides(len(users), len(items))
    order = sorted(places)
    given = np.array([places[pair] for pair in order])
    return Matrix(tuple(users), tuple(items), np.array(order, np.int64).reshape(-1, 2).T, given)


def _of_rows(table: list[list[str]], numbers: Numbers) -> Matrix:
    """The matrix whose rows are lines, with or without names of rows and columns."""
    words = np.isinf(numbers)
    corner = not np.isfinite(numbers[0, 0])
    counted = corner and _counts(numbers[0, 1:]) and _counts(numbers[1:, 0])
    has_cols = bool(words[0, 1:].any()) or counted
    has_rows = bool(words[int(has_cols) :, 0].any()) or counted or (has_cols and corner and (
        _counts(numbers[1:, 0]) or not np.isfinite(numbers[1:, 0]).any()))  # fmt: skip
    top, left = int(has_cols), int(has_rows)
    body = numbers[top:, left:]
    rows = [fields[0] for fields in table[top:]] if has_rows else _counted(len(body))
    cols = table[0][left:] if has_cols else _counted(body.shape[1])
    wrong = np.argwhere(np.isinf(body))
    if len(wrong):
        row, col = wrong[0]
        field = table[row + top][col + left]
        raise DataError(f"line {row + top + 1} has {field[:40]!r} where a number should be")
    _check_sides(*body.shape)
    for what, names in (("rows", rows), ("columns", cols)):
        if len(set(names)) < len(names):
            twice = Counter(names).most_common(1)[0][0]
            raise DataError(f"two of its {what} have the name {twice[:40]!r}")
    return _of_grid(body, rows, cols)


def _counts(numbers: Numbers) -> bool:
    """Whether these are distinct whole numbers, as names that count rows or columns are."""
    whole = np.isfinite(numbers).all() and (numbers == np.floor(numbers)).all()
    return bool(whole) and len(set(numbers.tolist())) == len(numbers)


def _counted(count: int) -> list[str]:
    return [str(number) for number in range(1, count + 1)]


def _check_sides(rows: int, cols: int) -> None:
    if not LEAST_SIDE <= min(rows, cols) <= max(rows, cols) <= MOST_SIDE:
        raise DataError(
            f"it has {rows:,} rows and {cols:,} columns, and each must be from "
            f"{LEAST_SIDE} to {MOST_SIDE:,}"
        )


def _checked(matrix: Matrix) -> Matrix:
    """The matrix, if networks can learn it."""
    count = len(matrix.values)
    if not LEAST_ENTRIES <= count <= MOST_ENTRIES:
        raise DataError(
            f"it has {count:,} known entries, and from {LEAST_ENTRIES} to {MOST_ENTRIES:,} are read"
        )
    if not np.isfinite(matrix.values).all() or np.abs(matrix.values).max() > 1e100:
        raise DataError("one of its entries is infinite or too large")
    # Equal numbers have a mean that rounding moves, so that their deviation is not quite zero.
    if not matrix.deviation > 1e-9 * np.abs(matrix.values).max():
        raise DataError("all its known entries are the same")
    for name in (*matrix.rows, *matrix.cols):
        if len(name) > MOST_LETTERS or not name.isprintable():
            raise DataError(f"the name {name[:40]!r} of a row or column is too long or no text")
    return matrix


def completed(own: Matrix, product: Any) -> Numbers:
    """The matrix in its own unit: known entries as they are, W in the gaps.

    Args:
        own: the matrix.
        product: W, rows × cols, in standard deviations from the mean.
    """
    whole = own.mean + own.deviation * np.asarray(product, np.float64)
    whole[tuple(own.places)] = own.values
    return whole
