"""A user's matrix or ratings: every way to write them, one sentence for what is none, its rank."""

import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dynamics.core.config import Config, ConfigError
from dynamics.core.contents import SPARE
from dynamics.core.sizes import observed
from dynamics.data import dataset, own_matrix
from dynamics.data.folder import DataError
from dynamics.data.own_matrix import MatrixId, guessed_rank
from tests.support.make import is_sentence
from tests.support.strange import mutated

RNG = np.random.default_rng(0)
LOW = RNG.normal(size=(30, 3)) @ RNG.normal(size=(3, 20)) * 7 + 40
KNOWN = RNG.random(LOW.shape) < 0.6


def read(text: str | bytes, name: str = "own.csv") -> own_matrix.Matrix:
    content = text.encode() if isinstance(text, str) else text
    return own_matrix.own_matrix(io.BytesIO(content), name)


def table(separator: str = ",", gap: str = "", names: bool = True, comma: bool = False) -> str:
    lines = [separator.join(["", *(f"c{col}" for col in range(20))])] if names else []
    for row, (values, known) in enumerate(zip(LOW, KNOWN, strict=True)):
        fields = [f"{one:.3f}" if seen else gap for one, seen in zip(values, known, strict=True)]
        fields = [field.replace(".", ",") for field in fields] if comma else fields
        lines.append(separator.join([f"r{row}", *fields] if names else fields))
    return "\n".join(lines) + "\n"


def ratings(separator: str, heading: str = "", more: str = "") -> str:
    lines = [heading] if heading else []
    for row, col in np.argwhere(KNOWN):
        fields = [f"u {row}" if separator != " " else f"u{row}", str(col), f"{LOW[row, col]:.3f}"]
        lines.append(separator.join(fields + ([more] if more else [])))
    return "\n".join(lines)


def same(matrix: own_matrix.Matrix) -> bool:
    whole = np.full(LOW.shape, np.nan)
    whole[tuple(matrix.places)] = matrix.values
    return bool((np.isnan(whole) == ~KNOWN).all() and np.nanmax(np.abs(whole - LOW)) < 1e-3)


@pytest.mark.parametrize(
    "text",
    [
        table(), table(";"), table("\t", "NaN"), table(",", "?"), table(" ", "NA"), table("|", "-"),
        table(names=False), table("\t", "na", names=False), table(";", "", comma=True),
        "\ufeff" + table(), table().replace("\n", "\r\n"), table().replace("r3,", '"r3",'),
        table().split(",", 1)[1],  # a heading without a field above the names of the rows
    ],
)  # fmt: skip
def test_a_matrix_is_read_however_it_is_written(text: str) -> None:
    matrix = read(text)
    assert matrix.shape == (30, 20) and same(matrix)
    assert matrix.rows[3] in ("r3", "4") and matrix.cols[0] in ("c0", "1")


@pytest.mark.parametrize(
    "text",
    [
        ratings(","), ratings("\t", "user\titem\trating"), ratings("::", more="978300760"),
        ratings(";", "userId;movieId;rating;timestamp", "97"), ratings(" "),
    ],
)  # fmt: skip
def test_ratings_are_users_by_items(text: str) -> None:
    """In the order in which users and items come first; ids are any texts."""
    matrix = read(text)
    assert matrix.shape == (30, 20) and len(matrix.values) == KNOWN.sum()
    for (row, col), value in zip(matrix.places.T, matrix.values, strict=True):
        user = int(matrix.rows[row].removeprefix("u").strip())
        assert value == pytest.approx(LOW[user, int(matrix.cols[col])], abs=1e-3)


def test_an_array_is_read_with_gaps_where_it_is_not_a_number() -> None:
    for array in (
        np.where(KNOWN, LOW, np.nan),
        np.where(KNOWN, LOW, np.nan).astype("f4").T.copy().T,
    ):
        file = io.BytesIO()
        np.save(file, array)
        assert same(own_matrix.own_matrix(file, "own.npy"))


