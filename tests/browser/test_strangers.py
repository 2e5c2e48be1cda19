"""A server that strangers reach: each of two browsers steers its own runs, the owner's all."""

import contextlib
import http.client
import re
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, TimeoutError, expect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from dynamics.runs import capability, control, expiry, limits
from dynamics.runs.capability import Capability
from dynamics.runs.run import RUN, Run
from dynamics.runs.start import start
from pages.shared.door import COOKIE
from tests.browser.conftest import HEIGHTS, MOST, OWNER, ROOT, Server, served
from tests.browser.test_changes import set_alpha
from tests.browser.test_visit import button
from tests.support.make import small, until

pytestmark = pytest.mark.xdist_group("visit")


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The app, bound to all addresses of this machine."""
    runs = tmp_path_factory.mktemp("runs")
    with served(ROOT / "app.py", runs, address="0.0.0.0") as running:
        yield running


@pytest.fixture
def visit(browser: Browser, public: Server) -> Iterator[Callable[..., Page]]:
    """A function that opens an address in a browser of its own."""
    contexts: list[BrowserContext] = []

    def visited(where: str, context: BrowserContext | None = None, width: int = 1400) -> Page:
        if context is None:
            size = {"width": width, "height": HEIGHTS[width]}
            context = browser.new_context(viewport=size)
            contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(MOST)
        page.goto(public.address + where)
        return page

    yield visited
    for context in contexts:
        context.close()


def ask(server: Server, path: str, method: str = "GET", **headers: str) -> http.client.HTTPResponse:
    line = http.client.HTTPConnection(server.host, timeout=60)
    line.request(method, path, headers=headers)
    return line.getresponse()


def given(answer: http.client.HTTPResponse) -> str:
    """The token of an answer's cookie; empty for none."""
    cookie = answer.headers.get("Set-Cookie", "")
    return cookie.partition(";")[0].removeprefix(f"{COOKIE}=")


def test_a_page_brings_a_cookie_that_no_script_and_no_foreign_page_uses(public: Server) -> None:
    answer = ask(public, "/")
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie and "Secure" not in cookie
    assert capability.holds(public.runs, Capability(given(answer)))
    again = ask(public, "/", Cookie=f"{COOKIE}={given(answer)}")
    assert "Set-Cookie" not in again.headers
    assert "Set-Cookie" not in ask(public, "/api/ready").headers
    over_https = ask(public, "/", **{"X-Forwarded-Proto": "https"})
    assert "Secure" in over_https.headers["Set-Cookie"]


def test_a_forged_cookie_is_replaced(public: Server, tmp_path: Path) -> None:
    """Changed, signed by another server, or revoked."""
    mine = Capability(given(ask(public, "/")))
    kind, number, signature = mine.token.split(".")
    foreign = capability.issue(tmp_path)
    revoked = Capability(given(ask(public, "/")))
    capability.revoke(public.runs, {capability.digest(public.runs, revoked)})
    for token in (f"{kind}.{number}.{signature[::-1]}", foreign.token, revoked.token, "é", "a.b"):
        answer = ask(public, "/", Cookie=f"{COOKIE}={token}")
        assert capability.holds(public.runs, Capability(given(answer)))


