"""After a restart of the web server, or a sleep of the browser, what is done first is done."""

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Literal, get_args
from urllib.parse import parse_qs, urlsplit

import psutil
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from dynamics.core.config import Config
from dynamics.runs.start import start
from tests.browser.conftest import FLAGS, MOST, ROOT, Server, chromium, free_port, served
from tests.browser.test_visit import SMALL, button, over, press
from tests.support.make import until

pytestmark = [pytest.mark.xdist_group("restart"), pytest.mark.slow]
Act = Callable[[Page], object]
KEPT = 125.0  # seconds; Streamlit keeps a session without a connection for 120
CONFIG = Config.from_dict(SMALL | {"rank_bound": 5})
RUN = {"run": CONFIG.key}
OTHER = Config.from_dict(SMALL | {"rank_bound": 6})
TICKED = {"runs": OTHER.key}
ALPHA = {"alpha": "3"}
PRESET = {"problem": "factorization"}
LESSON = {"lesson": "plateaus"}


def slide(page: Page) -> None:
    slider = page.get_by_role("slider", name="Initial scale ε")
    slider.focus()
    slider.press("ArrowRight")


def choose_preset(page: Page) -> None:
    text("One mode at a time")(page)
    page.wait_for_url("**problem=factorization")


def unfold(page: Page) -> None:
    page.get_by_text("Training", exact=True).click()
    page.get_by_test_id("stSidebar").get_by_label("Steps").last.wait_for()


def type_steps(page: Page) -> None:
    box = page.get_by_test_id("stSidebar").get_by_label("Steps").last
    box.fill("1234")
    box.press("Enter")


def choose_problem(page: Page) -> None:
    page.get_by_role("combobox", name="Problem").click()
    page.get_by_role("option", name="sensing").click()


def answer(page: Page) -> None:
    page.get_by_test_id("stRadio").locator("label").nth(1).click()
    expect(button(page, "That is my prediction: train")).to_be_enabled()


def ask_to_delete(page: Page) -> None:
    press(page, "Delete")
    page.get_by_role("dialog").get_by_role("button", name="Delete").wait_for()


def delete(page: Page) -> None:
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_role("dialog")).to_have_count(0)


def ask_for_file(page: Page) -> None:
    card = page.locator("[data-panel='recovery_error']")
    card.get_by_role("button", name="Export").click()
    card.get_by_role("menuitem", name="For a paper").click()
    page.get_by_role("dialog").wait_for()


def choose_format(page: Page) -> None:
    """What drew has ended with its server, and draws again."""
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("TikZ", exact=True).click()
    dialog.get_by_role("button", name="Save TikZ").wait_for()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    over(page, "Seconds")  # the page runs again, and the dialog stays closed
    page.wait_for_url("**over=seconds**")
    expect(dialog).to_have_count(0)


def compare_for_file(page: Page) -> None:
    press(page, "For a paper or talk …")
    page.get_by_role("dialog").wait_for()


def close(page: Page) -> None:
    page.get_by_role("dialog").get_by_role("button", name="Close").click()
    expect(page.get_by_role("dialog")).to_have_count(0)


def open_files(page: Page) -> None:
    press(page, "Export")
    button(page, "CSV").wait_for()


def save(page: Page) -> None:
    with page.expect_download() as download:
        press(page, "CSV")
    assert download.value.path().read_text().startswith("network,step,seconds")


def check(page: Page) -> None:
    open_files(page)
    press(page, "Check the script")
    page.get_by_role("dialog").wait_for()


def checked(page: Page) -> None:
    words = page.get_by_role("dialog").get_by_text("Every number agrees.")
    words.wait_for()  # it trains twice, in a process of its own


def text(words: str) -> Act:
    return lambda page: page.get_by_text(words, exact=True).click()


