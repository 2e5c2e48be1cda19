"""Measure the live stream against its bar: ``python -m tests.benchmarks.stream``.

Starts a server, real trainings and a headless Chromium on this machine; takes about two minutes.
Prints a table, measured beside the bar, and exits with 1 if a bar is missed.
"""

import asyncio
import contextlib
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil
from playwright.sync_api import CDPSession, Page, sync_playwright
from websockets.asyncio.client import connect

from dynamics.core.config import Config
from dynamics.core.consistency import MOST_RECORDS
from dynamics.runs.run import CANCEL, Run
from dynamics.runs.start import start
from tests.browser.conftest import FLAGS, Server, chromium, served
from tests.browser.recorder import PANELS, Recorder
from tests.support.make import until

HERE = Path(__file__).resolve()

VIEWERS = 30
SECONDS = 10.0
# Both networks' exact courses, and for each a strip of the residuals of 20 modes.
WITH_THEORY = {"problem": "factorization", "rows": 100, "cols": 100, "rank": 20}
WITH_THEORY |= {"spectrum": "top", "init_scale": 0.05, "learning_rate": 10}
HAS_LINES = """() => [...document.querySelectorAll(".dln-plot")]
    .some((plot) => plot.data?.some(({ meta, x }) => meta?.y && x.length))"""
IS_DONE = "() => document.querySelector('.dln-phase')?.textContent.includes('Done')"


@dataclass
class Table:
    """Rows of what was measured, each beside its bar."""

    missed: int = 0
    rows: list[str] = field(default_factory=list)

    def add(self, what: str, measured: float, bar: float, unit: str, *, most: bool = True) -> None:
        """Note one figure; ``most`` says that the bar is an upper bound."""
        held = measured <= bar if most else measured >= bar
        self.missed += not held
        sign = "≤" if most else "≥"
        self.rows.append(
            f"{what:<58}{measured:>9.4g} {unit:<7}{sign} {bar:g}{'' if held else '   MISSED'}"
        )
        print(self.rows[-1], flush=True)


@contextlib.contextmanager
def training(
    root: Path, rank_bound: int, seed: int, every: int = 40, **more: object
) -> Iterator[Run]:
    """A real run that has records, for as long as the block lasts."""
    settings = {"rank_bound": rank_bound, "record_every": every, "seed_target": seed, **more}
    # Far more steps than are trained: each run is cancelled.
    config = Config.from_dict(settings | {"steps": every * MOST_RECORDS, "tolerance": 0})
    run = start(config, root)
    until(lambda: len(run.rows()) > 5, "the run has records")
    try:
        yield run
    finally:
        run.ask(CANCEL)
        until(lambda: not run.status.live, "the run is cancelled")


def open_charts(page: Page, server: Server, key: str) -> float:
    """Open a run's charts; seconds until all charts in sight have their lines."""
    began = time.monotonic()
    page.goto(f"{server.address}/?run={key}")
    page.wait_for_function(
        """() => [...document.querySelectorAll(".dln-plot")].slice(0, 2)
            .every((plot) => plot.data?.some(({ meta, x }) => meta?.y && x.length > 1))
            && document.querySelectorAll(".dln-plot").length === 4""",
        timeout=60_000,
        polling=20,
    )
    return time.monotonic() - began


def stats(page: Page, session: CDPSession) -> dict[str, float]:
    """The charts' own counters and the browser's busy seconds on the main thread."""
    found: dict[str, float] = page.evaluate("({ ...document.querySelector('.dln').dlnStats })")
    metrics = {m["name"]: m["value"] for m in session.send("Performance.getMetrics")["metrics"]}
    return found | {"task": metrics["TaskDuration"], "clock": metrics["Timestamp"]}


