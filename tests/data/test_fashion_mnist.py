"""FashionMNIST: downloads that end early are continued, and only the published files are used."""

import gzip
import hashlib
import http.server
import os
import socket
import threading
import time
import tracemalloc
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dynamics.data import fashion_mnist
from dynamics.data.download import CHUNK, PATIENCE
from dynamics.data.folder import DataError
from tests.support.make import answer_once, answering, is_sentence

RNG = np.random.default_rng(0)
SHAPES = ((300, 28, 28), (300,), (40, 28, 28), (40,))


def idx(array: np.ndarray) -> bytes:
    header = bytes([0, 0, 8, array.ndim]) + b"".join(n.to_bytes(4, "big") for n in array.shape)
    return header + array.tobytes()


ARRAYS = {
    name: RNG.integers(0, 256 if len(shape) > 1 else 10, shape, dtype=np.uint8)
    for name, shape in zip(fashion_mnist.FILES, SHAPES, strict=True)
}
PACKED = {name: gzip.compress(idx(array)) for name, array in ARRAYS.items()}
IMAGES, LABELS, *_ = ARRAYS


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder for a small set of 300 and 40 images in place of the published one."""
    monkeypatch.setenv("DLN_DATA", str(tmp_path))
    monkeypatch.setattr(fashion_mnist, "DEBIAN", tmp_path / "debian")
    sums = {name: hashlib.sha256(idx(array)).hexdigest() for name, array in ARRAYS.items()}
    small = {name: (array.shape, sums[name]) for name, array in ARRAYS.items()}
    monkeypatch.setattr(fashion_mnist, "FILES", small)
    return tmp_path / "fashion-mnist"


class Server(http.server.ThreadingHTTPServer):
    """A web server of this machine in the place of GitHub; it understands ranges."""

    files: dict[str, bytes]
    stall = 0  # bytes after which an answer waits for ``until``
    cut = 0  # bytes after which the connection ends, of each answer; 0 for no end
    ranges = True
    until: threading.Event | None = None  # for which each answer waits
    asked: list[tuple[str, str | None]]


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        name, range_ = self.path[1:], self.headers["Range"]
        self.server.asked.append((name, range_))
        if self.server.until and not self.server.stall:
            self.server.until.wait(10)
        if name not in self.server.files:
            self.send_error(404)
            return
        content = self.server.files[name]
        start = int(range_.removeprefix("bytes=")[:-1]) if range_ and self.server.ranges else 0
        if start and start >= len(content):
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        end = start + self.server.cut if self.server.cut else len(content)
        self.wfile.write(content[start : self.server.stall or end])
        if self.server.until and self.server.stall:
            self.server.until.wait(10)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server(place: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    with answering(Server(("127.0.0.1", 0), Handler)) as server:
        server.files, server.asked = dict(PACKED), []
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        monkeypatch.setattr(fashion_mnist, "SOURCE", f"http://127.0.0.1:{server.server_port}/")
        yield server


def complete() -> None:
    found = fashion_mnist.fashion_mnist()
    read = (found.images, found.labels, found.held_images, found.held_labels)
    for array, wanted in zip(read, ARRAYS.values(), strict=True):
        assert array is not None
        scaled = wanted[:, np.newaxis] / np.float32(255) if wanted.ndim > 1 else wanted
        assert np.array_equal(array, scaled)


def refused(heard: list[str] | None = None) -> str:
    with pytest.raises(DataError) as caught:
        fashion_mnist.fetch((heard if heard is not None else []).append)
    assert is_sentence(str(caught.value)), str(caught.value)
    return str(caught.value)


def kept(place: Path) -> list[str]:
    return sorted(file.name for file in place.iterdir() if file.name != ".lock")


def published() -> bool:
    return all(map(fashion_mnist._path, fashion_mnist.FILES))


@pytest.fixture
def real(monkeypatch: pytest.MonkeyPatch) -> None:
    """The published set, where the program or the shared folder has it."""
    if not published():
        monkeypatch.setenv("DLN_DATA", os.environ.get("DLN_SHARED", "") + "/data")
    if not published():
        pytest.skip("FashionMNIST is neither installed nor in a folder that DLN_DATA names")


@pytest.mark.usefixtures("real")
def test_the_published_set_is_read() -> None:
    found = fashion_mnist.fashion_mnist()
    assert found.held_images is not None and found.held_labels is not None
    assert (found.images.shape, found.held_images.shape) == ((60000, 1, 28, 28), (10000, 1, 28, 28))
    assert found.images.dtype == np.float32 and found.labels.dtype == np.int64
    for labels, count in ((found.labels, 6000), (found.held_labels, 1000)):
        assert np.bincount(labels).tolist() == 10 * [count]
    # Mean and deviation as other libraries state them; the first image is an ankle boot.
    assert found.images.mean(dtype=float) == pytest.approx(0.2860, abs=5e-5)
    assert found.images.std(dtype=float) == pytest.approx(0.3530, abs=5e-5)
    assert found.classes[found.labels[0]] == "Ankle boot" and len(set(found.classes)) == 10


def test_the_download_tells_its_progress_and_happens_once(place: Path, server: Server) -> None:
    heard: list[str] = []
    fashion_mnist.fetch(heard.append)
    complete()
    assert kept(place) == sorted(PACKED)
    assert heard[-1] == "downloading FashionMNIST, file 4 of 4: 100%"
    assert any("file 1 of 4: " in words and "100%" not in words for words in heard)
    fashion_mnist.fetch(heard.append)
    assert [name for name, _ in server.asked] == list(PACKED)


def test_an_installed_set_is_read_and_only_what_it_lacks_is_downloaded(
    place: Path, server: Server
) -> None:
    fashion_mnist.DEBIAN.mkdir()
    for name in (IMAGES, LABELS):
        (fashion_mnist.DEBIAN / name).write_bytes(PACKED[name])
    fashion_mnist.fetch(lambda words: None)
    complete()
    assert kept(place) == sorted(set(PACKED) - {IMAGES, LABELS})


def test_a_download_that_ends_early_is_continued_and_not_used(place: Path, server: Server) -> None:
    server.cut = 150_000
    sentence = refused()
    share = f"{150_000 / len(PACKED[IMAGES]):.0%}"
    assert f"it ended at {share}, where the next attempt continues" in sentence
    assert kept(place) == [f".{IMAGES}.part"]
    with pytest.raises(DataError, match=f"no {IMAGES} in .*install Debian's"):
        fashion_mnist.fashion_mnist()
    server.cut = 0
    fashion_mnist.fetch(lambda words: None)
    assert server.asked[:2] == [(IMAGES, None), (IMAGES, "bytes=150000-")]
    complete()
    assert kept(place) == sorted(PACKED)


def test_a_server_without_ranges_starts_over(place: Path, server: Server) -> None:
    server.cut = 150_000
    refused()
    server.cut, server.ranges = 0, False
    fashion_mnist.fetch(lambda words: None)
    complete()


def test_a_download_that_is_cancelled_is_continued(place: Path, server: Server) -> None:
    class CancelledError(Exception):
        pass

    def report(words: str) -> None:
        if "%" in words:
            raise CancelledError

    with pytest.raises(CancelledError):
        fashion_mnist.fetch(report)
    assert kept(place) == [f".{IMAGES}.part"]
    fashion_mnist.fetch(lambda words: None)
    complete()
    assert server.asked[1][1] == f"bytes={CHUNK}-"


@pytest.mark.parametrize("stall", [0, CHUNK + 1], ids=["no answer", "half an answer"])
def test_a_download_that_stalls_can_be_given_up(place: Path, server: Server, stall: int) -> None:
    """Long before it would fail, and what has come is kept."""
    server.until, server.stall = threading.Event(), stall
    heard: list[str] = []

    def report(words: str) -> None:
        heard.append(words)
        if words.endswith(": waiting") and (len(heard) > 1 or not stall):
            raise KeyboardInterrupt

    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        fashion_mnist.fetch(report)
    assert time.monotonic() - began < 4 < PATIENCE / 4
    server.until.set()
    assert kept(place) == ([f".{IMAGES}.part"] if stall else [])


def test_what_was_complete_but_not_yet_kept_is_not_downloaded_again(
    place: Path, server: Server
) -> None:
    place.mkdir()
    (place / f".{IMAGES}.part").write_bytes(PACKED[IMAGES])
    fashion_mnist.fetch(lambda words: None)
    complete()
    assert server.asked[0] == (IMAGES, f"bytes={len(PACKED[IMAGES])}-")


@pytest.mark.parametrize(
    "content",
    [
        b"<html>moved</html>",
        b"",
        PACKED[LABELS],
        gzip.compress(idx(ARRAYS[IMAGES] ^ 1)),
        gzip.compress(idx(ARRAYS[IMAGES]) + b"more"),
        PACKED[IMAGES][:-9],
        PACKED[IMAGES][:1000] + b"\0" + PACKED[IMAGES][1001:],
    ],
    ids=["page", "nothing", "another", "other numbers", "longer", "cut", "damaged"],
)
def test_a_file_that_is_not_the_published_one_is_removed(
    place: Path, server: Server, content: bytes
) -> None:
    server.files[IMAGES] = content
    assert "was removed; try again" in refused()
    assert kept(place) == []
    server.files[IMAGES] = PACKED[IMAGES]
    fashion_mnist.fetch(lambda words: None)
    complete()


def test_a_damaged_first_half_is_removed(place: Path, server: Server) -> None:
    """Continued to the right length, it is not the published file."""
    place.mkdir()
    (place / f".{IMAGES}.part").write_bytes(bytes(1000))
    assert "was removed; try again" in refused()
    assert kept(place) == []


def test_an_endless_download_is_ended(
    place: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fashion_mnist, "MOST_BYTES", 140_000)
    heard: list[str] = []
    assert "was removed" in refused(heard) and kept(place) == []
    assert len([words for words in heard if "%" in words]) == 1


def test_an_answer_that_is_an_error_is_named(place: Path, server: Server) -> None:
    del server.files[IMAGES]
    assert "could not be downloaded (Not Found)" in refused() and kept(place) == []


@pytest.mark.parametrize(
    "answer", [b"nonsense\r\n\r\n", b"", b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"]
)
def test_an_answer_that_is_no_http_is_refused_in_a_sentence(
    place: Path, monkeypatch: pytest.MonkeyPatch, answer: bytes
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=answer_once, args=(listening, answer), daemon=True).start()
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        port = listening.getsockname()[1]
        monkeypatch.setattr(fashion_mnist, "SOURCE", f"http://127.0.0.1:{port}/")
        assert "could not be downloaded (" in refused()
    assert published() is False


def test_without_a_network_the_download_fails_with_one_sentence(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"http://127.0.0.1:{free.getsockname()[1]}/"
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(urllib.request, "_opener", None)  # it keeps an earlier test's proxies
    monkeypatch.setattr(fashion_mnist, "SOURCE", address)
    sentence = refused()
    assert "could not be downloaded (Connection refused)" in sentence and str(place) in sentence


def test_two_processes_do_not_download_the_same(place: Path, server: Server) -> None:
    """The second one waits until the first has everything; the server waits until it does."""
    server.until = threading.Event()
    heard: list[str] = []

    def wait(words: str) -> None:
        heard.append(words)
        assert server.until
        server.until.set()

    first = threading.Thread(target=fashion_mnist.fetch, args=(lambda words: None,))
    first.start()
    while not server.asked:
        assert first.is_alive()
    fashion_mnist.fetch(wait)
    first.join()
    assert set(heard) == {"waiting for FashionMNIST, which another process downloads"}
    assert [name for name, _ in server.asked] == list(PACKED)
    complete()


def test_a_folder_that_cannot_be_made_is_named(place: Path) -> None:
    """DLN_DATA may name a file: MovieLens's ratings."""
    place.parent.rmdir()
    place.parent.touch()
    assert f"{place} cannot be written: " in refused()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"<html>moved</html>", "damaged, cut off or not packed by gzip"),
        (PACKED[LABELS][:-9], "damaged, cut off or not packed by gzip"),
        (PACKED[IMAGES], "does not begin as bytes of the shape (300,) do"),
        (gzip.compress(idx(ARRAYS[LABELS])[:-1]), "fewer than 308 bytes"),
        (gzip.compress(idx(ARRAYS[LABELS]) + b"0"), "more than 308 bytes"),
        (gzip.compress(idx(ARRAYS[LABELS] ^ 1)), "different SHA-256"),
        (b"", "does not begin as bytes of the shape (300,) do"),
    ],
    ids=["page", "cut", "images", "fewer", "more", "other labels", "nothing"],
)
def test_a_file_that_was_put_there_is_checked(place: Path, content: bytes, words: str) -> None:
    place.mkdir()
    for name, packed in (PACKED | {LABELS: content}).items():
        (place / name).write_bytes(packed)
    with pytest.raises(DataError) as caught:
        fashion_mnist.fashion_mnist()
    assert is_sentence(str(caught.value)) and words in str(caught.value), str(caught.value)
    assert str(place / LABELS) in str(caught.value)


