"""The live stream, from the run's folder over the socket to the drawn chart."""

import contextlib
import itertools
import json
import struct
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page, WebSocketRoute, expect
from starlette.websockets import WebSocket
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from dynamics.core.config import Config
from dynamics.findings.outcomes import Outcome
from dynamics.runs.run import Run
from pages.shared.live import stream
from tests.browser.conftest import Server
from tests.browser.recorder import PANELS, Recorder
from tests.support.make import PATIENCE, until

SECONDS = 20.0
pytestmark = pytest.mark.xdist_group("charts")
SEEDS = itertools.count(1)  # each test has a run of its own


@pytest.fixture
def config() -> Config:
    """The settings of a run that no other test has."""
    return Config(steps=1000, record_every=1, seed_target=next(SEEDS))


class Client:
    """A viewer without a browser: keeps what it was sent, in the order it would be drawn."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.texts: list[dict[str, Any]] = []
        self.frames: list[tuple[int, int, int]] = []
        self.columns: list[str] = []
        self.rows = np.empty((0, 0), "<f4")
        self.status: dict[str, Any] = {}
        self.upto = 0

    def take(self, *, answer: bool = True, timeout: float = PATIENCE) -> str | bytes:
        """Receive one message and note what it says."""
        message = self.socket.recv(timeout)
        if isinstance(message, bytes):
            self._rows(message)
            with contextlib.suppress(
                ConnectionClosed
            ):  # what came before is to be read all the same
                if answer:
                    self.socket.send("drawn")
            return message
        content = json.loads(message)
        self.texts.append(content)
        self.columns = content.get("columns", self.columns)
        self.status = content.get("status", self.status)
        return message

    def _rows(self, frame: bytes) -> None:
        position, count, upto = struct.unpack_from("<III", frame)
        rows = np.frombuffer(frame, "<f4", offset=12).reshape(count, len(self.columns))
        assert position in (0, self.upto), "a frame follows the one before or replaces all"
        kept = self.rows if position and len(self.rows) else rows[:0]
        self.rows, self.upto = np.vstack([kept, rows]), upto
        self.frames.append((position, count, upto))

    def until(self, holds: Callable[["Client"], object]) -> None:
        """Take messages until ``holds``."""
        while not holds(self):
            self.take()


@contextlib.contextmanager
def viewer(server: Server, key: str, **query: object) -> Iterator[Client]:
    """A connected viewer of a run."""
    asked = "&".join(f"{k}={v}" for k, v in ({"panels": ",".join(PANELS)} | query).items())
    address = f"ws://{server.host}/api/runs/{key}/stream?{asked}"
    with connect(address, origin=Origin(server.address), max_size=None, compression=None) as socket:
        yield Client(socket)


def recorded(run: Run, columns: list[str]) -> np.ndarray:
    """What the run's folder holds of these columns, in the stream's precision."""
    names = run.layout.names
    return run.rows()[:, [names.index(column) for column in columns]].astype("<f4")


def test_routes_are_mounted(server: Server) -> None:
    """Streamlit falls back in silence to a server without our routes."""
    with urllib.request.urlopen(f"{server.address}/api/ready") as answer:
        assert json.load(answer) == {"ready": True}


def test_every_record_arrives_in_order(charts: Server, config: Config) -> None:
    """What is sent piece by piece is what the folder holds, the first and the last included."""
    recorder = Recorder(charts.runs, config)
    recorder.write(1)
    with viewer(charts, config.key) as client:
        client.until(lambda c: len(c.rows) == 1)
        for count in (1, 2, 7, 20):
            recorder.write(count)
            client.until(lambda c: c.upto == recorder.written)
        recorder.end()
        client.until(lambda c: c.status["phase"] == "done")
        assert len(client.frames) >= 5
        np.testing.assert_array_equal(client.rows, recorded(recorder.run, client.columns))
    assert client.texts[0]["config"] == config.to_dict()
    assert {"step", "original.seconds", "compressed.operations"} <= set(client.columns)


def test_fast_run_is_thinned_and_made_whole_at_its_end(charts: Server, config: Config) -> None:
    """More records than fit the line: every k-th with the last, and all of them afterwards."""
    recorder = Recorder(charts.runs, config, count=60)
    recorder.write(1)
    with viewer(charts, config.key) as client:
        client.until(lambda c: len(c.rows) == 1)
        recorder.write(700)
        client.until(lambda c: c.upto == 701)
        assert len(client.rows) < 701
        assert client.rows[-1, 0] == 700
        recorder.end()
        client.until(lambda c: c.upto == len(c.rows) == 701)
        assert client.frames[-1][0] == 0
        np.testing.assert_array_equal(client.rows, recorded(recorder.run, client.columns))


@pytest.mark.parametrize(("count", "rank", "most"), [(20, 5, 20_000), (110, 20, 30_000)])
def test_wide_records_come_as_often_as_they_can_be_drawn(
    tmp_path: Path, count: int, rank: int, most: int
) -> None:
    """15 frames a second of 307 numbers, for theory draws on many; 20 kB a second at r̂ = 20."""
    settings: dict[str, Any] = {"rows": 200, "cols": 200, "record_every": 2}
    recorder = Recorder(tmp_path, Config(**settings, rank=rank, rank_bound=count), count)
    recorder.write(1)
    query = f"panels={','.join(PANELS)}".encode()
    scope: dict[str, Any] = {"type": "websocket", "path": "", "headers": [], "query_string": query}
    viewer = stream.Viewer(WebSocket(scope, None, None), recorder.run)  # type: ignore[arg-type]
    viewer.sends = stream.Sent(recorder.run, stream.descriptions(recorder.run, viewer.panels))
    frames = rows = 0
    viewer.position = viewer.looked = 1
    for look in range(int(SECONDS / stream.PACE)):
        picks = viewer._picks(look + 2, look * stream.PACE)
        if picks:
            viewer.position, frames, rows = picks[-1] + 1, frames + 1, rows + len(picks)
    assert frames / SECONDS >= 15
    assert rows * 4 * len(viewer.sends.names) / SECONDS <= most
    recorder.end()


def test_viewer_goes_on_from_the_position_it_holds(charts: Server, config: Config) -> None:
    """Only the records that it lacks are sent again after a lost connection."""
    recorder = Recorder(charts.runs, config)
    recorder.write(30)
    created = repr(recorder.created)
    with viewer(charts, config.key, since=20, rows=20, created=created) as client:
        client.upto = 20
        client.until(lambda c: c.upto == 30)
        assert client.frames == [(20, 10, 30)]
    recorder.end()


def test_viewer_that_holds_a_part_is_sent_everything_at_the_end(
    charts: Server, config: Config
) -> None:
    """Its records were thinned before the connection was lost, so the position alone misleads."""
    recorder = Recorder(charts.runs, config)
    recorder.write(30)
    recorder.end()
    with viewer(charts, config.key, since=30, rows=11, created=repr(recorder.created)) as client:
        client.until(lambda c: c.upto == 30)
        assert client.frames == [(0, 30, 30)]


def test_run_started_anew_starts_over(charts: Server, config: Config) -> None:
    """The folder of a restarted run is another one with the same name."""
    first = Recorder(charts.runs, config)
    first.write(50)
    with viewer(charts, config.key) as client:
        client.until(lambda c: c.upto == 50)
        first.end("cancelled")
        again = Recorder(charts.runs, config)
        again.write(5)
        client.until(lambda c: c.upto == 5)
        assert client.frames[-1] == (0, 5, 5)
        assert [text for text in client.texts if text.get("hello")][1:]
    again.end()


def test_queued_run_says_so_then_greets(charts: Server, config: Config) -> None:
    """There are no columns before the first record, but there is something to say."""
    recorder = Recorder(charts.runs, config, phase="queued")
    with viewer(charts, config.key) as client:
        client.until(lambda c: c.status)
        assert client.status["phase"] == "queued"
        assert not client.columns
        recorder.begin()
        recorder.write(3)
        client.until(lambda c: c.upto == 3)
        assert client.status["phase"] == "running"
    recorder.end()


def test_worker_that_dies_is_told(charts: Server, config: Config) -> None:
    """Its lock is gone but its last word is missing."""
    recorder = Recorder(charts.runs, config)
    recorder.write(3)
    with viewer(charts, config.key) as client:
        client.until(lambda c: c.upto == 3)
        recorder.alive.close()
        client.until(lambda c: c.status["phase"] == "lost")


def test_slow_viewer_is_sent_two_frames_and_then_the_rest_at_once(
    charts: Server, config: Config
) -> None:
    """Frames that are not acknowledged hold back the next, so a slow one skips and never lags."""
    recorder = Recorder(charts.runs, config)
    recorder.write(1)
    with viewer(charts, config.key) as client:
        client.until(lambda c: c.columns)
        for _ in range(2):
            until(lambda: isinstance(client.take(answer=False), bytes))
            recorder.write(5)
        with pytest.raises(TimeoutError):
            client.take(answer=False, timeout=0.7)
        recorder.write(5)
        client.socket.send("drawn")
        until(lambda: isinstance(client.take(), bytes))
        assert client.frames[-1] == (6, 10, 16)
    recorder.end()


def test_hidden_tab_is_sent_one_frame_a_second(charts: Server, config: Config) -> None:
    """Nobody looks at it; back in sight, it is told all at once."""
    recorder = Recorder(charts.runs, config)
    recorder.write(1)
    with viewer(charts, config.key) as client:
        client.until(lambda c: c.upto == 1)
        client.socket.send("hidden")
        began = time.monotonic()
        for _ in range(2):
            recorder.write(3)
            client.until(lambda c: c.upto == recorder.written)
        assert time.monotonic() - began > 0.9
        client.socket.send("visible")
    recorder.end()


@pytest.mark.parametrize("key", ["nonsense", "%2e%2e", "0123456789abcdef", "A" * 16])
def test_unknown_run_is_refused_with_a_sentence(charts: Server, key: str) -> None:
    """A key names a folder, so it is held to its pattern."""
    with viewer(charts, key) as client:
        client.take()
        assert client.texts[0]["error"].endswith((".", "f.", "deleted."))
        with pytest.raises(ConnectionClosed):
            client.take()


def test_unknown_figure_is_refused_with_a_sentence(charts: Server, config: Config) -> None:
    """A panel names a module, so only those of the folder are taken."""
    Recorder(charts.runs, config).write(1)
    with viewer(charts, config.key, panels="../runs") as client:
        client.until(lambda c: c.texts and "error" in c.texts[-1])
        assert "is not one of the charts" in client.texts[-1]["error"]


def test_foreign_page_cannot_listen(charts: Server, config: Config) -> None:
    """Custom routes bypass Streamlit's own check of the origin."""
    Recorder(charts.runs, config).write(1)
    address = f"ws://{charts.host}/api/runs/{config.key}/stream"
    elsewhere = Origin("http://elsewhere.example")
    with connect(address, origin=elsewhere) as socket:
        assert "must pass on the Host" in json.loads(socket.recv())["error"]
        with pytest.raises(ConnectionClosed):
            socket.recv()
    proxy = {"X-Forwarded-Host": "elsewhere.example"}  # which no page can write
    with connect(address, origin=elsewhere, additional_headers=proxy) as socket:
        assert "hello" in json.loads(socket.recv())


