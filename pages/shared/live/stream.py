"""Stream: a WebSocket that sends a run's new records to one viewer.

To the viewer:

- text ``{"hello": true, "config", "columns", "status"}``: the names of the columns; sent again when
  the run is started anew.
- text ``{"status": …}``: the run's status, on change.
- text ``{"error": sentence}``: the last message before the connection closes.
- binary ``uint32 position, uint32 count, uint32 upto, float32[count × columns]``: ``count`` rows
  for the records from ``position`` up to, not including, ``upto``. If not all of them fit the
  viewer's allowance, some are skipped, but never the last. Position 0 replaces all earlier rows.

From the viewer: ``drawn`` for each binary frame, ``hidden`` or ``visible`` for its tab. At most two
frames are on their way, so a slow phone skips records and never lags. After the run has ended, a
viewer that has skipped records gets them all.
"""

import asyncio
import contextlib
import dataclasses
import math
import os
import struct
import time
from typing import Any

import numpy as np
from starlette.websockets import WebSocket, WebSocketDisconnect

from dynamics.core.machine import files
from dynamics.runs import expiry
from dynamics.runs.run import PHASES, Run, RunError, Status, find, root
from pages.shared import door
from pages.shared.live.panels import Sent, descriptions

WINDOW = 2  # frames on their way to a viewer
CROWD = 10  # viewers beyond which the server looks less often
PACE = 0.05  # seconds between two looks at a run
CROWDED_PACE = 0.1  # seconds, with more viewers than CROWD
RESTING_PACE = 0.25  # seconds, for a run that neither trains nor waits for its turn
HIDDEN_PACE = 1.0  # seconds between two frames for a hidden tab
BUDGET = 18_000  # bytes a second for a viewer of a live run, without headers and status
LEAST_ROWS = 20  # rows a second, of any width; with fewer, charts of many lines would stutter
SNAPSHOT = 192_000  # bytes of the records of a live run that a new viewer gets at once
CHUNK = 1_000_000  # bytes of a frame
PATIENCE = 2.0  # seconds without a folder: a run may be starting anew
MOST_VIEWERS = 256
MOST_INCOMING = 64  # characters of a viewer's message
HEADER = struct.Struct("<III")
_viewers: set["Viewer"] = set()


def viewers() -> int:
    """How many viewers this process serves."""
    return len(_viewers)


async def stream(socket: WebSocket) -> None:
    """Serve one viewer until it leaves."""
    await socket.accept()
    if not door.own(socket.headers):
        await socket.send_json({"error": door.STRANGER})
        await socket.close(1008)
        return
    with contextlib.suppress(WebSocketDisconnect, RuntimeError):  # the viewer may leave
        try:
            await _serve(socket)
        except (RunError, OSError) as error:
            await socket.send_json({"error": _sentence(error, socket)})
            await socket.close(1008)


def _sentence(error: RunError | OSError, socket: WebSocket) -> str:
    if isinstance(error, RunError):
        return str(error)
    return f"It cannot be read: {files.refusal(error, socket.url.path)}"


