"""MovieLens 100K: 100,000 ratings of 1,682 films by 943 users, from files or downloaded once."""

import hashlib
import http.client
import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dynamics.data.download import download
from dynamics.data.folder import DataError, alone, folder

MOVIELENS = "https://files.grouplens.org/datasets/movielens/ml-100k.zip"
MOVIELENS_SHA256 = (
    "06416e597f82b7342361e41163890c81036900f418ad91315590814211dca490"  # SHA-256 of u.data
)
ARCHIVE_MD5 = "0e33842e24a9c977be4e0107933c0723"  # as published beside the archive
USERS, FILMS = 943, 1682
MOST_BYTES = 4_000_000  # of a file of ratings or titles
LONGEST = 60  # letters of a title
MOST_DOWNLOADED = 100_000_000  # bytes of an archive


def fetch(report: Callable[[str], None]) -> None:
    """Make sure that MovieLens is in ``folder()``; ``report`` receives the progress in words.

    Raises:
        DataError: if it is missing and cannot be downloaded.
    """
    if _ratings_file():
        return
    with alone(folder(), "MovieLens 100K", report):
        if not _ratings_file():
            _download(report)


def movielens() -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Users and films, both counted from 0, and stars from 1 to 5, of the 100,000 ratings.

    Raises:
        DataError: if ``u.data`` is missing, is not a table of ratings, or is a different data set.
    """
    file = _ratings_file()
    if file is None:
        raise DataError(f"There is no u.data in {folder()}; put MovieLens 100K's u.data there.")
    try:
        with file.open("rb") as opened:
            content = opened.read(MOST_BYTES)
    except OSError as error:
        raise DataError(f"{file} cannot be read: {error.strerror}.") from None
    if len(content) == MOST_BYTES:
        raise DataError(
            f"{file} is not MovieLens 100K, whose u.data has 1,979,173 bytes: it is longer."
        )
    rows = [_rating(file, *line) for line in enumerate(content.splitlines(), 1)]
    if hashlib.sha256(content).hexdigest() != MOVIELENS_SHA256:
        raise DataError(
            f"{file} is not MovieLens 100K: its {len(rows)} ratings have a different SHA-256 from "
            "the published u.data."
        )
    table = np.array(rows)
    return table[:, 0] - 1, table[:, 1] - 1, table[:, 2].astype(float)


def titles() -> list[str]:
    """The titles of the films by their number, from ``u.item`` beside the ratings.

    Empty without such a file, or if it is not a list of these films: titles are an ornament.
    """
    ratings = _ratings_file()
    if ratings is None:
        return []
    try:
        with (ratings.parent / "u.item").open("rb") as opened:
            lines = opened.read(MOST_BYTES).decode("latin-1").splitlines()
    except OSError:
        return []
    fields = [line.split("|") for line in lines if line.strip()]
    if [field[0] for field in fields] != [str(number) for number in range(1, FILMS + 1)]:
        return []
    found = [_read_aloud(field[1]) for field in fields if len(field) > 1 and field[1].strip()]
    return found if len(found) == FILMS else []


def _read_aloud(title: str) -> str:
    """``Godfather, The (1972)`` as ``The Godfather (1972)``, in at most LONGEST letters."""
    name, _, year = title.strip().partition(" (")
    for article in ("The", "A", "An"):
        name = (
            f"{article} {name.removesuffix(f', {article}')}" * name.endswith(f", {article}") or name
        )
    whole = f"{name} ({year}" if year else name
    return whole if len(whole) <= LONGEST else f"{whole[: LONGEST - 1].rstrip()}…"


def _ratings_file() -> Path | None:
    paths = (folder() / "u.data", folder() / "ml-100k" / "u.data", folder())
    return next((path for path in paths if path.is_file()), None)


def _rating(file: Path, number: int, line: bytes) -> tuple[int, int, int]:
    fields = line.split(b"\t")
    if len(fields) != 4 or not all(field.strip() for field in fields):
        raise DataError(
            f"{file}, line {number}: a rating is user, item, stars and time with tabs between; "
            f"{sum(bool(field.strip()) for field in fields)} of these 4 are there."
        )
    try:
        user, film, stars, _ = map(int, fields)
    except ValueError:
        text = line[:60].decode(errors="replace")
        raise DataError(f"{file}, line {number}: {text!r} is not four whole numbers.") from None
    if not (1 <= user <= USERS and 1 <= film <= FILMS and 1 <= stars <= 5):
        raise DataError(
            f"{file}, line {number}: users go from 1 to {USERS}, items from 1 to {FILMS} and stars "
            f"from 1 to 5; {user}, {film}, {stars} is outside."
        )
    return user, film, stars


def _download(report: Callable[[str], None]) -> None:
    """Download the official archive; keep its u.data and its u.item if they are as published."""
    what = "downloading MovieLens 100K"
    advice = f"put its u.data into {folder()}, or name its folder in DLN_DATA"
    try:
        with download(MOVIELENS, lambda: report(f"{what}: waiting")) as (header, pieces):
            size = int(header.get("Content-Length") or 0)
            archive = io.BytesIO()
            for piece in pieces:
                archive.write(piece)
                if archive.tell() > MOST_DOWNLOADED:
                    raise DataError(f"What was downloaded is no MovieLens 100K; {advice}.")
                share = f"{archive.tell() / size:.0%}" if size else f"{archive.tell()} bytes"
                report(f"{what}: {share}")
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        reason = getattr(reason, "strerror", None) or reason
        raise DataError(f"MovieLens 100K could not be downloaded ({reason}); {advice}.") from None
    content = _unpacked(archive, "u.data")
    if hashlib.sha256(content).hexdigest() != MOVIELENS_SHA256:
        raise DataError(f"What was downloaded is not the published MovieLens 100K; {advice}.")
    whole = hashlib.md5(archive.getvalue(), usedforsecurity=False).hexdigest() == ARCHIVE_MD5
    if whole and (named := _unpacked(archive, "u.item")):
        _keep("u.item", named)  # first: whoever finds the ratings finds the titles, too
    _keep("u.data", content)


def _unpacked(archive: io.BytesIO, name: str) -> bytes:
    """A file of the archive; empty if it has none of this name or is damaged."""
    try:
        with zipfile.ZipFile(archive).open(f"ml-100k/{name}") as packed:
            return packed.read(MOST_BYTES)
    except Exception:  # what zipfile raises on a damaged archive has no common kind
        return b""


def _keep(name: str, content: bytes) -> None:
    """Write a file into the folder in one go; inside ``alone``, for the name is always one."""
    aside = folder() / f".{name}"
    try:
        try:
            aside.write_bytes(content)
            aside.replace(folder() / name)
        finally:
            aside.unlink(missing_ok=True)
    except OSError as error:
        raise DataError(f"{folder()} cannot be written: {error.strerror}.") from None