def test_chatty_viewer_is_sent_away(charts: Server, config: Config) -> None:
    """Nothing but acknowledgements is taken."""
    Recorder(charts.runs, config).write(1)
    with viewer(charts, config.key) as client:
        client.socket.send("x" * 10_000)
        client.until(lambda c: c.texts and "error" in c.texts[-1])
        with pytest.raises(ConnectionClosed):
            client.until(lambda c: False)


def test_http_refuses_what_it_does_not_know(charts: Server) -> None:
    """Each with a sentence and a status that is an error's."""
    for path in ("/api/runs/nonsense/figures", "/api/assets/secrets.toml", "/api/assets/0/live.js"):
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(charts.address + path)
        assert refused.value.code == 404
        assert json.load(refused.value)["error"].endswith(".")


# In the browser ---------------------------------------------------------------------------------


def watch(page: Page, server: Server, config: Config) -> None:
    """Open the charts of a run and wait until the first is drawn."""
    page.goto(f"{server.address}/?run={config.key}")
    page.wait_for_selector("[data-panel='singular_values/original'] .svg-container")


def received(page: Page) -> int:
    """How far into the run the charts are."""
    return int(page.evaluate("document.querySelector('.dln').dlnStats.records"))


def axis(page: Page, panel: str, name: str) -> list[float]:
    """The shown range of a chart's axis."""
    found: list[float] = page.evaluate(
        "([panel, name]) => document.querySelector(`[data-panel='${panel}'] .dln-plot`)"
        "._fullLayout[name + 'axis'].range.map(Number)",
        [panel, name],
    )
    return found


