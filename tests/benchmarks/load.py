"""Measure a server that a class shares: ``python -m tests.benchmarks.load``, within 90 seconds.

Thirty viewers watch one live run over real WebSockets while thirty real sessions of the page move
the slider of α, and then all press Train at once, two each for one run that they share. Prints a
table, measured beside the bar, and exits with 1 if a bar is missed. ``--viewers 5 --sessions 5``
tries it.

The clients are a process of their own; it takes processor time from the server and the training,
so the machine must have cores to spare for what is measured to be theirs.
"""

import argparse
import asyncio
import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import numpy as np
import psutil
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.asyncio.client import ClientConnection, connect

from dynamics.runs.run import listing
from tests.benchmarks.stream import Table, rate, training, watching
from tests.browser.conftest import ROOT, Server, served
from tests.conftest import folder_of_runs

SECONDS = 15.0  # that sliders are moved
PACE = 1.5  # seconds between two moves of a visitor
SLIDER, TRAIN = "Discrepant rate", "Train"  # how their labels begin
PATIENCE = 30  # seconds that an answer may take
SETTINGS = {
    "problem": "factorization", "rows": 16, "cols": 16, "rank": 2, "rank_bound": 4,
    "learning_rate": 0.2, "rate_unit": "limit", "steps": 2000, "record_every": 20,
}  # fmt: skip


class Session:
    """A visitor's session of the page, as a browser holds it."""

    def __init__(self, host: str, seed: int) -> None:
        self._host = host
        self._query = urlencode(SETTINGS | {"seed_init": seed})
        self._widgets: dict[str, Any] = {}  # by label
        self._states: dict[str, WidgetState] = {}
        self._socket: ClientConnection

    async def open(self) -> float:
        """Connect and have the page drawn; returns the seconds that it took."""
        self._socket = await connect(
            f"ws://{self._host}/_stcore/stream",
            subprotocols=["streamlit"],  # type: ignore[list-item]
            origin=f"http://{self._host}",  # type: ignore[arg-type]
            max_size=None,
        )
        return await self.run()

    async def close(self) -> None:
        """Leave."""
        await self._socket.close()

    async def run(self, pressed: str = "") -> float:
        """Have the page's script run with the widgets as they are; returns the seconds it took."""
        message = BackMsg()
        message.rerun_script.query_string = self._query
        message.rerun_script.widget_states.widgets.extend(self._states.values())
        if pressed:
            state = WidgetState(id=self._widget(pressed).id, trigger_value=True)
            message.rerun_script.widget_states.widgets.append(state)
        began = time.perf_counter()
        await self._socket.send(message.SerializeToString())
        async with asyncio.timeout(PATIENCE):
            while True:
                answer = ForwardMsg()
                answer.ParseFromString(await self._socket.recv())  # type: ignore[arg-type]
                self._note(answer)
                if answer.WhichOneof("type") == "script_finished":
                    return time.perf_counter() - began

    async def slide(self, draw: random.Random) -> float:
        """Move the slider by a step; returns the seconds until the page has answered."""
        slider = self._widget(SLIDER)
        known = self._states.get(slider.id)
        at = known.double_array_value.data[0] if known else slider.default[0]
        moved = at + draw.choice((-1, 1)) * slider.step
        return await self._put(moved if slider.min <= moved <= slider.max else at)

    async def train(self) -> float:
        """Press the button; returns the seconds until the page has answered."""
        return await self.run(TRAIN)

    async def back(self) -> None:
        """Put the slider where it was at first."""
        await self._put(self._widget(SLIDER).default[0])

    async def _put(self, value: float) -> float:
        slider = self._widget(SLIDER)
        state = WidgetState(id=slider.id)
        state.double_array_value.data.append(value)
        self._states[slider.id] = state
        return await self.run()

    def _note(self, answer: ForwardMsg) -> None:
        """Remember the widgets that the page has drawn."""
        if (
            answer.WhichOneof("type") == "delta"
            and answer.delta.WhichOneof("type") == "new_element"
        ):
            element = answer.delta.new_element
            kind = element.WhichOneof("type")
            if kind in ("slider", "button"):
                widget = getattr(element, kind)
                self._widgets[widget.label] = widget

    def _widget(self, label: str) -> Any:
        for name, widget in self._widgets.items():
            if name.startswith(label):
                return widget
        raise LookupError(f"The page has no {label}: it has {', '.join(self._widgets)}.")


