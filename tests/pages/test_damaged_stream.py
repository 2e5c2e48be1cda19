"""Damaged runs that somebody watches: what is in order, or one sentence; never garbage."""

import asyncio
import contextlib
import fcntl
import json
import shutil
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dynamics.core import registry
from dynamics.runs.run import Run, RunError
from pages.shared.live import stream
from tests.pages.test_damaged_runs import garble
from tests.pages.test_routes import APP, answer_of, asked, is_fine, scope
from tests.runs.test_faults import damages
from tests.support.make import is_sentence

HEADER = struct.Struct("<III")
PANELS = ",".join(name for name in registry.options("charts") if name != "accuracy")


async def watched(run: Run, panels: str) -> list[dict[str, Any]]:
    """What a viewer is sent that stays until it has all records or is sent away."""
    sent: list[dict[str, Any]] = []
    said: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    said.put_nowait({"type": "websocket.connect"})

    def records() -> int:
        try:
            return run.count(run.layout.width)
        except RunError:
            return 0

    async def send(message: Any) -> None:
        sent.append(dict(message))
        text, body = json.loads(message.get("text") or "{}"), message.get("bytes")
        if body and HEADER.unpack(body[: HEADER.size])[2] < records():
            said.put_nowait({"type": "websocket.receive", "text": "drawn"})
        elif message["type"] != "websocket.accept" and not (text.get("hello") and records()):
            said.put_nowait({"type": "websocket.disconnect"})

    path = f"/api/runs/{run.key}/stream".encode()
    asking = APP(scope("websocket", path, f"panels={panels}".encode(), []), said.get, send)
    await asyncio.wait_for(asking, 60)
    return sent


def in_order(sent: list[dict[str, Any]]) -> bool:
    """Whether what was sent is no garbage: steps that increase, or a sentence at the end."""
    last, width = 0.0, 0
    for message in sent:
        text, body = json.loads(message.get("text") or "{}"), message.get("bytes")
        if "hello" in text:
            width, last = len(text["columns"]), 0.0
        if "error" in text and not is_sentence(text["error"]):
            return False
        if body:
            first, count, _ = HEADER.unpack(body[: HEADER.size])
            rows = np.frombuffer(body, "<f4", offset=HEADER.size).reshape(count, width)
            last = last if first else 0.0
            if not (np.diff([last, *rows[:, 0]]) >= 0).all():
                return False
            last = rows[-1, 0]
    return True


@contextlib.contextmanager
def in_hand(run: Run) -> Iterator[None]:
    """Inside the block the run is one that a worker trains."""
    status = json.loads((run.folder / "status.json").read_text(encoding="utf-8"))
    run.write("status.json", status | {"phase": "running"})
    with (run.folder / "alive").open("w") as alive:
        fcntl.flock(alive, fcntl.LOCK_EX)
        yield


def watch(finished: Run, place: Path, data: st.DataObject) -> None:
    """Every chart of a damaged run, while it trains and afterwards; its routes, too."""
    file, damaged = data.draw(damages())
    run = Run(place / finished.key)
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(finished.folder, run.folder)
    path = run.folder / file
    with contextlib.ExitStack() as stack, pytest.MonkeyPatch.context() as patch:
        if data.draw(st.booleans()):
            stack.enter_context(in_hand(run))
        if path.exists():
            content = damaged(path.read_bytes())
            if content is None:
                path.unlink()
            else:
                path.write_bytes(content)
        patch.setenv("DLN_RUNS", str(place))
        patch.setattr(stream, "PATIENCE", -1.0)  # of a folder that may be there in a moment
        assert in_order(answer_of(watched(run, PANELS)))
        for name in ("figures", "records.csv", "maps"):
            asking = asked(
                "GET", f"/api/runs/{run.key}/{name}".encode(), f"panels={PANELS}".encode(), [], b""
            )
            is_fine(answer_of(asking))


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_who_watches_a_damaged_run_sees_no_garbage(
    finished: Run, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    watch(finished, tmp_path_factory.getbasetemp() / "watched", data)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@settings(max_examples=2000, deadline=None)
@given(data=st.data())
def test_thousands_of_damages_that_are_watched(
    finished: Run, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    watch(finished, tmp_path_factory.getbasetemp() / "watched_long", data)


@pytest.mark.parametrize("live", [False, True])
def test_who_watches_a_garbled_run_is_told_up_to_where_it_is_sound(
    finished: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, live: bool
) -> None:
    run = Run(tmp_path / finished.key)
    shutil.copytree(finished.folder, run.folder)
    garble(run)
    monkeypatch.setenv("DLN_RUNS", str(tmp_path))
    monkeypatch.setattr(stream, "PATIENCE", -1.0)
    with in_hand(run) if live else contextlib.nullcontext():
        sent = answer_of(watched(run, "losses"))
    assert in_order(sent)
    (error,) = [
        json.loads(each["text"])["error"] for each in sent if "error" in each.get("text", "")
    ]
    assert "in order only up to number" in error and is_sentence(error)