def zoom(page: Page, panel: str) -> None:
    """Drag a rectangle over the middle of a chart."""
    area = page.locator(f"[data-panel='{panel}'] .nsewdrag").first
    area.scroll_into_view_if_needed()
    box = area.bounding_box()
    assert box
    for share, act in ((0.3, page.mouse.down), (0.7, page.mouse.up)):
        page.mouse.move(box["x"] + share * box["width"], box["y"] + share * box["height"], steps=5)
        act()


def test_zoom_and_hidden_lines_survive(
    charts: Server, config: Config, page_at: Callable[[int], Page]
) -> None:
    """Through live updates, a rerun, the run's end and a reload; double-click resets."""
    recorder, page, panel = Recorder(charts.runs, config), page_at(1400), "recovery_error"
    recorder.write(400)
    watch(page, charts, config)
    until(lambda: received(page) == 400)
    zoom(page, panel)
    until(lambda: axis(page, panel, "x")[0] > 0, what="zoomed")
    x, y = axis(page, panel, "x"), axis(page, panel, "y")
    assert x == pytest.approx([150, 350], abs=10)  # 0.3 to 0.7 of an axis that reaches to 500
    key = page.locator(f"[data-panel='{panel}'] .dln-key", has_text="original")
    key.click()
    for act in (lambda: recorder.write(100), page.get_by_role("button", name="Again").click):
        act()
        until(lambda: received(page) == 500)
    page.get_by_text("runs=2").wait_for()
    recorder.write(501)
    recorder.end()
    page.get_by_text("Done", exact=True).wait_for()
    until(lambda: received(page) == 1001)
    assert (axis(page, panel, "x"), axis(page, panel, "y")) == (x, y)
    page.reload()
    page.locator(".dln").wait_for()
    until(lambda: received(page) == 1001)
    page.locator(f"[data-panel='{panel}'] .nsewdrag").first.wait_for()
    assert (axis(page, panel, "x"), axis(page, panel, "y")) == (x, y)
    assert key.get_attribute("aria-pressed") == "false"
    shown = page.evaluate(
        f"""document.querySelector("[data-panel='{panel}'] .dln-plot").data
            .filter((trace) => trace.visible === true).map((trace) => trace.name)"""
    )
    assert "compressed" in shown
    assert "original" not in shown
    page.locator(f"[data-panel='{panel}'] .nsewdrag").first.dblclick()
    until(lambda: axis(page, panel, "x") == [0, 1000], what="the whole axis after a double-click")


