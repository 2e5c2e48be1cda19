"""Networks that tell classes apart: digits trained, watched, paused, changed, ended, one chart
exported; and a file of one's own uploaded.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from dynamics.runs.run import CANCEL, find
from tests.browser.conftest import ROOT, Server, served
from tests.browser.test_visit import account, button, phase, press, query_of
from tests.support.make import until

pytestmark = pytest.mark.xdist_group("pages")
LONG = "steps=1000000&networks=original,compressed,plain"
FRAMES = "document.querySelector('.dln')?.dlnStats?.frames ?? 0"


def test_digits_are_told_apart_live(server: Server, page_at: Callable[[int], Page]) -> None:
    """From the first page's address; the run that goes on with another α opens here, too."""
    page = page_at(1400)
    page.goto(f"{server.address}/?problem=digits&{LONG}")
    heading = page.get_by_role("heading", name="Three networks tell 10 classes apart")
    expect(heading).to_be_visible()
    assert "/Nonlinear?" in page.url
    expect(page.locator(".networks em").first).to_have_text("MLP")
    press(page, "Train")
    phase(page, "Running")
    page.wait_for_function(f"({FRAMES}) > 3")
    drawn = page.evaluate(FRAMES)
    page.wait_for_function(f"({FRAMES}) > {drawn + 3}")
    press(page, "Pause")
    phase(page, "Paused")
    first = query_of(page)["run"]
    press(page, "Resume")
    phase(page, "Running")

    page.get_by_test_id("stMain").get_by_role("button", name="Change").first.click()
    expect(page.get_by_text("From now on", exact=True)).to_be_visible()
    box = page.get_by_role("textbox", name="Discrepant rate α", exact=True).last
    box.fill("3")
    box.press("Enter")
    page.get_by_role("button", name="Change now").click()
    other = f"new URLSearchParams(location.search).get('run') !== '{first}'"
    page.wait_for_function(other)
    child = find(query_of(page)["run"], server.runs)
    (change,) = child.config.schedule
    assert change.rates == {"alpha": 3.0}
    until(lambda: len(child.rows()) and child.rows()[-1, 0] > change.step, "it goes on")
    child.ask(CANCEL)
    phase(page, "Cancelled")
    expect(page.get_by_role("heading", name="Accuracy, and what it took")).to_be_visible()

    card = page.locator("[data-panel='losses']")
    card.get_by_role("button", name="Export").click()
    card.get_by_role("menuitem", name="For a paper").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("SVG", exact=True).click()
    with page.expect_download() as download:
        dialog.get_by_role("button", name="Save SVG").click()
    saved = download.value
    assert saved.suggested_filename == f"losses_{child.key}.svg"
    assert b"cross-entropy" in saved.path().read_bytes()

    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    account(page).get_by_role("link", name="Split the lead into its causes").click()
    expect(page.get_by_text("There is no gain over")).to_have_count(0)
    expect(page.get_by_text("Digits,\u00a010\u00a0classes")).to_be_visible()
    expect(button(page, "Measure")).to_be_visible()
    assert query_of(page)["problem"] == "digits"
    page.get_by_role("link", name="Change settings").click()
    expect(page.get_by_role("heading", name="networks tell 10 classes apart")).to_be_visible()


@pytest.mark.slow
def test_a_file_of_ones_own_is_uploaded_and_trained_on(
    tmp_path: Path, page_at: Callable[[int], Page], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that lacks its labels is refused in a sentence, and the next one is taken."""
    monkeypatch.delenv("DLN_SHARED", raising=False)
    monkeypatch.setenv("DLN_DATA", str(tmp_path / "data"))
    labels = np.arange(120) // 40
    rows = np.random.default_rng(0).normal(size=(120, 5)) + 3 * np.eye(5)[labels]
    np.savez(tmp_path / "rows.npz", images=rows)
    np.savez(tmp_path / "flowers.npz", images=rows, labels=labels, classes=["a", "b", "c"])
    page = page_at(1400)
    with served(ROOT / "app.py", tmp_path) as server:
        page.goto(f"{server.address}/Nonlinear")
        page.get_by_role("button", name="Your own data").click()
        upload = page.locator("input[type=file]")
        upload.set_input_files(tmp_path / "rows.npz")
        why = "rows.npz cannot be used: it needs the arrays images and labels, and has 'images'."
        expect(page.get_by_text(why)).to_be_visible()
        upload.set_input_files(tmp_path / "flowers.npz")
        expect(page.get_by_role("heading", name="tell 3 classes apart")).to_be_visible()
        expect(page.get_by_text(why)).to_have_count(0)
        press(page, "Train")
        phase(page, "Done")
        account(page)
        told = page.get_by_text("mean accuracy of the last 7 records on held-out images is")
        expect(told).to_contain_text(" % for the compressed network")
