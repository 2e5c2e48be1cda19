"""Data: what is not the published data set is refused with one sentence, and real downloads."""

import http.server
import io
import socket
import threading
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dynamics.data import movielens
from dynamics.data.folder import DataError
from tests.support.make import answer_once, answering, is_sentence
from tests.support.strange import mutated


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder of data sets."""
    monkeypatch.setenv("DLN_DATA", str(tmp_path))
    return tmp_path


def refused(place: Path, content: bytes) -> str:
    (place / "u.data").write_bytes(content)
    with pytest.raises(DataError) as caught:
        movielens.movielens()
    assert is_sentence(str(caught.value)), str(caught.value)
    assert str(place) in str(caught.value)
    return str(caught.value)


GOOD = b"196\t242\t3\t881250949\n"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b"userId,movieId,rating,timestamp\n", ["line 3", "tabs", "1 of these 4"]),
        (b"196\t242\tgood\t881250949\n", ["line 3", "good", "whole numbers"]),
        (b"196\t242\t3.5\t881250949\n", ["line 3", "3.5", "whole numbers"]),
        (b"196\t242\t3\n", ["line 3", "3 of these 4"]),
        (b"196\t\t3\t881250949\n", ["line 3", "3 of these 4"]),
        (b"\n", ["line 3", "0 of these 4"]),
        (b"944\t242\t3\t881250949\n", ["line 3", "944", "943"]),
        (b"0\t242\t3\t881250949\n", ["line 3", "0, 242, 3"]),
        (b"196\t1683\t3\t881250949\n", ["line 3", "1683", "1682"]),
        (b"196\t242\t6\t881250949\n", ["line 3", "196, 242, 6"]),
        (b"196\t242\t0\t881250949\n", ["line 3", "196, 242, 0"]),
        (b"\xff\xfe\x00\t1\t2\t3\n", ["line 3", "whole numbers"]),
    ],
)
def test_a_line_that_is_no_rating_is_named_with_its_number(
    place: Path, line: bytes, words: list[str]
) -> None:
    """Gaps, text and numbers out of range: which line, and what is wrong with it."""
    sentence = refused(place, 2 * GOOD + line + GOOD)
    assert all(word in sentence for word in words), sentence


@pytest.mark.parametrize("content", [b"", 5 * GOOD])
def test_ratings_that_are_not_the_published_ones_are_refused(place: Path, content: bytes) -> None:
    """Well formed but other data: results would not be comparable."""
    assert "SHA-256" in refused(place, content)


def survive(folder: Path, seed: int) -> None:
    """Damaged ratings are refused in one sentence; damaged titles are titles or none."""
    place = folder / "ratings"
    place.mkdir(exist_ok=True)
    films = "".join(f"{number}|Film {number}, The (1990)|\n" for number in range(1, 1683))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DLN_DATA", str(place))
        refused(place, mutated(40 * GOOD, seed))
        (place / "u.item").write_bytes(mutated(films.encode(), seed))
        titles = movielens.titles()
    assert not titles or len(titles) == movielens.FILMS
    assert all(0 < len(title) <= movielens.LONGEST for title in titles)


SEED = st.integers(0, 10**9)


@settings(max_examples=200, deadline=None)
@given(seed=SEED)
def test_damaged_ratings_and_titles_are_refused(
    tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    survive(tmp_path_factory.getbasetemp(), seed)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@settings(max_examples=4000, deadline=None)
@given(seed=SEED)
def test_thousands_of_damaged_ratings_are_refused(
    tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    survive(tmp_path_factory.getbasetemp(), seed)


def test_a_file_that_is_too_long_is_refused_before_it_is_read(place: Path) -> None:
    """Three gigabytes of holes, which take no room on the disk and would take it in memory."""
    import tracemalloc

    with (place / "u.data").open("wb") as file:
        file.truncate(3_000_000_000)
    tracemalloc.start()
    with pytest.raises(DataError, match="it is longer") as caught:
        movielens.movielens()
    assert tracemalloc.get_traced_memory()[1] < 20e6
    tracemalloc.stop()
    assert is_sentence(str(caught.value))


def test_a_missing_file_is_named_with_what_to_do(place: Path) -> None:
    with pytest.raises(DataError, match=r"no u\.data in .*put MovieLens") as caught:
        movielens.movielens()
    assert is_sentence(str(caught.value)) and str(place) in str(caught.value)


@pytest.mark.parametrize("name", ["u.data", "ml-100k/u.data"])
def test_the_published_file_is_found_and_read(
    place: Path, ratings: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """In the folder itself, or where the archive unpacks it."""
    file = place / name
    file.parent.mkdir(exist_ok=True)
    file.symlink_to(ratings)
    monkeypatch.setenv("DLN_DATA", str(place))
    users, films, stars = movielens.movielens()
    assert (len(users), users.min(), users.max()) == (100_000, 0, 942)
    assert (films.min(), films.max()) == (0, 1681)
    assert sorted(set(stars)) == [1, 2, 3, 4, 5]
    # The first line of the published file: user 196 gave film 242 three stars.
    assert (users[0], films[0], stars[0]) == (195, 241, 3)


def test_without_a_network_the_download_fails_with_one_sentence(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A real failure: the proxy's port is one on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"http://127.0.0.1:{free.getsockname()[1]}"
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, address)
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    # urllib reads the proxies once and keeps them: an earlier test's are not these.
    monkeypatch.setattr(urllib.request, "_opener", None)
    heard: list[str] = []
    with pytest.raises(DataError, match=r"could not be downloaded \(.*refused") as caught:
        movielens.fetch(heard.append)
    assert is_sentence(str(caught.value)) and str(place) in str(caught.value)


@pytest.fixture
def archive(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, bytes]]:
    """A web server of this machine in the place of the official one; it gives out ``zip``."""
    served = {"zip": b""}

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(served["zip"])))
            self.end_headers()
            self.wfile.write(served["zip"])

        def log_message(self, *_: object) -> None:
            pass

    with answering(http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as server:
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        monkeypatch.setattr(
            movielens, "MOVIELENS", f"http://127.0.0.1:{server.server_port}/ml-100k.zip"
        )
        yield served


def zipped(name: str, content: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr(name, content)
    return buffer.getvalue()


def test_the_download_keeps_the_published_file_and_tells_its_progress(
    archive: dict[str, bytes], ratings: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DLN_DATA", str(place / "new" / "folder"))
    archive["zip"] = zipped("ml-100k/u.data", ratings.read_bytes())
    heard: list[str] = []
    movielens.fetch(heard.append)
    assert (place / "new" / "folder" / "u.data").read_bytes() == ratings.read_bytes()
    assert heard[-1] == "downloading MovieLens 100K: 100%" and len(heard) > 3
    archive["zip"] = b""
    movielens.fetch(heard.append)  # what is there is not fetched again


def test_two_processes_do_not_download_the_same(
    archive: dict[str, bytes], ratings: Path, place: Path
) -> None:
    """The second waits until the first has kept the file; they share no half of it."""
    archive["zip"] = zipped("ml-100k/u.data", ratings.read_bytes())
    begun, heard, waiting = threading.Event(), list[str](), threading.Event()

    def first(words: str) -> None:
        begun.set()
        assert waiting.wait(10)

    def second(words: str) -> None:
        heard.append(words)
        waiting.set()

    downloading = threading.Thread(target=movielens.fetch, args=(first,))
    downloading.start()
    assert begun.wait(10)
    movielens.fetch(second)
    downloading.join()
    assert set(heard) == {"waiting for MovieLens 100K, which another process downloads"}
    assert (place / "u.data").read_bytes() == ratings.read_bytes()


def damaged(archive: bytes) -> bytes:
    """The archive with other packed bytes, which cannot be unpacked."""
    start = archive.index(b"ml-100k/u.data") + len("ml-100k/u.data")
    return archive[:start] + bytes([archive[start] ^ 255]) * 9 + archive[start + 9 :]


@pytest.mark.parametrize(
    "content",
    [
        b"<html>moved</html>",
        zipped("ml-100k/u.data", GOOD),
        zipped("ml-25m/ratings.csv", GOOD),
        zipped("ml-100k/u.data", 100 * GOOD)[:80],
        damaged(zipped("ml-100k/u.data", 100 * GOOD)),
        zipped("ml-100k/u.data", GOOD).replace(b"\x14\0\0\0\x08\0", b"\x14\0\x01\0\x08\0"),
        zipped("ml-100k/u.data", GOOD).replace(b"\x14\0\0\0\x08\0", b"\x14\0\0\0\x63\0"),
        b"",
    ],
    ids=["page", "ratings", "set", "half", "damaged", "encrypted", "method", "nothing"],
)
def test_an_archive_that_is_not_the_published_one_is_not_kept(
    archive: dict[str, bytes], place: Path, content: bytes
) -> None:
    """A page, other ratings, another data set, half a file, damaged or unknown packing, nothing."""
    archive["zip"] = content
    with pytest.raises(DataError) as caught:
        movielens.fetch(lambda words: None)
    assert is_sentence(str(caught.value)) and not (place / "u.data").exists()


@pytest.mark.parametrize(
    "answer", [b"nonsense\r\n\r\n", b"", b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"]
)
@pytest.mark.usefixtures("place")
def test_an_answer_that_is_no_http_is_refused_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch, answer: bytes
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=answer_once, args=(listening, answer), daemon=True).start()
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        port = listening.getsockname()[1]
        monkeypatch.setattr(movielens, "MOVIELENS", f"http://127.0.0.1:{port}/ml-100k.zip")
        with pytest.raises(DataError, match=r"could not be downloaded \(") as caught:
            movielens.fetch(lambda words: None)
    assert is_sentence(str(caught.value))