def test_hover_names_a_line_while_the_run_goes_on(
    charts: Server, config: Config, page_at: Callable[[int], Page]
) -> None:
    """The canvas paints the lines then, so Plotly must be given them for its labels."""
    recorder, page = Recorder(charts.runs, config), page_at(1400)
    recorder.write(500)
    watch(page, charts, config)
    until(lambda: received(page) == 500)
    box = page.locator("[data-panel='singular_values/original'] .nsewdrag").first.bounding_box()
    assert box

    def label() -> bool:
        x, y = box["x"] + 0.6 * box["width"], box["y"] + (1 - 20 / 21.2) * box["height"]
        page.mouse.move(x, y - 4)
        page.mouse.move(x, y)
        return page.locator(".hovertext").count() > 0

    until(label, what="a hover label")
    assert "σ" in (page.locator(".hovertext").first.text_content() or "")
    recorder.end()


def test_phase_reruns_the_script(
    charts: Server, config: Config, page_at: Callable[[int], Page]
) -> None:
    """The page's buttons depend on the phase, which only the stream sees change."""
    recorder, page = Recorder(charts.runs, config), page_at(1024)
    recorder.write(3)
    watch(page, charts, config)
    page.get_by_text("runs=1 ").wait_for()
    recorder.say("paused")
    page.get_by_text("phase=paused").wait_for()
    recorder.end()
    page.get_by_text("phase=done").wait_for()