def drawing(table: Table, page: Page, server: Server) -> None:
    """Frames and main-thread time with four panels, all in sight."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")
    for rank_bound, what, every, more in (
        (20, "62 lines", 40, {}),
        (90, "202 lines", 20, {}),
        (90, "302 lines and theory", 20, WITH_THEORY),
    ):
        with training(server.runs, rank_bound, 100 + rank_bound, every, **more) as run:
            open_charts(page, server, run.key)
            page.wait_for_timeout(2000)
            before = stats(page, session)
            page.wait_for_timeout(SECONDS * 1000)
            after = stats(page, session)
        change = {name: after[name] - before[name] for name in after}
        frames, name = max(change["frames"], 1), f"4 panels, {what}"
        table.add(f"{name}: frames drawn", frames / change["clock"], 15, "/s", most=False)
        table.add(f"{name}: main thread", 1000 * change["task"] / frames, 25, "ms/fr")
        table.add(f"{name}: of it the charts' own", change["busyMs"] / frames, 25, "ms/fr")
        if rank_bound == 20:
            table.add(f"{name}: received", change["bytes"] / change["clock"] / 1000, 20, "kB/s")


async def watching(server: Server, key: str, seconds: float) -> list[float]:
    """The gaps between frames of one viewer that acknowledges at once."""
    address = f"ws://{server.host}/api/runs/{key}/stream?panels={','.join(PANELS)}"
    arrivals: list[float] = []
    async with connect(address, max_size=None, compression=None) as socket:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                async for message in socket:
                    if isinstance(message, bytes):
                        arrivals.append(time.monotonic())
                        await socket.send("drawn")
    return list(np.diff(arrivals[5:]))


def crowd(address: str, key: str, seconds: float) -> None:
    """Thirty viewers in a process of their own; prints the gaps' 95th percentile and their mean."""

    async def all_of_them() -> list[list[float]]:
        server = Server(address, None, Path())
        return await asyncio.gather(*(watching(server, key, seconds) for _ in range(VIEWERS)))

    gaps = np.concatenate(asyncio.run(all_of_them()))
    print(np.percentile(gaps, 95), np.mean(gaps))


def web_process(server: Server) -> psutil.Process:
    """The process that serves."""
    return psutil.Process(server.process.pid)


def rate(run: Run, seconds: float) -> float:
    """Steps a second of wall time."""
    began, first = time.monotonic(), run.status.step
    until(lambda: time.monotonic() - began >= seconds)
    return (run.status.step - first) / (time.monotonic() - began)


def crowded(table: Table, server: Server) -> None:
    """What thirty viewers of one training cost the server and the training."""
    process = web_process(server)
    with training(server.runs, 20, 7) as run:
        alone = rate(run, SECONDS / 2)
        module = ["-m", "tests.benchmarks.stream"]
        arguments = [sys.executable, *module, server.host, run.key, str(SECONDS + 3)]
        with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as clients:
            until(lambda: _connected(process) >= VIEWERS)
            time.sleep(1)
            process.cpu_percent()
            watched = rate(run, SECONDS)
            busy = process.cpu_percent()
            output, _ = clients.communicate()
        again = rate(run, SECONDS / 2)
    late, mean = map(float, output.split())
    slowed = 100 * (1 - watched / ((alone + again) / 2))
    table.add(f"{VIEWERS} viewers: frames each", 1 / mean, 8, "/s", most=False)
    table.add(f"{VIEWERS} viewers: gap between frames, p95", 1000 * late, 150, "ms")
    table.add(f"{VIEWERS} viewers: web process", busy, 15, "% core")
    table.add(f"{VIEWERS} viewers: web process's memory", _memory(process), 150, "MB")
    table.add(f"{VIEWERS} viewers: training slowed", slowed, 10, "%")


def _connected(process: psutil.Process) -> int:
    return sum(link.status == "ESTABLISHED" for link in process.net_connections())


def _memory(process: psutil.Process) -> float:
    return float(process.memory_info().rss / 1e6)


def reruns(table: Table, page: Page, server: Server, key: str) -> None:
    """From a click to the page's answer."""
    open_charts(page, server, key)
    taken = page.evaluate(
        """async () => {
            const texts = () => [...document.querySelectorAll("[data-testid=stText]")];
            const said = () => texts().map((found) => found.textContent).join();
            const button = [...document.querySelectorAll("button")]
                .find((found) => found.innerText.includes("Again"));
            const times = [];
            for (let turn = 0; turn < 30; turn++) {
                const before = said(), start = performance.now();
                button.click();
                while (said() === before) await new Promise((go) => setTimeout(go, 1));
                times.push(performance.now() - start);
                await new Promise((go) => setTimeout(go, 150));
            }
            return times;
        }"""
    )
    table.add("widget rerun, click to new text, median", np.median(taken), 30, "ms")
    table.add("widget rerun, click to new text, p95", np.percentile(taken, 95), 30, "ms")