def test_sizes_are_checked_before_memory_is_used(place: Path) -> None:
    """Holes of 3 GB, and 200 MB of zeros in a small file."""
    place.mkdir()
    with (place / IMAGES).open("wb") as holes:
        holes.truncate(3_000_000_000)
    tracemalloc.start()
    with pytest.raises(DataError, match="more than 40 MB"):
        fashion_mnist.fashion_mnist()
    with gzip.open(place / IMAGES, "wb", compresslevel=1) as bomb:
        bomb.write(idx(ARRAYS[IMAGES]))
        for _ in range(200):
            bomb.write(bytes(1_000_000))
    tracemalloc.reset_peak()
    with pytest.raises(DataError, match="more than 235,216 bytes"):
        fashion_mnist.fashion_mnist()
    assert tracemalloc.get_traced_memory()[1] < 5e6
    tracemalloc.stop()


DAMAGE = st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=3)


def survive(place: Path, damage: list[tuple[int, int]]) -> None:
    """Labels with changed bytes are refused, unless what is in them has stayed the same."""
    content = bytearray(PACKED[LABELS])
    for position, byte in damage:
        content[position % len(content)] = byte
    place.mkdir(exist_ok=True)
    (place / LABELS).write_bytes(content)
    try:
        found = fashion_mnist._content(LABELS)
    except DataError as error:
        said = str(error)
    else:
        assert np.array_equal(found, ARRAYS[LABELS])
        return
    assert is_sentence(said)


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(damage=DAMAGE)
def test_a_damaged_file_is_never_read_as_other_labels(
    place: Path, damage: list[tuple[int, int]]
) -> None:
    survive(place, damage)


@pytest.mark.slow
@settings(
    max_examples=5000, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(damage=DAMAGE)
def test_thousands_of_damaged_files_are_never_read_as_other_labels(
    place: Path, damage: list[tuple[int, int]]
) -> None:
    survive(place, damage)
