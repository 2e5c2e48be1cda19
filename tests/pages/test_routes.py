"""Routes: whatever is asked, an answer or one sentence, never an error of the server."""

import asyncio
import json
import shutil
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple, TypeVar
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette

from dynamics.core import registry
from dynamics.runs.run import Run
from pages.shared.live.routes import ROUTES
from tests.pages.test_damaged_runs import garble
from tests.support.make import is_sentence

APP = Starlette(routes=ROUTES)
METHODS = ["GET", "GET", "GET", "HEAD", "POST", "DELETE", "PATCH", "OPTIONS", "", "get"]
PLACES = ["figures", "records.csv", "maps", "figures/", "", "nothing", "../ready"]
SIZES = ["0", "60", "1e400", "-1", "nan", "1_0", "99999999999999999999", "٣", "0x10", " 5 "]
TEXT = st.text(max_size=60) | st.sampled_from(
    ["", ",", "/", "%00", "\x00", "a" * 5000, "é\r\nX: y"]
)
Field = tuple[bytes, bytes]
T = TypeVar("T")


class Answer(NamedTuple):
    """A response: its status, headers and body."""

    status: int
    headers: dict[str, str]
    body: bytes


async def asked(
    method: str, path: bytes, query: bytes, headers: list[Field], body: bytes
) -> Answer:
    """What the app answers, asked as a server asks it."""
    sent: list[dict[str, Any]] = []
    given = iter([{"type": "http.request", "body": body}])
    over = asyncio.Event()

    async def receive() -> dict[str, Any]:
        if message := next(given, None):
            return message
        await over.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(dict(message))

    await APP(scope("http", path, query, headers) | {"method": method}, receive, send)
    over.set()
    first, *rest = sent
    named = {name.decode("latin-1"): value.decode("latin-1") for name, value in first["headers"]}
    return Answer(first["status"], named, b"".join(part.get("body", b"") for part in rest))


def scope(kind: str, path: bytes, query: bytes, headers: list[Field]) -> dict[str, Any]:
    return {
        "type": kind,
        "http_version": "1.1",
        "path": path.decode("utf-8", "replace"),
        "raw_path": path,
        "root_path": "",
        "scheme": "http" if kind == "http" else "ws",
        "query_string": query,
        "headers": headers,
        "server": ("127.0.0.1", 8501),
        "client": ("127.0.0.1", 1),
        "subprotocols": [],
        "extensions": {},
    }