def slider(table: Table, page: Page, folder: Path) -> None:
    """The first page's own: from a key on the slider of α to the server's last answer."""
    session, frames = page.context.new_cdp_session(page), []
    session.send("Network.enable")
    for direction in ("Sent", "Received"):
        session.on(f"Network.webSocketFrame{direction}", lambda e: frames.append(e["timestamp"]))
    with served(HERE.parents[2] / "app.py", folder) as server:
        page.goto(server.address)
        page.get_by_text("What to expect").wait_for(timeout=60_000)
        knob = page.get_by_role("slider", name="Discrepant rate")
        taken = []
        for turn in range(43):
            frames.clear()
            knob.press("ArrowRight" if turn % 2 else "ArrowLeft")
            page.wait_for_timeout(500)
            taken.append(1000 * (frames[-1] - frames[0]))
    table.add(
        "slider of the first page, to its last answer, median", np.median(taken[3:]), 30, "ms"
    )
    table.add(
        "slider of the first page, to its last answer, p95", np.percentile(taken[3:], 95), 30, "ms"
    )


def finished(table: Table, page: Page, server: Server) -> str:
    """A finished run of 1,000 records, from a reload to drawn lines."""
    recorder = Recorder(server.runs, Config(steps=999, record_every=1), count=20)
    recorder.write(1000)
    recorder.end()
    open_charts(page, server, recorder.run.key)
    times = [open_charts(page, server, recorder.run.key) for _ in range(5)]
    table.add("finished run of 1,000 records, reload to drawn", np.median(times), 1, "s")
    return recorder.run.key


def cancelled(table: Table, server: Server) -> None:
    """From asking for the end to the status that says so."""
    with training(server.runs, 20, 8) as run:
        began = time.monotonic()
        run.ask(CANCEL)
        until(lambda: run.status.phase == "cancelled")
        table.add("cancel acknowledged", time.monotonic() - began, 0.5, "s")


def pressed(table: Table, page: Page, folder: Path) -> None:
    """Digits with their suggested settings: from Train to lines in a chart, and to the end."""
    pictures, ends = [], []
    with served(HERE.parents[2] / "app.py", folder) as server:
        for seed in range(5):
            page.goto(f"{server.address}/Nonlinear?problem=digits&seed_init={seed}")
            button = page.get_by_role("button", name="Train").first
            button.wait_for(timeout=60_000)
            page.wait_for_timeout(5000)  # as long as a visitor looks at the settings, at least
            began = time.monotonic()
            button.click()
            page.wait_for_function(HAS_LINES, timeout=60_000, polling=20)
            pictures.append(time.monotonic() - began)
            page.wait_for_function(IS_DONE, timeout=60_000, polling=20)
            ends.append(time.monotonic() - began)
    table.add("digits, Train to the first picture, median", np.median(pictures), 2, "s")
    table.add("digits, Train to the end, median", np.median(ends), 4, "s")


def main() -> int:
    """Run all and say whether every bar was held."""
    table = Table()
    with (
        tempfile.TemporaryDirectory() as folder,
        served(HERE.parents[1] / "browser" / "charts.py", Path(folder)) as server,
        sync_playwright() as playwright,
    ):
        print(f"{'measured':<75}bar", flush=True)
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        page = browser.new_page(viewport={"width": 1400, "height": 1000})
        urllib.request.urlopen(f"{server.address}/")
        reruns(table, page, server, finished(table, page, server))
        with tempfile.TemporaryDirectory() as other:
            slider(table, browser.new_page(viewport={"width": 1400, "height": 1000}), Path(other))
        with tempfile.TemporaryDirectory() as other:
            pressed(table, browser.new_page(viewport={"width": 1400, "height": 1000}), Path(other))
        drawing(table, page, server)
        browser.close()
        crowded(table, server)
        cancelled(table, server)
    print(f"{table.missed} bars missed" if table.missed else "every bar held", os.cpu_count())
    return bool(table.missed)


if __name__ == "__main__":
    if len(sys.argv) == 4:
        crowd(sys.argv[1], sys.argv[2], float(sys.argv[3]))
    else:
        sys.exit(main())
