"""Fixtures of the browser tests: a real server, a real browser, a run folder of their own."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Error, Page, expect, sync_playwright

from dynamics.runs import sweep as sweeps
from dynamics.runs.run import CANCEL, Run, listing
from tests.support.make import PATIENCE, until

ROOT = Path(__file__).parents[2]
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
OWNER = "a token of the owner's"
HEIGHTS = {1400: 950, 1024: 900, 390: 844}
MOST = PATIENCE * 1000  # ms until what is expected must be seen
expect.set_options(timeout=MOST)


@dataclass(frozen=True)
class Server:
    """A running server: where it answers, its process and the folder of its runs."""

    host: str
    process: subprocess.Popen[bytes]
    runs: Path
    base: str = ""

    @property
    def address(self) -> str:
        return f"http://{self.host}{self.base}"


_folders: list[Path] = []  # of the runs of all servers that run


def _live() -> dict[str, Run]:
    """The runs of all servers that train or wait, by key."""
    listed = [each for folder in _folders for each in listing(folder)]
    return {run.key: run for run, _, status in listed if status.live}


@pytest.fixture(autouse=True)
def _nothing_trains_on() -> Iterator[None]:
    """Cancel what a test leaves training: it would take a core from all tests after it."""
    before = _live()
    yield
    for key, run in _live().items():
        if key not in before:
            run.ask(CANCEL)


def free_port() -> int:
    """A port that nobody uses."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


@contextlib.contextmanager
def served(
    script: Path,
    runs: Path,
    base: str = "",
    port: int = 0,
    processes: int = 1,
    address: str = "127.0.0.1",
) -> Iterator[Server]:
    """Serve a script at a port, else a free one, under a path, for as long as the block lasts.

    More than one web process are uvicorn's. Bound to 0.0.0.0, a server is open to strangers.
    """
    port = port or free_port()
    environment = os.environ | {"DLN_RUNS": str(runs), "PYTHONPATH": str(ROOT), "DLN_OWNER": OWNER}
    if "DLN_SHARED" in os.environ:
        environment["DLN_DATA"] = os.environ["DLN_SHARED"] + "/data"
    where = ["--server.port", str(port), "--server.address", address]
    where += ["--server.baseUrlPath", base] if base else []
    command = [sys.executable, "-m", "streamlit", "run", str(script), *where]
    if processes > 1:
        where = ["--port", str(port), "--workers", str(processes)]
        command = [sys.executable, "-m", "uvicorn", f"{script.stem}:app", *where]
    with open(runs / "server.log", "wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
    server = Server(f"127.0.0.1:{port}", process, runs, base)
    _folders.append(runs)
    try:
        until(lambda: process.poll() is not None or _answers(server), "the server is ready")
        assert process.poll() is None, (runs / "server.log").read_text()
        yield server
    finally:
        _folders.remove(runs)
        process.terminate()
        process.wait(60)
        for run, _, status in listing(runs):  # workers outlive their server, and must not the test
            if status.live:
                run.ask(CANCEL)
        for sweep in sweeps.listing(runs):
            sweep.ask(CANCEL)


def _answers(server: Server) -> bool:
    with contextlib.suppress(OSError):
        return bool(urllib.request.urlopen(f"{server.address}/api/ready", timeout=2).status == 200)
    return False


def chromium() -> str:
    """The path of an installed Chromium.

    Raises:
        RuntimeError: if there is none.
    """
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    raise RuntimeError("The browser tests need Chromium in the PATH; `make test` installs it.")


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The app itself."""
    with served(ROOT / "app.py", tmp_path_factory.mktemp("runs")) as running:
        yield running


@pytest.fixture(scope="session")
def charts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A page with nothing but live charts, and the app's own routes."""
    with served(Path(__file__).with_name("charts.py"), tmp_path_factory.mktemp("runs")) as running:
        yield running


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        yield started
        started.close()


@pytest.fixture(scope="session")
def idle_pages() -> dict[tuple[int, str], list[Page]]:
    """Pages by width and scheme that no test uses now; one that has loaded the app is quick."""
    return {}


@pytest.fixture
def page_at(
    browser: Browser, idle_pages: dict[tuple[int, str], list[Page]]
) -> Iterator[Callable[[int], Page]]:
    """A function that gives an empty page of a width; an error in its scripts fails the test."""
    errors: list[str] = []
    with contextlib.ExitStack() as stack:

        def note(error: Error) -> None:
            errors.append(str(error))

        def open_page(width: int, scheme: str = "light") -> Page:
            idle = idle_pages.setdefault((width, scheme), [])
            page = idle.pop() if idle else _new_page(browser, width, scheme)
            page.set_viewport_size(
                {"width": width, "height": HEIGHTS[width]}
            )  # a test may change it
            page.on("pageerror", note)

            def put_back() -> None:
                page.remove_listener("pageerror", note)
                if not page.is_closed():
                    page.goto("about:blank")
                    idle.append(page)

            stack.callback(put_back)
            return page

        yield open_page
    assert not errors, errors


def _new_page(browser: Browser, width: int, scheme: str) -> Page:
    page = browser.new_page(
        viewport={"width": width, "height": HEIGHTS[width]},
        color_scheme="dark" if scheme == "dark" else "light",
        has_touch=width < 500,
    )
    page.set_default_timeout(MOST)
    return page


@pytest.fixture(params=sorted(HEIGHTS, reverse=True))
def page(request: pytest.FixtureRequest, page_at: Callable[[int], Page]) -> Page:
    """A page at each of the three widths in turn."""
    return page_at(request.param)