async def _serve(socket: WebSocket) -> None:
    if len(_viewers) >= MOST_VIEWERS:
        raise RunError(f"{MOST_VIEWERS} viewers are connected already; try again in a while.")
    run = find(socket.path_params["key"], root())
    viewer = Viewer(socket, run)
    _viewers.add(viewer)
    looking = contextlib.ExitStack()
    looking.enter_context(expiry.seen(run))
    tasks = [asyncio.create_task(viewer.listen()), asyncio.create_task(viewer.send())]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        looking.close()
        _viewers.discard(viewer)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class Viewer:
    """One connection: its request, the records already sent, and its allowance."""

    def __init__(self, socket: WebSocket, run: Run) -> None:
        query = socket.query_params
        self.socket = socket
        self.run = run
        self.panels = query.get("panels", "")
        self.position = _count(query.get("since"))
        self.partial = _count(query.get("rows", query.get("since"))) < self.position
        self.created = query.get("created", "")
        self.sends: Sent | None = None  # None before the first record
        self.width = 0
        self.under_way = 0
        self.hidden = False
        self.allowance = 0.0
        self.paid = self.sent = self.looked = self.status_sent = 0.0
        self.stamp = 0
        self.status: Status | None = None
        self.last_status: dict[str, Any] = {}

    async def listen(self) -> None:
        """Take the viewer's messages; return when it leaves."""
        while True:
            event = await self.socket.receive()
            if event["type"] == "websocket.disconnect":
                return
            message = event.get("text") or ""
            if message == "drawn":
                self.under_way = max(self.under_way - 1, 0)
            elif message in ("hidden", "visible"):
                self.hidden = message == "hidden"
            else:
                sentence = "A viewer may say drawn, hidden or visible, nothing else."
                raise RunError(sentence if len(message) <= MOST_INCOMING else "Too long a message.")

    async def send(self) -> None:
        """Look at the folder, send new records and rest, again and again."""
        missing_since = 0.0
        while True:
            try:
                await self._look()
                missing_since = 0.0
            except RunError:
                # A run that is started anew has no folder for a moment.
                missing_since = missing_since or time.monotonic()
                if time.monotonic() - missing_since > PATIENCE:
                    raise
            await asyncio.sleep(self._pace())

    def _pace(self) -> float:
        awake = self.status is None or self.status.phase in ("queued", "running")
        if not awake and not self._behind():
            return RESTING_PACE
        return PACE if len(_viewers) <= CROWD else CROWDED_PACE

    def _behind(self) -> bool:
        return self.sends is not None and self.position < self.run.count(self.width)

    async def _look(self) -> None:
        now = time.monotonic()
        self._read_status(now)
        if self.sends is None:
            await self._greet()
        due = not self.hidden or now - self.sent >= HIDDEN_PACE
        if self.sends is not None and due and self.under_way < WINDOW:
            await self._send_rows(now)
        await self._tell(now)

    def _read_status(self, now: float) -> None:
        """Read the status if its file is new, and about once a second: the worker may have died."""
        try:
            stamp = os.stat(self.run.folder / "status.json").st_mtime_ns
        except FileNotFoundError:
            stamp = -1
        live = self.status is None or self.status.live
        if stamp == self.stamp and not (live and now - self.looked >= 1):
            return
        self.status = self.run.status
        self.stamp = stamp
        self.looked = now
        created = repr(self.status.created)
        if self.created and created != self.created:  # started anew
            self.sends = None
            self.position = 0
            self.partial = False
        self.created = created

    async def _greet(self) -> None:
        layout = await asyncio.to_thread(lambda: self.run.layout)
        if not layout.shapes:
            return
        chosen = await asyncio.to_thread(descriptions, self.run, self.panels)
        sends = await asyncio.to_thread(Sent, self.run, chosen)
        hello = {"hello": True, "config": self.run.config.to_dict(), "columns": sends.names}
        self.sends = sends
        self.width = layout.width
        self.last_status = self._described()
        await self.socket.send_json(hello | {"status": self.last_status})

    def _described(self) -> dict[str, Any]:
        """The status, ready for JSON."""
        assert self.status is not None
        ahead = self.run.position if self.status.phase == "queued" else None
        words = {"words": PHASES[self.status.phase], "ends": self.status.ends}
        place = {"position": ahead, "created": self.created}
        return dataclasses.asdict(self.status) | words | place

    async def _tell(self, now: float) -> None:
        """Send the status: a new phase or message at once, progress twice a second."""
        if self.status is None:
            return
        queued = self.status.phase == "queued"
        if queued and now - self.status_sent < 1 and self.last_status.get("phase") == "queued":
            return
        status = self._described()
        last = self.last_status
        urgent = any(
            status[name] != last.get(name)
            for name in ("phase", "message", "outcomes", "signatures")
        )
        if status != last and (urgent or now - self.status_sent >= 0.5):
            self.last_status = status
            self.status_sent = now
            await self.socket.send_json({"status": status})

    async def _send_rows(self, now: float) -> None:
        assert self.sends is not None
        assert self.status is not None
        count = self.run.count(self.width)
        live = self.status.phase == "running"
        if count < self.position or (self.partial and not live):
            self.position = 0  # the file is new, or the viewer now gets what it has skipped
            self.partial = False
        if count == self.position:
            return
        picks = self._picks(count, now) if live else self._chunk(count)
        if not picks:
            return
        big = len(picks) * self.width * 8 > CHUNK // 4
        body = await asyncio.to_thread(self._body, picks) if big else self._body(picks)
        first = self.position
        upto = picks[-1] + 1
        self.partial |= len(picks) < upto - first
        self.position = upto
        self.sent = now
        self.under_way += 1
        await self.socket.send_bytes(HEADER.pack(first, len(picks), upto) + body)

    def _picks(self, count: int, now: float) -> list[int]:
        """The new records that fit the viewer's allowance: all, or every k-th and the last."""
        row = 4 * len(self.sends.names) if self.sends else 0
        budget = max(BUDGET, LEAST_ROWS * row)
        self.allowance = min(self.allowance + budget * (now - self.paid), budget)
        self.paid = now
        fits = int((SNAPSHOT if self.position == 0 else self.allowance) // row)
        if fits < 1:
            return []
        new = count - self.position
        stride = math.ceil(new / fits)
        picks = list(range(self.position + (new - 1) % stride, count, stride))
        if self.position == 0:
            return picks if picks[0] == 0 else [0, *picks]
        self.allowance -= len(picks) * row
        return picks

    def _chunk(self, count: int) -> list[int]:
        """The next records in order, as many as fit a frame."""
        assert self.sends is not None
        fits = max(CHUNK // (4 * len(self.sends.names)), 1)
        return list(range(self.position, min(count, self.position + fits)))

    def _body(self, picks: list[int]) -> bytes:
        assert self.sends is not None
        before = [self.position - 1] if self.position else []  # whose step must be lower
        rows = self.run.picked([*before, *picks], self.width)[len(before) :]
        with np.errstate(over="ignore"):  # numbers beyond float32 become infinite
            return self.sends.of(rows).astype("<f4").tobytes()


def _count(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 12 else 0
