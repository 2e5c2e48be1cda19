"""Under a path, behind a real nginx, in two processes: charts load, files are saved."""

import shutil
import subprocess
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import ROOT, Server, free_port, served
from tests.browser.test_visit import button, phase, press
from tests.support.make import until

Open = Callable[[int], Page]
SETTINGS = "problem=factorization&rows=12&cols=12&rank=2&rank_bound=4&learning_rate=1&steps=200"
CONF = """
daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 200; }}
http {{ access_log off; client_body_temp_path {folder}/a; proxy_temp_path {folder}/b;
  fastcgi_temp_path {folder}/c; uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
  server {{ listen 127.0.0.1:{port}; location /dln/ {{
    proxy_pass http://{host}; proxy_http_version 1.1; {headers}
    proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade; }} }} }}
"""


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
    port = free_port()
    headers = f"proxy_set_header {header};" if header else ""
    file = tmp_path / "nginx.conf"
    file.write_text(CONF.format(folder=tmp_path, port=port, host=below.host, headers=headers))
    nginx = subprocess.Popen(["nginx", "-c", str(file)])
    until(lambda: nginx.poll() is not None or (tmp_path / "pid").exists(), what="nginx is up")
    assert nginx.poll() is None, (tmp_path / "error.log").read_text()
    try:
        page = page_at(1024)
        if header:
            trains(page, f"http://127.0.0.1:{port}/dln")
        else:
            page.goto(f"http://127.0.0.1:{port}/dln/?{SETTINGS}&steps=210")
            expect(page.get_by_text("must pass on the Host")).to_be_visible()
            expect(button(page, "Train")).to_have_count(0)  # nor may any other foreign page
    finally:
        nginx.terminate()
        nginx.wait(10)


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
