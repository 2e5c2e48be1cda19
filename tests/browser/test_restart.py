"""After a restart of the web server, what is done first on an open page is done."""

from collections.abc import Callable, Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from dynamics.core.config import Config
from dynamics.runs.start import start
from tests.browser.conftest import ROOT, free_port, served, until
from tests.browser.test_visit import SMALL, button, press

pytestmark = pytest.mark.xdist_group("restart")
Act = Callable[[Page], object]
CONFIG = Config.from_dict(SMALL | {"rank_bound": 5})
RUN = {"run": CONFIG.key}
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


def text(words: str) -> Act:
    return lambda page: page.get_by_text(words, exact=True).click()


# For each act: the page, its query, what is done before the restart and after it, the query then.
ACTS: dict[str, tuple[str, dict[str, str], Act | None, Act, dict[str, str]]] = {
    "a slider": ("", {}, choose_preset, slide, PRESET | {"init_scale": "0.02"}),
    "a number in a folder": ("", ALPHA, unfold, type_steps, ALPHA | {"steps": "1234"}),
    "a preset": ("", {}, None, text("One mode at a time"), PRESET),
    "an axis": ("", RUN, None, text("Operations"), RUN | {"over": "operations"}),
    "Reset": ("", RUN, None, lambda page: press(page, "Reset"), SMALL | {"rank_bound": "5"}),
    "a switch": (
        "Attribution",
        ALPHA,
        None,
        text("Same α for both"),
        ALPHA | {"alpha_original": "3", "seeds": "5", "level": "1e-3"},
    ),
    "a filter": ("Saved_runs", {}, None, choose_problem, {"problem": "sensing"}),
    "a button": (
        "Lessons",
        LESSON,
        answer,
        lambda page: press(page, "That is my prediction: train"),
        LESSON | {"guess": "1"},
    ),
}


@pytest.fixture(scope="module")
def tabs(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Page]]:
    """A tab for each act; the server has been restarted since the tabs were opened."""
    runs, port = tmp_path_factory.mktemp("runs"), free_port()
    run = start(CONFIG, runs)
    until(lambda: run.status.phase == "done", 60)
    context = browser.new_context(viewport={"width": 1400, "height": 950})
    pages = {}
    with served(ROOT / "app.py", runs, port=port) as server:
        for name, (path, query, *_) in ACTS.items():
            pages[name] = context.new_page()
            asked = "&".join(f"{key}={value}" for key, value in query.items())
            pages[name].goto(f"{server.address}/{path}?{asked}")
        for name, (_, _, before, *_) in ACTS.items():
            pages[name].locator("[data-test-script-state=notRunning]").wait_for()
            if before:
                before(pages[name])
    with served(ROOT / "app.py", runs, port=port):
        yield pages
    context.close()


@pytest.mark.parametrize("name", ACTS)
def test_what_is_done_first_after_a_restart_is_done(tabs: dict[str, Page], name: str) -> None:
    """In a new session, which has not drawn the page's widgets yet."""
    *_, act, then = ACTS[name]
    app = tabs[name].get_by_test_id("stApp")
    expect(app).to_have_attribute("data-test-connection-state", "CONNECTED")
    act(tabs[name])
    wanted = {key: [str(value)] for key, value in then.items()}
    tabs[name].wait_for_url(lambda url: parse_qs(urlsplit(url).query) == wanted)
