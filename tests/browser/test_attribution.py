"""The ladder of causes: measured from the page, kept by its address, switched to a fair one."""

import zipfile
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from dynamics.core.config import Config
from dynamics.findings import attribution
from dynamics.runs.run import Run
from tests.browser.conftest import Server
from tests.browser.test_visit import SMALL, query_of

pytestmark = pytest.mark.xdist_group("pages")
Open = Callable[[int], Page]
SETTINGS = SMALL | {"alpha": 4, "rank_bound": 4, "init_scale": 0.2, "steps": 400}


@pytest.mark.slow
def test_a_lead_is_measured_switched_and_shared(server: Server, page_at: Open) -> None:
    """One press trains an ordinary run for each seed; the address brings the same numbers."""
    query = "&".join(f"{name}={value}" for name, value in SETTINGS.items())
    page = page_at(1400)
    page.goto(f"{server.address}/Attribution?{query}&seeds=2&level=1e-1")
    measure = page.get_by_role("button", name="Measure", exact=True)
    expect(measure).to_be_visible()
    expect(page.locator(".network")).to_have_count(8)  # each network that is trained
    measure.click()
    story = page.locator(".st-key-story")
    expect(story).to_contain_text("Over 2 seeds")
    config = Config.from_dict(SETTINGS)
    kept = [Run(server.runs / each.key) for each in attribution.ladder(config, 2)]
    made = attribution.attribute(config, [run.trajectories for run in kept], "1e-1")
    for sentence in attribution.sentences(made):
        expect(story).to_contain_text(sentence)
    expect(page.locator(".js-plotly-plot")).to_be_visible()
    expect(page.get_by_role("row", name="compressed without α")).to_contain_text("2 of 2")
    expect(page.get_by_role("button", name="Cancel")).to_have_count(0)
    with page.expect_download() as download:
        page.get_by_role("button", name="All numbers (zip)").click()
    held = zipfile.ZipFile(download.value.path())
    assert {f"{run.key}.npz" for run in kept} | {"attribution.json"} <= set(held.namelist())

    second = page_at(390)
    second.goto(page.url)
    expect(second.locator(".st-key-story")).to_contain_text("Over 2 seeds")
    assert second.evaluate("document.documentElement.scrollWidth") <= 390

    second.get_by_text("Same α for both").click()
    expect(second.get_by_role("button", name="Measure", exact=True)).to_be_visible()
    second.wait_for_function("location.search.includes('alpha_original=4')")
    expect(second.locator(".network")).to_have_count(4)  # the other four equal these
    assert query_of(second)["seeds"] == "2"


@pytest.mark.slow
def test_an_address_that_cannot_be_is_told_and_mended(server: Server, page_at: Open) -> None:
    page = page_at(1024)
    page.goto(f"{server.address}/Attribution?seeds=99&level=soon&depth=1")
    for word in ("seeds must be", "level must be", "L (depth) must be"):
        expect(page.get_by_text(word)).to_be_visible()
    expect(page.get_by_role("button", name="Measure", exact=True)).to_be_visible()


@pytest.mark.slow
def test_whoever_comes_back_finds_seeds_level_and_switches(server: Server, page_at: Open) -> None:
    """By the menu of pages; the first page has what was switched here."""
    page = page_at(1400)
    page.goto(f"{server.address}/?depth=4")
    depth = page.get_by_role("slider", name="Depth L")
    expect(depth).to_have_attribute("aria-valuetext", "4")  # the page has read its address
    page.get_by_role("link", name="Attribution").click()
    page.wait_for_url("**/Attribution?**level=1e-3**")
    page.get_by_text("Same α for both").click()
    page.wait_for_url("**alpha_original=5**")
    page.get_by_role("slider", name="Seeds").press("ArrowLeft")
    page.wait_for_url("**seeds=4**")
    page.get_by_role("link", name="Saved runs").click()
    page.get_by_role("heading", name="Saved runs").wait_for()
    page.get_by_role("link", name="Attribution").click()
    page.wait_for_url("**seeds=4**")
    expect(page.get_by_role("slider", name="Seeds")).to_have_attribute("aria-valuetext", "4")
    page.get_by_role("link", name="Side by side").click()
    page.wait_for_url("**depth=4&**alpha_original=5**")