def test_lost_connection_is_said_and_mended(
    charts: Server, config: Config, page_at: Callable[[int], Page]
) -> None:
    """The charts go on from the position that they hold."""
    recorder, page = Recorder(charts.runs, config), page_at(1400)
    addresses: list[str] = []
    sockets: list[WebSocketRoute] = []
    down: list[bool] = []

    def between(route: WebSocketRoute) -> None:
        if down:
            route.close()
            return
        addresses.append(route.url)
        sockets.append(route)
        route.connect_to_server()

    page.route_web_socket(lambda url: "/api/runs/" in url, between)
    recorder.write(40)
    watch(page, charts, config)
    until(lambda: received(page) == 40)
    down.append(True)
    sockets[-1].close()
    page.get_by_text("Connection lost, trying again").wait_for()
    recorder.write(10)
    down.clear()
    page.get_by_text("Running", exact=True).wait_for()
    until(lambda: received(page) == 50)
    assert "since=40" in addresses[-1]
    recorder.end()
    page.close()  # another test would find the route still there


def test_reruns_are_cheap(charts: Server, config: Config, page_at: Callable[[int], Page]) -> None:
    """A full garbage collection after each rerun would cost it twenty times as much."""
    recorder, page = Recorder(charts.runs, config), page_at(1024)
    recorder.write(3)
    recorder.end()
    watch(page, charts, config)
    said = page.get_by_text("runs=")
    page.get_by_text("runs=1 ").wait_for()
    before = said.inner_text()
    for count in range(2, 12):
        page.get_by_role("button", name="Again").click()
        page.get_by_text(f"runs={count} ").wait_for()
    full = [int(text.split("full=")[1].split()[0]) for text in (before, said.inner_text())]
    assert full[1] - full[0] < 5
    assert "heavy=[]" in before


def test_layout_fits_the_width(charts: Server, config: Config, page: Page) -> None:
    """Two columns of equal cards where there is room, one on a phone; nothing sticks out."""
    recorder = Recorder(charts.runs, config)
    recorder.write(1001)
    recorder.end()
    watch(page, charts, config)
    boxes = [box for card in page.locator(".dln-card").all() if (box := card.bounding_box())]
    assert len(boxes) == 4
    lefts = {round(box["x"]) for box in boxes}
    width = page.viewport_size["width"] if page.viewport_size else 0
    room = page.locator(".dln-grid").bounding_box()
    assert room
    assert len(lefts) == (2 if room["width"] >= 900 else 1)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for left, right in ((0, 1), (2, 3)) if len(lefts) == 2 else ():
        assert boxes[left]["height"] == pytest.approx(boxes[right]["height"], abs=1)


