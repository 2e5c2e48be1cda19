"""Files of long runs are made beside the web process, which answers everybody all the while."""

import threading
import time
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import psutil
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Server
from tests.support.long import long_run
from tests.support.make import until

pytestmark = pytest.mark.xdist_group("pages")
Open = Callable[[int], Page]
MORE = 20.0  # MB that the web process may take more for the file of a run
LATE = 0.1  # seconds within which the server says that it is ready


@contextmanager
def asking(server: Server) -> Iterator[list[float]]:
    """Ask every 50 ms whether the server is ready; gives the seconds that each answer took."""
    taken: list[float] = []
    over = threading.Event()

    def ask() -> None:
        while not over.wait(0.05):
            began = time.perf_counter()
            urllib.request.urlopen(f"{server.address}/api/ready", timeout=60).read()
            taken.append(time.perf_counter() - began)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield taken
    finally:
        over.set()
        thread.join()


def memory(server: Server) -> float:
    """MB that the web process has for itself."""
    held: float = psutil.Process(server.process.pid).memory_full_info().uss / 1e6
    return held


def told(taken: list[float]) -> str:
    """The longest of the times, and how many there are."""
    middle, late, most = np.quantile(taken, [0.5, 0.99, 1.0]) * 1000
    return f"{middle:.0f} ms (median), {late:.0f} (99 %), {most:.0f} (all {len(taken)})"


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_zip_of_100_000_records_leaves_the_web_process_alone(
    server: Server, page_at: Open
) -> None:
    run = long_run(server.runs)
    page = page_at(1400)
    page.goto(f"{server.address}/Saved_runs?runs={run.key}")
    page.get_by_role("button", name="Export", exact=True).click()
    page.get_by_role("button", name="JSON", exact=True).wait_for()
    until(lambda: psutil.Process(server.process.pid).cpu_percent(1.0) < 20, "the page is at rest")
    with asking(server) as idle:
        page.wait_for_timeout(5000)
    print(f"at rest: ready within {told(idle)}")
    before = memory(server)
    most = before
    with asking(server) as taken, page.expect_download(timeout=600_000) as download:
        page.get_by_role("button", name="ZIP", exact=True).click()
        expect(page.get_by_text(f"Making run-{run.key}.zip")).to_be_visible()
        while page.get_by_text(f"Making run-{run.key}.zip").is_visible():
            most = max(most, memory(server))
            page.wait_for_timeout(200)
    most = max(most, memory(server))
    print(f"{most - before:.1f} MB more than {before:.0f}; ready within {told(taken)}")
    with zipfile.ZipFile(download.value.path()) as packed:
        assert packed.testzip() is None and packed.getinfo("records.csv").file_size > 400e6
    assert most - before < MORE
    assert max(taken) < LATE


def test_a_file_in_the_making_is_cancelled(server: Server, page_at: Open) -> None:
    """Its process ends, and nothing of it is left."""
    run = long_run(server.runs, 20_000, seed_init=3)
    page = page_at(1400)
    page.goto(f"{server.address}/Saved_runs?runs={run.key}")
    page.get_by_role("button", name="Export", exact=True).click()
    page.get_by_role("button", name="ZIP", exact=True).click()
    making = page.get_by_text(f"Making run-{run.key}.zip")
    expect(making).to_be_visible()
    page.locator(".st-key-making").get_by_role("button", name="Cancel").click()
    expect(making).to_have_count(0)
    children = psutil.Process(server.process.pid).children(recursive=True)
    until(
        lambda: not any("making" in str(each.cmdline()) for each in children if each.is_running())
    )
    until(lambda: not any((server.runs / ".making").iterdir()), "no file is left")