def test_names_may_be_numbers_under_an_empty_corner() -> None:
    lines = [",0,1,2,3,4,5"] + [f"{row}," + ",".join(f"{row + col}.5" for col in range(6))
                                for row in range(6)]  # fmt: skip
    matrix = read("\n".join(lines))
    assert matrix.rows == matrix.cols == tuple("012345") and matrix.values[0] == 0.5


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "no line"), ("1,2\n", "1 line,"), ("a\nb\nc\n", "no fields"),
        (table().replace("r7,", "r7,1,2,"), "line 9 has"), (table().replace("r9", "r8"), "'r8'"),
        (table(names=False).replace("\n", "\nx,", 1), "fields"), ("\0" * 90 + "\n1", "text"),
        ("1,2,3,4,5\n1,2,x,4,5\n" + "1,2,3,4,6\n" * 4, "line 2 has 'x'"),
        ("1,1,1,1,1\n" * 6, "the same"), ("1,2,3\n4,5,6\n7,8,9\n1,5,2\n", "columns"),
        (",,,,,\n1,,,,,\n" + ",2,,,,\n" * 6, "known entries"),
        (b"\x93NUMPY" + bytes(50), "damaged"),
    ],
)  # fmt: skip
def test_what_is_no_matrix_gets_one_sentence(text: str | bytes, named: str) -> None:
    with pytest.raises(DataError, match=r"^own\.csv cannot be used: .*\.$") as refused:
        read(text)
    assert is_sentence(str(refused.value)) and named in str(refused.value)


def survive(seed: int, text: int) -> None:
    """Bytes that are changed, cut or doubled never end in anything but a matrix or a sentence."""
    file = io.BytesIO()
    np.save(file, LOW[:8, :6])
    content = (table().encode()[:900], ratings("::").encode()[:900], file.getvalue())[text]
    matrix, refused = None, ""
    try:
        matrix = read(mutated(content, seed))
    except DataError as error:
        refused = str(error)
    assert matrix or is_sentence(refused)
    if matrix:
        assert np.isfinite(matrix.values).all() and len(matrix.values) == matrix.places.shape[1]
        assert (matrix.places.max(1) < matrix.shape).all()


SEED, TEXT = st.integers(0, 10**9), st.sampled_from((0, 1, 2))


@settings(max_examples=300, deadline=None)
@given(seed=SEED, text=TEXT)
def test_mutated_files_are_read_or_refused(seed: int, text: int) -> None:
    survive(seed, text)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@settings(max_examples=5000, deadline=None)
@given(seed=SEED, text=TEXT)
def test_thousands_of_mutated_files_are_read_or_refused(seed: int, text: int) -> None:
    survive(seed, text)


@pytest.mark.parametrize("rank", [1, 2, 5])
@pytest.mark.parametrize("share", [0.3, 1.0])
def test_rank_is_guessed_from_the_gap(rank: int, share: float) -> None:
    rng = np.random.default_rng(rank)
    whole = rng.normal(size=(80, rank)) @ rng.normal(size=(rank, 60))
    whole -= whole.mean()
    known = rng.random(whole.shape) < share
    file = io.BytesIO()
    np.save(file, np.where(known, whole, np.nan))
    guess = guessed_rank(own_matrix.own_matrix(file, "own.npy"))
    assert rank <= guess + SPARE <= rank + SPARE + 2  # the width bound holds the rank


def test_an_import_is_a_problem_with_its_own_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same content has the same id; the width bound is the guess unless it is chosen."""
    monkeypatch.setenv("DLN_DATA", str(tmp_path))
    (tmp_path / "My table.csv").write_text(table())
    identity = dataset.keep(tmp_path / "My table.csv")
    assert identity == dataset.keep(io.BytesIO(table(";").encode()), "My_table.csv")
    stated = MatrixId.read(identity)
    assert stated and stated.shape == (30, 20) and stated.entries == KNOWN.sum()
    assert same(own_matrix.matrix(identity)) and stated.rank in (2, 3)
    config = Config.from_dict({"problem": "own_matrix", "dataset": identity})
    assert config.shape == (30, 20) and config.rank_bound == stated.rank + SPARE
    assert observed(config) == pytest.approx(0.9 * KNOWN.sum())
    assert Config.from_dict(config.to_dict()) == config
    (place,) = (tmp_path / "own").glob("*.npz")
    place.write_bytes(place.read_bytes()[:-30])
    with pytest.raises(DataError, match="is not what its name says"):
        own_matrix.matrix(identity)
    place.unlink()
    with pytest.raises(DataError, match="is not on this machine"):
        dataset.check(identity)
    for values in ({"problem": "own_picture", "dataset": identity}, {"problem": "own_matrix"}):
        with pytest.raises(ConfigError) as refused:
            Config.from_dict(values)
        assert set(refused.value.problems) == {"dataset"} and is_sentence(str(refused.value))