def test_the_owner_s_link_makes_a_browser_the_owner_s_and_leaves_the_address(
    public: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(capability.OWNERS, OWNER)
    token = OWNER.replace(" ", "%20").replace("'", "%27")
    answer = ask(public, f"/Saved_runs?runs=a&owner={token}")
    assert answer.status == 303 and answer.headers["Location"] == "/Saved_runs?runs=a"
    assert answer.headers["Cache-Control"] == "no-store"
    assert capability.owns(public.runs, Capability(given(answer)))
    cookie = {"Cookie": f"{COOKIE}={given(answer)}"}
    assert ask(public, "/_stcore/metrics", **cookie).status == 200
    for wrong in ("/?owner=", "/?owner=guess", "/?owner=%C3%A9%FF"):
        refused = ask(public, wrong)
        assert refused.status == 403 and "Set-Cookie" not in refused.headers
    stranger = {"Cookie": f"{COOKIE}={given(ask(public, '/'))}"}
    assert ask(public, "/_stcore/metrics", **stranger).status == 403
    there = ask(public, f"//evil.example?owner={token}").headers["Location"]
    assert not there.startswith("//")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_no_route_steers_a_run_for_anybody(public: Server, method: str) -> None:
    """Whatever a route will do one day, it goes through ``control.steer``."""
    run = start(small(), public.runs)
    until(lambda: not run.status.live)
    cookie = f"{COOKIE}={given(ask(public, f'/?owner={OWNER}'.replace(' ', '%20')))}"
    for path in ("", "/control", "/maker.json", "/figures", "/records.csv", "/maps"):
        answer = ask(public, f"/api/runs/{run.key}{path}", method, Cookie=cookie)
        assert answer.status in (404, 405), path
    assert run.status.phase == "done" and run.asked() == RUN


@pytest.mark.parametrize(
    ("address", "headers", "mine"),
    [
        ("127.0.0.1", {"host": "localhost:8501"}, True),
        ("localhost", {"host": "127.0.0.1:8501"}, True),
        ("::1", {"host": "[::1]:8501"}, True),
        ("127.0.0.1", {"host": "dln.example.org"}, False),
        ("127.0.0.1", {"host": "localhost", "x-forwarded-for": "192.0.2.7"}, False),
        ("127.0.0.1", {"host": "localhost", "forwarded": "for=192.0.2.7"}, False),
        ("0.0.0.0", {"host": "localhost"}, False),
        ("", {"host": "localhost"}, False),
        ("192.0.2.7", {"host": "localhost"}, False),
    ],
)
def test_who_sits_at_the_machine_of_a_local_server_owns_it(
    monkeypatch: pytest.MonkeyPatch, address: str, headers: dict[str, str], mine: bool
) -> None:
    from streamlit import config

    from pages.shared import door

    options = {"server.address": address, "server.allowedHosts": []}
    monkeypatch.setattr(config, "get_option", options.get)
    assert door.local(headers) == mine
    assert bool(door.announcement()) == (address in ("", "0.0.0.0", "192.0.2.7"))
    monkeypatch.setenv(door.PUBLIC, "1")
    assert not door.local(headers)
    monkeypatch.delenv(door.PUBLIC)
    options["server.allowedHosts"] = ["dln.example.org"]
    assert not door.local(headers)


def test_the_owner_reads_at_the_start_how_to_become_one(public: Server) -> None:
    log = (public.runs / "server.log").read_text()
    assert "?owner=TOKEN" in log and OWNER not in log


def test_a_stranger_watches_and_forks_what_another_visitor_trains(
    public: Server, visit: Callable[..., Page]
) -> None:
    size = "rows=12&cols=12&rate_unit=limit&learning_rate=0.2"
    maker = visit(f"/?steps=100000000&record_every=1000&tolerance=0&{size}")
    button(maker, "Train").click()
    expect(button(maker, "Pause")).to_be_visible()
    maker.wait_for_url("**run=*")
    run = Run(public.runs / maker.url.partition("run=")[2][:16])
    until(lambda: run.status.phase == "running")

    stranger = visit(f"/?run={run.key}")
    expect(stranger.get_by_text("Somebody else started this run")).to_be_visible()
    expect(button(stranger, "Train")).to_be_disabled()
    for name in ("Pause", "Stop", "Reset", "Change"):
        expect(button(stranger, name)).to_have_count(0)
    stranger.get_by_test_id("stMain").get_by_role("button", name="Fork").first.click()
    set_alpha(stranger, "3")
    expect(button(stranger, "Change now")).to_have_count(0)
    stranger.locator(".st-key-onward-fork button").first.click()
    stranger.wait_for_function(f"!location.search.includes('{run.key}')")
    expect(button(stranger, "Pause")).to_be_visible()  # their own
    fork = Run(public.runs / stranger.url.partition("run=")[2][:16])
    until(lambda: fork.status.live)
    assert run.asked() == RUN and run.status.live
    button(stranger, "Stop").click()
    until(lambda: not fork.status.live)

    # The maker comes back, and takes up what is theirs.
    back = visit(f"/?run={run.key}", maker.context)
    button(back, "Pause").click()
    until(lambda: run.status.phase == "paused")
    # Revoked, the open page can do nothing more; it may have run again before the click.
    expect(button(back, "Resume")).to_be_visible()
    capability.revoke(public.runs, set(control.digests(run)) - {""})
    with contextlib.suppress(TimeoutError):
        button(back, "Resume").click(timeout=3000)
    expect(back.get_by_text("Somebody else started").first).to_be_visible()
    assert run.status.phase == "paused"

    owner = visit(f"/?owner={OWNER.replace(' ', '%20')}&run={run.key}")
    assert "owner" not in owner.url
    button(owner, "Stop").click()
    until(lambda: not run.status.live)


def test_saved_runs_of_others_are_neither_named_nor_deleted(
    public: Server, visit: Callable[..., Page]
) -> None:
    theirs = start(small(seed_init=7), public.runs, by=capability.issue(public.runs))
    until(lambda: not theirs.status.live)
    page = visit(f"/Saved_runs?runs={theirs.key}")
    expect(page.get_by_text("1 ticked run is somebody else's")).to_be_visible()
    expect(button(page, "Delete")).to_have_count(0)
    expect(button(page, "Name, note, tags")).to_have_count(0)
    owner = visit(f"/Saved_runs?owner={OWNER.replace(' ', '%20')}&runs={theirs.key}")
    button(owner, "Delete").click()
    owner.get_by_role("dialog").get_by_role("button", name="Delete").click()
    until(lambda: not theirs.folder.exists())


def test_what_is_too_large_for_a_visitor_is_said_before_it_is_trained(
    public: Server, visit: Callable[..., Page]
) -> None:
    """Of the owner's runs nothing is said."""
    large = "rows=4000&cols=4000"
    page = visit(f"/?{large}")
    told = page.get_by_text("A run may take 4 GB of memory here")
    expect(told).to_be_visible()
    button(page, "Train").click()
    expect(told).to_have_count(2)  # with the settings, and why it has not begun
    owner = visit(f"/?owner={OWNER.replace(' ', '%20')}&{large}")
    expect(button(owner, "Train")).to_be_visible()
    expect(owner.get_by_text("A run may take")).to_have_count(0)


def test_a_run_stays_for_as_long_as_somebody_watches_it(
    public: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the stream that its charts open."""
    run = start(small(seed_init=8), public.runs)
    until(lambda: not run.status.live and not run._worker_lives())
    (tmp_path / "limits.toml").write_text("[folder]\ndays = 1")
    monkeypatch.setenv(limits.OWN, str(tmp_path / "limits.toml"))
    later = time.time() + 2 * expiry.DAY
    with connect(f"ws://{public.host}/api/runs/{run.key}/stream?panels=recovery_error") as viewer:
        viewer.recv()
        expiry.tidy(public.runs, later)
        assert run.folder.exists()
    until(lambda: expiry.tidy(public.runs, later) or not run.folder.exists())


@pytest.mark.parametrize("path", ["/_stcore/stream", "/api/runs/KEY/stream"])
def test_one_address_cannot_take_all_connections(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    """Another address comes in, and this one, too, once it has closed one."""
    own = tmp_path / "limits.toml"
    own.write_text("[server]\nsockets = 4\n")
    monkeypatch.setenv(limits.OWN, str(own))
    runs = tmp_path / "runs"
    runs.mkdir()
    run = start(small(), runs)
    until(lambda: run.status.phase == "done")
    path = path.replace("KEY", run.key)
    with contextlib.ExitStack() as stack, served(ROOT / "app.py", runs, address="0.0.0.0") as one:

        def opened(source: str = "127.0.0.1") -> ClientConnection:
            protocols = [Subprotocol("streamlit")] if "stcore" in path else None
            host, _, port = one.host.partition(":")
            line = socket.create_connection((host, int(port)))
            headers = {"X-Forwarded-For": source}
            return stack.enter_context(
                connect(
                    f"ws://{one.host}{path}",
                    sock=line,
                    subprotocols=protocols,
                    additional_headers=headers,
                )
            )

        first = [opened("10.0.0.1") for _ in range(4)]
        with pytest.raises(InvalidStatus, match="403"):
            opened("10.0.0.1")
        opened("10.0.0.2")
        first[0].close()
        until(lambda: _opens(lambda: opened("10.0.0.1")), "a place is free again")


def _opens(connection: Callable[[], object]) -> bool:
    try:
        connection()
    except InvalidStatus:
        return False
    return True


def test_a_message_that_swells_takes_little_memory(public: Server) -> None:
    """Two hundred megabytes of one letter are 0.2 on the way."""
    process = Path("/proc") / str(public.process.pid)
    before = psutil.Process(public.process.pid).memory_info().rss
    (process / "clear_refs").write_text("5")  # the peak is counted anew
    for _ in range(3):
        protocols = [Subprotocol("streamlit")]
        with (
            contextlib.suppress(ConnectionClosed),
            connect(f"ws://{public.host}/_stcore/stream", subprotocols=protocols) as line,
        ):
            line.send(bytes(200_000_000))
            while True:
                line.recv(timeout=30)
    (peak,) = re.findall(r"VmHWM:\s+(\d+) kB", (process / "status").read_text())
    assert 1000 * int(peak) - before < 100e6
