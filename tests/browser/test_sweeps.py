"""A visit to the page of sweeps: start, watch cells, cancel, go on, choose a cell, open its run."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from dynamics.core.config import Config
from dynamics.runs.run import find
from dynamics.runs.sweep import SweepFolder, listing
from tests.browser.conftest import Server
from tests.browser.test_visit import query_of
from tests.support.make import until

pytestmark = pytest.mark.xdist_group("pages")
Open = Callable[[int], Page]
SWEEP = (
    "rows=16&cols=16&rank=2&observed=0.8&learning_rate=0.1&rate_unit=limit&steps=6000&"
    "tolerance=0&record_every=200&axes=rank_bound,alpha&rank_bound=2:9:1&alpha=1:3:0.25&"
    "outcome=final&seeds=1"
)


def rest_at(page: Page, along: float, up: float) -> None:
    """Move the pointer to shares of the map's width and height."""
    box = page.locator(".dln-map .nsewdrag").first.bounding_box()
    assert box
    page.mouse.move(box["x"] + along * box["width"], box["y"] + (1 - up) * box["height"], steps=5)


def press(page: Page) -> None:
    page.mouse.down()
    page.mouse.up()


def test_a_sweep_is_started_cancelled_continued_and_opened(server: Server, page_at: Open) -> None:
    page = page_at(1400)
    page.goto(f"{server.address}/Sweeps?{SWEEP}")
    page.get_by_role("button", name="Train 72 runs").click()
    expect(page.get_by_role("button", name="Cancel")).to_be_visible()
    (place,) = [each for each in listing(server.runs) if len(each.sweep.keys) == 72]
    until(lambda: place.standing.ended > 0, "the first cells are there")
    expect(page.locator(".stProgress")).to_contain_text("of 72 runs")
    page.get_by_role("button", name="Cancel").click()
    go_on = page.get_by_role("button", name="Go on")
    expect(go_on).to_be_visible()
    before = SweepFolder(server.runs, place.key).progress().values
    assert 0 < len(before) < 72

    go_on.click()
    expect(page.get_by_text("72 of 72 runs, finished.")).to_be_visible()
    assert before.items() <= place.progress().values.items()
    rest_at(page, 3.5 / 8, 8.5 / 9)
    page.wait_for_url("**cell=3**")
    expect(page.get_by_role("strong").filter(has_text="r̂ = 5, α = 3:")).to_be_visible()
    config: Config = next(c for c in place.sweep.cells if c.point == (3, 8)).configs[0]
    expect(page.get_by_role("link", name="Open this run")).to_be_visible()
    press(page)  # a click on the cell that is chosen opens its run
    page.wait_for_url(f"**run={config.key}**")
    assert query_of(page)["run"] == config.key
    assert find(config.key, server.runs).config.rank_bound == 5

    (place.folder / "sweep.json").write_text("[")
    page.goto(f"{server.address}/Sweeps")
    page.get_by_role("button", name="Earlier sweeps").click()
    expect(page.get_by_text(f"The sweep {place.key} is damaged")).to_be_visible()


@pytest.mark.slow
def test_a_phone_sees_a_sweep(server: Server, page_at: Open) -> None:
    """Three axes stand one below the other, and nothing is wider than the screen."""
    page = page_at(390)
    page.goto(f"{server.address}/Sweeps?{SWEEP}&depth=2,3&axes=rank_bound,alpha,depth")
    page.locator(".dln-map .nsewdrag").nth(1).wait_for()
    tops = [box["y"] for box in map(lambda each: each.bounding_box(),
            page.locator(".dln-map .nsewdrag").all()) if box]  # fmt: skip
    assert tops[0] < tops[1]
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
