"""Going on from a step with other settings: changed now, forked at the cursor, compressed there."""

import itertools
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from dynamics.core.config import Config
from dynamics.runs.run import CANCEL, Run, find
from dynamics.runs.start import start as start_run
from tests.browser.conftest import Server
from tests.browser.test_visit import over
from tests.support.make import until

pytestmark = pytest.mark.xdist_group("pages")
SEEDS = itertools.count(900)
SETTINGS: dict[str, Any] = {
    "problem": "factorization",
    "rows": 30,
    "cols": 30,
    "rank": 2,
    "rank_bound": 4,
    "init_scale": 0.1,
    "alpha": 1.0,
    "learning_rate": 0.2,
    "rate_unit": "limit",
    "tolerance": 0.0,
    "steps": 2000,
    "record_every": 20,
}
MARKS = """() => [...document.querySelectorAll('.js-plotly-plot')].map(plot => ({
  notes: (plot.layout.annotations ?? []).map(({ text, x }) => [x, text]),
  faint: plot.data.filter(({ uid }) => uid?.startsWith('beside'))
    .map(({ x }) => [x.length, x[0]]) }))"""


@pytest.fixture
def started(server: Server) -> Iterator[Callable[..., Run]]:
    """A function that starts a run of its own on the server's folder; ended after the test."""
    made: list[Run] = []

    def start(**changes: Any) -> Run:
        config = Config.from_dict(SETTINGS | {"seed_target": next(SEEDS)} | changes)
        made.append(start_run(config, server.runs))
        return made[-1]

    yield start
    for run in made:
        run.ask(CANCEL)
        until(lambda run=run: not run.status.live)


def opened(page: Page, server: Server, run: Run, query: str = "") -> None:
    page.goto(f"{server.address}/?run={run.key}{query}")
    expect(page.locator(".dln-card").first).to_be_attached()
    menu = page.get_by_test_id("stMain").get_by_role("button", name="Change").first
    expect(menu).to_be_visible()
    menu.click()


def followed(page: Page, server: Server, run: Run) -> Run:
    """The run that the page shows now, which goes on from the one before."""
    other = "key => { const at = new URLSearchParams(location.search).get('run');"
    other += " return at && at !== key && at; }"
    key = page.wait_for_function(other, arg=run.key).json_value()
    child = find(key, server.runs)
    assert child.origin and child.origin.key == run.key, (child, child.origin)
    return child


def marked(page: Page, step: int, label: str) -> None:
    """Each chart says what changed once it is in sight."""
    notes = "plot => (plot.layout.annotations ?? []).map(({ text, x }) => `${x} ${text}`)"

    def said(plot: Locator) -> bool:
        return f"{step} {label}" in plot.evaluate(notes)

    for card in page.locator(".dln-card:visible").all():
        card.scroll_into_view_if_needed()
        until(partial(said, card.locator(".js-plotly-plot")), "it is marked")


def set_alpha(page: Page, value: str) -> None:
    box = page.get_by_role("textbox", name="Discrepant rate α", exact=True).last
    box.fill(value)
    box.press("Enter")


@pytest.mark.slow
def test_a_live_run_is_changed_now(
    page_at: Callable[[int], Page], server: Server, started: Callable[..., Run]
) -> None:
    """It ends where it is, and another goes on from there with the new α and all its records."""
    page, run = page_at(1400), started(steps=100_000_000, record_every=1000)
    until(lambda: len(run.rows()) > 5)
    opened(page, server, run)
    expect(page.get_by_text("From now on", exact=True)).to_be_visible()
    set_alpha(page, "3")
    page.get_by_role("button", name="Change now").click()
    child = followed(page, server, run)
    until(lambda: not run.status.live)
    (change,) = child.config.schedule
    assert change.rates == {"alpha": 3.0} and change.step in run.rows()[:, 0]
    until(lambda: len(child.rows()) > len(run.rows()), "the records of both")
    marked(page, change.step, "α 1 → 3")
    expect(page.get_by_text("Forked at step")).to_be_visible()
    child.ask(CANCEL)
    until(lambda: not child.status.live)


