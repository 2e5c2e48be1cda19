"""Under a path, behind a real nginx, in two processes: charts load, files are saved."""

import contextlib
import re
import shutil
import subprocess
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import ROOT, Server, free_port, served
from tests.browser.test_visit import button, phase, press
from tests.support.make import until

Open = Callable[[int], Page]
SETTINGS = "problem=factorization&rows=12&cols=12&rank=2&rank_bound=4&learning_rate=1&steps=200"
SITE = ROOT / "deploy" / "nginx.conf"  # the file that docs/deploy.md tells to take
HOST = "proxy_set_header Host $http_host;"
CONF = """
daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 1000; }}
http {{ access_log off; client_body_temp_path {folder}/a; proxy_temp_path {folder}/b;
  fastcgi_temp_path {folder}/c; uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
  include {folder}/site.conf; }}
"""


@contextlib.contextmanager
def proxied(below: Server, folder: Path, headers: str) -> Iterator[str]:
    """The address of the app behind nginx with the shipped site, but for port, server and Host."""
    port = free_port()
    site = SITE.read_text(encoding="utf-8")
    changes = (
        ("listen 80;", f"listen 127.0.0.1:{port};"),
        ("127.0.0.1:8501", below.host),
        (HOST, headers),
    )
    for before, after in changes:
        assert site.count(before) == 1
        site = site.replace(before, after)
    (folder / "site.conf").write_text(site)
    (folder / "nginx.conf").write_text(CONF.format(folder=folder))
    nginx = subprocess.Popen(["nginx", "-c", str(folder / "nginx.conf")])
    try:
        until(lambda: nginx.poll() is not None or (folder / "pid").exists(), what="nginx is up")
        assert nginx.poll() is None, (folder / "error.log").read_text()
        yield f"http://127.0.0.1:{port}/dln"
    finally:
        nginx.terminate()
        nginx.wait(10)


@pytest.fixture(scope="module")
def below(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The app under a path."""
    with served(ROOT / "app.py", tmp_path_factory.mktemp("runs"), "/dln") as running:
        yield running


def trains(page: Page, address: str) -> None:
    """A run is trained, drawn and saved at this address."""
    page.goto(f"{address}/?{SETTINGS}")
    press(page, "Train")
    phase(page, "Done")
    page.wait_for_function("document.querySelector('.js-plotly-plot .scatterlayer .trace')")
    card = page.locator("[data-panel='recovery_error']")
    card.get_by_role("button", name="Export").click()
    with page.expect_download() as download:
        card.get_by_role("menuitem", name="CSV").click()
    assert download.value.path().read_text().startswith("step")
    press(page, "Link")
    expect(page.get_by_test_id("stCode")).to_contain_text(f"{address}/?version=1")


@pytest.mark.slow
def test_charts_and_files_are_found_under_a_path(below: Server, page_at: Open) -> None:
    trains(page_at(1400), below.address)


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("nginx"), reason="needs nginx")
@pytest.mark.parametrize("header", ["Host $http_host", "X-Forwarded-Host $http_host", ""])
def test_behind_nginx(below: Server, page_at: Open, tmp_path: Path, header: str) -> None:
    """With the Host passed on, or named beside it; without, the page says what is missing."""
    headers = f"proxy_set_header {header};" if header else ""
    if not header.startswith("Host"):  # then nginx names the server that it asks
        headers += f" proxy_set_header Host {below.host};"
    with proxied(below, tmp_path, headers) as address:
        page = page_at(1024)
        if header:
            trains(page, address)
        else:
            page.goto(f"{address}/?{SETTINGS}&steps=210")
            expect(page.get_by_text("must pass on the Host")).to_be_visible()
            expect(button(page, "Train")).to_have_count(0)  # nor may any other foreign page


def answered(address: str, **headers: str) -> tuple[int, str]:
    """The status of a request, and how its answer was compressed."""
    try:
        with urllib.request.urlopen(Request(address, headers=headers), timeout=60) as answer:
            return answer.status, answer.headers.get("Content-Encoding", "")
    except HTTPError as error:
        return error.code, ""


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("nginx"), reason="needs nginx")
def test_nginx_compresses_and_holds_back_whoever_asks_too_often(
    below: Server, tmp_path: Path
) -> None:
    with proxied(below, tmp_path, HOST) as address:
        gzip = {"Accept-Encoding": "gzip"}
        assert answered(f"{address.removesuffix('/dln')}/dln", **gzip)[0] == 200
        assert answered(f"{address}/_stcore/host-config") == (200, "")
        with urllib.request.urlopen(f"{address}/", timeout=60) as answer:
            script = re.findall(r'src="\./(static/js/[^"]+\.js)"', answer.read().decode())[0]
        assert answered(f"{address}/{script}", **gzip) == (200, "gzip")
        assert answered(f"{address}/api/metrics")[0] == 403
        with ThreadPoolExecutor(16) as clients:
            told = list(clients.map(lambda _: answered(f"{address}/api/ready")[0], range(2500)))
        assert set(told) == {200, 429} and told.count(200) >= 1000


@pytest.mark.slow
def test_two_web_processes_serve_the_same_files(page_at: Open, tmp_path: Path) -> None:
    """Each request may reach either; a file that one has made is saved from both."""
    with served(ROOT / "app.py", tmp_path, processes=2) as server:
        page = page_at(1400)
        page.goto(f"{server.address}/?{SETTINGS}")
        press(page, "Train")
        phase(page, "Done")
        expect(button(page, "Reset")).to_be_enabled()
        press(page, "Export")
        with page.expect_download() as download:
            press(page, "CSV")
        assert download.value.path().read_bytes()
        for _ in range(20):  # each by a connection of its own
            with urllib.request.urlopen(download.value.url, timeout=10) as answer:
                assert answer.status == 200