async def visiting(session: Session, until: float, seed: int) -> list[float]:
    """The seconds that each answer to the slider took, moved at a visitor's pace."""
    draw = random.Random(seed)
    taken = []
    await asyncio.sleep(draw.uniform(0, PACE))
    while time.monotonic() < until:
        taken.append(await session.slide(draw))
        await asyncio.sleep(draw.uniform(0.5, 1.5) * PACE)
    return taken


async def clients(host: str, key: str, viewers: int, sessions: int) -> dict[str, list[float]]:
    """All viewers and visitors; tells on the way when sliders are moved and when all train."""
    visitors = [Session(host, 1000 + number // 2) for number in range(sessions)]
    opened = [await visitor.open() for visitor in visitors]
    server = Server(host, None, Path())  # type: ignore[arg-type]
    print("ready", flush=True)
    until = time.monotonic() + SECONDS
    watched = [watching(server, key, SECONDS) for _ in range(viewers)]
    slid = [visiting(visitor, until, seed) for seed, visitor in enumerate(visitors)]
    gaps, moves = await asyncio.gather(asyncio.gather(*watched), asyncio.gather(*slid))
    print("sliders are left", flush=True)
    for visitor in visitors:
        await visitor.back()
    pressed = await asyncio.gather(*(visitor.train() for visitor in visitors))
    for visitor in visitors:
        await visitor.close()
    return {
        "opened": opened,
        "gaps": [gap for viewer in gaps for gap in viewer],
        "slider": [move for visitor in moves for move in visitor],
        "train": list(pressed),
    }


def measure(table: Table, server: Server, viewers: int, sessions: int) -> None:
    """One live run, its viewers and the sessions beside it."""
    process = psutil.Process(server.process.pid)
    arguments = [sys.executable, "-m", "tests.benchmarks.load", "--host", server.host]
    with training(server.runs, 20, 7) as run:
        alone = rate(run, 4)
        arguments += ["--run", run.key, "--viewers", str(viewers), "--sessions", str(sessions)]
        with subprocess.Popen(arguments, cwd=ROOT, stdout=subprocess.PIPE, text=True) as group:
            assert group.stdout
            assert group.stdout.readline() == "ready\n", "the clients could not connect"
            process.cpu_percent()
            beside = rate(run, SECONDS - 1)
            busy, memory = process.cpu_percent(), process.memory_info().rss / 1e6
            assert group.stdout.readline() == "sliders are left\n"
            found = json.loads(group.stdout.read())
        started = len(listing(server.runs)) - 1
        assert started == (sessions + 1) // 2, f"{started} runs were started"
        trained = process.memory_info().rss / 1e6
        again = rate(run, 4)
    who = f"{viewers} viewers, {sessions} sessions"
    slowed = 100 * (1 - beside / ((alone + again) / 2))

    def late(name: str) -> float:
        return float(np.percentile(found[name], 95))

    table.add(f"{who}: gap between frames, p95", 1000 * late("gaps"), 150, "ms")
    table.add(f"{who}: slider to answer, p95", 1000 * late("slider"), 200, "ms")
    table.add(f"{sessions} sessions press Train: answered, p95", late("train"), 1, "s")
    table.add(f"{who}: web process", busy, 40, "% core")
    table.add(f"{who}: web process's memory", max(memory, trained), 200, "MB")
    table.add(f"{who}: training slowed", slowed, 15, "%")
    print(
        f"{len(found['slider'])} moves; a page opens in {np.median(found['opened']):.2f} s (median)"
    )


def main() -> int:
    """Run all and say whether every bar was held; or be the clients of a server."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--viewers", type=int, default=30)
    parser.add_argument("--sessions", type=int, default=30)
    parser.add_argument("--host", help="be the clients of this server")
    parser.add_argument("--run", help="the run that they watch")
    options = parser.parse_args()
    if options.host:
        found = clients(options.host, options.run, options.viewers, options.sessions)
        print(json.dumps(asyncio.run(found)))
        return 0
    table = Table()
    with (
        tempfile.TemporaryDirectory() as folder,
        folder_of_runs(Path(folder)) as runs,
        served(ROOT / "app.py", runs) as server,
    ):
        print(f"{'measured':<75}bar", flush=True)
        measure(table, server, options.viewers, options.sessions)
    print(f"{table.missed} bars missed" if table.missed else "every bar held")
    return bool(table.missed)


if __name__ == "__main__":
    sys.exit(main())