def test_boxes_hold_the_rates_in_force_however_often_the_page_has_run(
    page_at: Callable[[int], Page], server: Server, started: Callable[..., Run]
) -> None:
    """The menu is closed while the page runs again, and its boxes are in no browser yet."""
    page, run = page_at(1400), started(alpha=3.0, learning_rate=0.7)
    until(lambda: not run.status.live)
    page.goto(f"{server.address}/?run={run.key}&at=600")
    expect(page.locator(".dln-card").first).to_be_attached()
    for axis in ("Log steps", "Seconds"):
        over(page, axis)
        page.wait_for_url(f"**over={axis.lower().replace(' ', '+')}**")
    page.get_by_test_id("stMain").get_by_role("button", name="Change").first.click()
    for label, value in (("Discrepant rate α", "3"), ("Learning rate η", "0.7")):
        expect(page.get_by_role("textbox", name=label, exact=True).last).to_have_value(value)


@pytest.mark.slow
def test_boxes_hold_the_rates_to_which_a_live_run_has_come(
    page_at: Callable[[int], Page], server: Server, started: Callable[..., Run]
) -> None:
    """The page has not run again since it was opened, before the change."""
    page = page_at(1400)
    run = started(steps=100_000_000, record_every=1000, changes="40000:alpha=2")
    page.goto(f"{server.address}/?run={run.key}")
    expect(page.locator(".dln-card").first).to_be_attached()
    until(lambda: run.status.step > 50_000)
    page.get_by_test_id("stMain").get_by_role("button", name="Change").first.click()
    expect(page.get_by_role("textbox", name="Discrepant rate α", exact=True).last).to_have_value(
        "2"
    )


@pytest.mark.slow
@pytest.mark.parametrize("width", [1400, 390])
def test_a_run_is_forked_at_the_cursor_and_stays_beside_its_fork(
    width: int, page_at: Callable[[int], Page], server: Server, started: Callable[..., Run]
) -> None:
    """Not without a change. Faint lines of the other run, from where both part to its end."""
    page, run = page_at(width), started()
    until(lambda: not run.status.live)
    opened(page, server, run, "&at=600")
    expect(page.get_by_text("From step 600 on", exact=True)).to_be_visible()
    fork = page.get_by_role("button", name="Fork", exact=True)
    fork.click()
    expect(page.get_by_text("Nothing would change")).to_be_visible()
    assert page.evaluate("location.search.includes('run=" + run.key + "')")
    set_alpha(page, "4")
    fork.click()
    child = followed(page, server, run)
    assert child.config.changes == "600:alpha=4"
    until(lambda: child.status.phase == "done")
    assert run.status.phase == "done" and len(child.rows()) == len(run.rows())
    page.locator(".dln-card").first.scroll_into_view_if_needed()

    def beside() -> bool:
        drawn = [chart["faint"] for chart in page.evaluate(MARKS) if chart["faint"]]
        return bool(drawn) and all(
            count > 10 and start == 600 for faint in drawn for count, start in faint
        )

    until(beside, "faint lines from the fork on")


@pytest.mark.slow
def test_the_original_is_compressed_at_the_cursor(
    page_at: Callable[[int], Page], server: Server, started: Callable[..., Run]
) -> None:
    page, run = page_at(1024), started()
    until(lambda: not run.status.live)
    opened(page, server, run, "&at=400")
    page.get_by_role("button", name="Compress the original here").click()
    child = followed(page, server, run)
    assert child.config.changes == "400:compress"
    until(lambda: child.status.phase == "done")
    original, compressed = child.trajectories
    assert compressed.steps[0] == 400 and original.steps[0] == 0
    marked(page, 400, "compressed")