def test_files_hold_what_is_shown(
    charts: Server, config: Config, page_at: Callable[[int], Page]
) -> None:
    """CSV in full precision, named after figure and run; pictures have the export dialog."""
    recorder, page = Recorder(charts.runs, config), page_at(1400)
    recorder.write(1001)
    recorder.end()
    watch(page, charts, config)
    card = page.locator("[data-panel='recovery_error']")
    card.get_by_role("button", name="Export").click()
    with page.expect_download() as download:
        card.get_by_role("menuitem", name="CSV").click()
    assert download.value.suggested_filename == f"recovery_error_{config.key}.csv"
    header, *rows = download.value.path().read_text().splitlines()
    numbers = np.array([[float(cell) for cell in row.split(",")] for row in rows])
    names = recorder.run.layout.names
    places = [names.index(name) for name in header.split(",")]
    np.testing.assert_array_equal(numbers, recorder.run.rows()[:, places])


def test_divergence_is_marked_and_named(
    charts: Server, config: Config, page_at: Callable[[int], Page]
) -> None:
    """A network whose numbers are not finite is a result: the chart says where it ended."""
    recorder, page = Recorder(charts.runs, config), page_at(1400)
    recorder.write(600)
    recorder.write(401, broken="original")
    recorder.end("diverged", outcomes={"original": Outcome("diverged", 600)})
    watch(page, charts, config)
    page.get_by_text("diverged at step 600").wait_for()
    marks = page.evaluate(
        """document.querySelector("[data-panel='recovery_error'] .dln-plot").data.at(-1).x"""
    )
    assert marks == [599]
    summary = page.locator("[data-panel='recovery_error'] .dln-unseen")
    expect(summary).to_contain_text("then not finite")


def test_network_that_ends_first_is_dotted_and_an_early_end_is_said(
    charts: Server, config: Config, page_at: Callable[[int], Page]
) -> None:
    """A run is done at its tolerance: then the bar is full, though fewer steps were needed."""
    recorder, page = Recorder(charts.runs, config), page_at(1400)
    recorder.write(400)
    recorder.write(201, ended="compressed")
    recorder.end()
    watch(page, charts, config)
    page.get_by_text("ended at step 600 of at most 1,000").wait_for()
    bar = page.get_by_role("progressbar")
    assert bar.get_attribute("aria-valuenow") == bar.get_attribute("aria-valuemax") == "600"
    end = page.wait_for_function(
        """document.querySelector("[data-panel='recovery_error'] .dln-plot")?.data?.at(-1)"""
    ).json_value()
    assert (end["x"], end["marker"]["symbol"]) == ([399], ["circle"])


def test_keys_do_what_the_buttons_do(
    charts: Server, config: Config, page_at: Callable[[int], Page]
) -> None:
    """L, E and ? act on the charts, but not while someone types."""
    recorder, page = Recorder(charts.runs, config), page_at(1400)
    recorder.write(100)
    recorder.end()
    watch(page, charts, config)
    log = page.get_by_role("button", name="Logarithmic value axis: Recovery error")
    expect(log).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("l")
    expect(log).to_have_attribute("aria-pressed", "false")
    log.focus()
    page.keyboard.press("e")
    expect(page.get_by_role("menuitem")).to_have_count(3)
    page.keyboard.press("Escape")
    expect(page.get_by_role("menuitem")).to_have_count(0)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("New seed")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.evaluate("document.body.appendChild(document.createElement('input')).focus()")
    page.keyboard.type("le?")
    expect(log).to_have_attribute("aria-pressed", "false")
    expect(page.get_by_role("dialog")).to_have_count(0)
