"""Paper figures on the page: chosen from the gallery, trained, judged, kept in the address."""

import zipfile
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from dynamics.paper.plan import Plan, about, names
from tests.browser.conftest import Server
from tests.browser.test_visit import button, query_of

pytestmark = pytest.mark.xdist_group("pages")
Open = Callable[[int], Page]


@pytest.mark.slow
def test_figure_is_opened_trained_and_judged(server: Server, page_at: Open) -> None:
    """From the gallery to every number, and back: the card then says how it ended."""
    page = page_at(1400)
    page.goto(f"{server.address}/Paper_figures")
    for name in names():
        expect(page.get_by_text(about(name)[0], exact=True)).to_be_visible()
    page.locator(".st-key-card-burer_monteiro").get_by_role("button", name="Open").click()
    button(page, "Run").click()
    expect(page.get_by_text("Every number")).to_be_visible()
    expect(page.get_by_text("The authors gave no number for this figure.")).to_be_visible()
    expect(page.locator(".figures tbody tr")).to_have_count(3)
    expect(page.locator(".figures thead th")).to_have_count(2)  # what, and what was found
    page.wait_for_selector(".js-plotly-plot .scatterlayer .trace >> nth=2", state="attached")
    assert query_of(page) == {"figure": "burer_monteiro"}
    with page.expect_download() as download:
        button(page, "All numbers (zip)").click()
    held = zipfile.ZipFile(download.value.path()).namelist()
    wanted = {f"{config.key}.npz" for config in Plan.of("burer_monteiro").distinct}
    assert wanted | {"verdict.json", "records.csv", "runs.csv"} <= set(held)
    page.get_by_role("button", name="For a paper or talk").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("TikZ", exact=True).click()
    expect(dialog.get_by_role("button", name="Save TikZ")).to_be_visible()
    dialog.get_by_text("Caption and citation").click()
    expect(dialog.get_by_text("N = 1 seed, 3 runs.")).to_be_visible()
    expect(dialog.get_by_text("python -m dynamics figure burer_monteiro")).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    button(page, "All figures").click()
    card = page.locator(".st-key-card-burer_monteiro")
    expect(card.get_by_text("drawn; no number published")).to_be_visible()


def test_address_that_names_no_figure_or_no_draw_is_told(server: Server, page_at: Open) -> None:
    page = page_at(1400)
    page.goto(f"{server.address}/Paper_figures?figure=nope")
    expect(page.get_by_text("There is no figure 'nope'; choose one of these.")).to_be_visible()
    page.goto(f"{server.address}/Paper_figures?figure=depth&seeds=99&target=spread")
    expect(page.get_by_text("The seeds must be 1 to 50; 99 was given.")).to_be_visible()
    button(page, "Take the authors' own").click()
    expect(button(page, "Run")).to_be_visible()
    assert query_of(page) == {"figure": "depth"}