async def streamed(
    path: bytes, query: bytes, messages: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """What a viewer is sent that says all this, and then leaves."""
    sent: list[dict[str, Any]] = []
    said = iter([{"type": "websocket.connect"}, *messages, {"type": "websocket.disconnect"}])

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(0)
        return next(said, {"type": "websocket.disconnect"})

    async def send(message: Any) -> None:
        sent.append(dict(message))

    await APP(scope("websocket", path, query, []), receive, send)
    return sent


@st.composite
def queries(draw: st.DrawFn) -> bytes:
    """A query with the program's own names, values of its own and strange ones, or mere bytes."""
    if draw(st.booleans()):
        return draw(st.binary(max_size=60))
    charts = [*registry.options("charts"), "losses/original", "losses/none", "heat_maps/compressed"]
    values = {
        "panels": st.lists(st.sampled_from(charts) | TEXT, max_size=30).map(",".join),
        "versus": st.sampled_from(["steps", "seconds", "operations", "normalised"]) | TEXT,
        "theory": st.sampled_from(["true", "false"]) | TEXT,
        "step": st.sampled_from(SIZES) | TEXT,
        "since": st.sampled_from(SIZES) | TEXT,
        "rows": st.sampled_from(SIZES) | TEXT,
        "created": st.sampled_from(SIZES) | TEXT,
    }
    picked = draw(st.lists(st.sampled_from(sorted(values)), max_size=6))
    pairs = [(name, draw(values[name])) for name in picked]
    return "&".join(f"{name}={quote(value)}" for name, value in pairs).encode()


@st.composite
def paths(draw: st.DrawFn, keys: list[str]) -> bytes:
    key = draw(st.sampled_from([*keys, *keys, "0" * 16, "", "..", ".queue"]) | TEXT)
    place = draw(st.sampled_from(PLACES) | TEXT)
    whole = draw(
        st.sampled_from([f"/api/runs/{key}/{place}"] * 6)
        | st.sampled_from([f"/api/assets/{place}", "/api/ready", f"/api/{key}", "/api/"])
    )
    # A path with a line break goes past all of these routes, to Streamlit's own.
    return whole.replace("\n", "").encode("utf-8", "surrogatepass")


HEADERS = st.lists(
    st.tuples(
        st.sampled_from([b"accept-encoding", b"origin", b"host", b"content-type", b"range", b"x"]),
        st.binary(max_size=30),
    ),
    max_size=4,
)


def answer_of(asking: Coroutine[Any, Any, T]) -> T:
    """What comes of it, in a thread: a browser's tests leave a loop running in the main one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, asking).result()


def is_fine(answer: Answer) -> None:
    """The answer is no error of the server, and an error of the asker has one sentence."""
    assert answer.status < 500
    if answer.status >= 400 and answer.body:
        assert is_sentence(json.loads(answer.body)["error"]), answer


@pytest.fixture(scope="module")
def runs(finished: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run, one without records, one that is garbled."""
    folder = tmp_path_factory.mktemp("routes") / "runs"
    shutil.copytree(finished.folder, folder / finished.key)
    for number, harm in enumerate((garble, lambda run: (run.folder / "records.f8").unlink())):
        run = Run(folder / f"{number:016x}")
        shutil.copytree(finished.folder, run.folder)
        harm(run)
    return folder


def keys_in(runs: Path) -> list[str]:
    """The keys of the runs; a server keeps its own folders beside them."""
    return sorted(path.name for path in runs.iterdir() if not path.name.startswith("."))


def ask_anything(runs: Path, data: st.DataObject) -> None:
    keys = keys_in(runs)
    path, query = data.draw(paths(keys)), data.draw(queries())
    method, headers = data.draw(st.sampled_from(METHODS)), data.draw(HEADERS)
    is_fine(answer_of(asked(method, path, query, headers, data.draw(st.binary(max_size=40)))))


def serve_anyone(runs: Path, data: st.DataObject) -> None:
    keys = keys_in(runs)
    key = data.draw(st.sampled_from([*keys, "0" * 16]) | TEXT)
    path = f"/api/runs/{key}/stream".encode("utf-8", "surrogatepass")
    said = st.sampled_from(["drawn", "hidden", "visible", "drawn"]) | TEXT
    texts = st.builds(lambda text: {"type": "websocket.receive", "text": text}, said)
    raw = st.builds(lambda body: {"type": "websocket.receive", "bytes": body}, st.binary())
    messages = data.draw(st.lists(texts | raw, max_size=6))
    for sent in answer_of(streamed(path, data.draw(queries()), messages)):
        error = json.loads(sent.get("text") or "{}").get("error")
        assert error is None or is_sentence(error)


def asked_of(runs: Path, ask: Callable[[Path, st.DataObject], None], data: st.DataObject) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DLN_RUNS", str(runs))
        ask(runs, data)


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_anything_may_be_asked(runs: Path, data: st.DataObject) -> None:
    asked_of(runs, ask_anything, data)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_anyone_may_watch(runs: Path, data: st.DataObject) -> None:
    asked_of(runs, serve_anyone, data)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("ask", [ask_anything, serve_anyone])
@settings(max_examples=5000, deadline=None)
@given(data=st.data())
def test_thousands_of_questions(
    runs: Path, ask: Callable[[Path, st.DataObject], None], data: st.DataObject
) -> None:
    asked_of(runs, ask, data)


def test_the_numbers_of_a_garbled_run_are_a_sentence(
    runs: Path, finished: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So are those of a run without records; a sound run's come as a table."""
    monkeypatch.setenv("DLN_RUNS", str(runs))

    def numbers(key: str) -> Answer:
        path = f"/api/runs/{key}/records.csv".encode()
        return answer_of(asked("GET", path, b"panels=losses", [], b""))

    table = numbers(finished.key)
    assert table.status == 200 and len(table.body.splitlines()) == len(finished.rows()) + 1
    for number, words in enumerate(("in order only up to", "no records yet")):
        refused = numbers(f"{number:016x}")
        is_fine(refused)
        assert refused.status == 404 and words in json.loads(refused.body)["error"]


def test_what_cannot_be_read_is_named(
    runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder in a file's place is refused to everybody, also to root."""
    monkeypatch.setenv("DLN_RUNS", str(tmp_path))
    key = keys_in(runs)[-1]
    shutil.copytree(runs / key, tmp_path / key)
    for name, place in (("records.f8", "records.csv"), ("maps.f2", "maps")):
        (tmp_path / key / name).unlink()
        (tmp_path / key / name).mkdir()
        path = f"/api/runs/{key}/{place}".encode()
        refused = answer_of(asked("GET", path, b"panels=losses", [], b""))
        is_fine(refused)
        assert refused.status == 404 and key in json.loads(refused.body)["error"]
