"""A teacher's links: what they hide stays hidden, and can be shown; lessons walked through."""

from collections.abc import Callable

from conftest import Server
from playwright.sync_api import Page, expect
from test_visit import SMALL, THEORY, button, phase, press, query_of, visit

Open = Callable[[int], Page]
SETTINGS = "&".join(
    f"{name}={value}"
    for name, value in (SMALL | {"rank_bound": 5, "init_scale": 0.1, "steps": 800}).items()
)


def test_link_hides_blocks_until_everything_is_asked_for(server: Server, page_at: Open) -> None:
    """Before the run and after it; the address keeps it; one button brings all of it back."""
    hidden = "training,presets,pictures,forecast,theory,menus,tools,summary"
    page = visit(page_at(1400), server, f"{SETTINGS}&hide={hidden}")
    expect(page.get_by_role("slider", name="Depth L")).to_be_visible()
    press(page, "Train")
    phase(page, "Done")
    page.wait_for_function("document.querySelectorAll('.js-plotly-plot').length > 2")
    assert page.evaluate(THEORY) == []
    blocks = [
        page.get_by_text("Fill in a matrix", exact=True),
        page.locator(".networks"),
        page.get_by_text("Gradient steps (log)"),
        page.get_by_text("Training time (s)"),
        button(page, "New seed"),
        button(page, "Export"),
        page.locator(".st-key-story"),
        page.get_by_test_id("stSidebar").get_by_text("Training", exact=True),
    ]
    for block in blocks:
        expect(block).to_have_count(0)
    page.reload()
    phase(page, "Done")
    assert query_of(page)["hide"] == hidden
    press(page, "Show everything")
    expect(page.locator(".st-key-story")).to_be_visible()
    expect(page.get_by_text("Fill in a matrix", exact=True)).to_be_visible()
    page.wait_for_function(f"{THEORY}.length === 4")
    expect(button(page, "Show everything")).to_have_count(0)
    assert "hide" not in query_of(page)


def test_link_can_be_made_to_hide_blocks(server: Server, page_at: Open) -> None:
    """What is picked beside the link stands in it, and hides nothing from who makes it."""
    page = visit(page_at(1400), server)
    press(page, "Link")
    popover = page.get_by_test_id("stPopoverBody")
    popover.get_by_role("button", name="forecast").click()
    popover.get_by_role("button", name="settings").click()
    expect(popover.get_by_test_id("stCode")).to_contain_text("hide=settings,forecast")
    expect(page.get_by_role("slider", name="Depth L")).to_be_visible()