# For each act: the page, its query, what is done before the restart and after it, the query then.
ACTS: dict[str, tuple[str, dict[str, str], Act | None, Act, dict[str, str]]] = {
    "a format of a file": ("", RUN, ask_for_file, choose_format, RUN | {"over": "seconds"}),
    "Close in a dialog": ("Saved_runs", TICKED, compare_for_file, close, TICKED),
    "a check": ("", RUN, check, checked, RUN),
    "a file": ("", RUN, open_files, save, RUN),
    "a slider": ("", {}, choose_preset, slide, PRESET | {"init_scale": "0.02"}),
    "a number in a folder": ("", ALPHA, unfold, type_steps, ALPHA | {"steps": "1234"}),
    "a preset": ("", {}, None, text("One mode at a time"), PRESET),
    "an axis": ("", RUN, None, lambda page: over(page, "Operations"), RUN | {"over": "operations"}),
    "Reset": ("", RUN, None, lambda page: press(page, "Reset"), SMALL | {"rank_bound": "5"}),
    "a switch": (
        "Attribution",
        ALPHA,
        None,
        text("Same α for both"),
        ALPHA | {"alpha_original": "3", "seeds": "5", "level": "1e-3"},
    ),
    "a filter": ("Saved_runs", {}, None, choose_problem, {"problem": "sensing"}),
    "Delete in its dialog": ("Saved_runs", TICKED, ask_to_delete, delete, {}),
    "a button": (
        "Lessons",
        LESSON,
        answer,
        lambda page: press(page, "That is my prediction: train"),
        LESSON | {"guess": "1"},
    ),
}


Lost = Literal["restart", "sleep"]


@pytest.fixture(scope="module", params=get_args(Lost))
def tabs(
    request: pytest.FixtureRequest, browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Page]]:
    """A tab for each act, whose session the server no longer has."""
    lost: Lost = request.param
    runs, port = tmp_path_factory.mktemp("runs"), free_port()
    for run in [start(config, runs) for config in (CONFIG, OTHER)]:
        until(lambda run=run: run.status.phase == "done")
    others = {*_chromiums()}
    own = browser.browser_type.launch(executable_path=chromium(), args=FLAGS)
    context = own.new_context(viewport={"width": 1400, "height": 950})
    context.set_default_timeout(MOST)
    with contextlib.ExitStack() as servers:
        server = servers.enter_context(served(ROOT / "app.py", runs, port=port))
        pages = _opened(context, server)
        if lost == "restart":
            servers.close()
            servers.enter_context(served(ROOT / "app.py", runs, port=port))
        else:
            _sleep([each for each in _chromiums() if each not in others], server)
        yield pages
        own.close()


def _opened(context: BrowserContext, server: Server) -> dict[str, Page]:
    pages = {}
    for name, (path, query, *_) in ACTS.items():
        pages[name] = context.new_page()
        asked = "&".join(f"{key}={value}" for key, value in query.items())
        pages[name].goto(f"{server.address}/{path}?{asked}")
    for name, (_, _, before, *_) in reversed(ACTS.items()):
        pages[name].locator("[data-test-script-state=notRunning]").wait_for()
        if before:
            before(pages[name])
            pages[name].locator("[data-test-script-state=notRunning]").wait_for()
    return pages


def _chromiums() -> list[psutil.Process]:
    """The processes of this test's browsers."""
    started = psutil.Process().children(recursive=True)
    return [each for each in started if each.is_running() and "chrom" in each.name()]


def _sleep(browser: Sequence[psutil.Process], server: Server) -> None:
    """Stop a browser as a laptop's sleep does, until the server has forgotten its sessions."""
    web = psutil.Process(server.process.pid)

    def heard() -> list[int]:
        """The ports of those that the server still takes for connected."""
        found = web.net_connections("tcp")
        return [each.raddr.port for each in found if each.status == psutil.CONN_ESTABLISHED]

    for each in browser:
        each.suspend()
    try:
        until(lambda: not heard(), f"the server gives up {heard()}")
        gone = time.monotonic()
        until(lambda: time.monotonic() > gone + KEPT, "Streamlit forgets their sessions")
    finally:
        for each in browser:
            each.resume()


@pytest.mark.parametrize("name", ACTS)
def test_what_is_done_first_after_a_restart_or_a_sleep_is_done(
    tabs: dict[str, Page], name: str
) -> None:
    """In a new session, which has not drawn the page's widgets yet."""
    *_, act, then = ACTS[name]
    app = tabs[name].get_by_test_id("stApp")
    expect(app).to_have_attribute("data-test-connection-state", "CONNECTED")
    act(tabs[name])
    wanted = {key: [str(value)] for key, value in then.items()}
    tabs[name].wait_for_url(lambda url: parse_qs(urlsplit(url).query) == wanted)
