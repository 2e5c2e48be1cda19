"""Data of one's own on the first page: a picture and a matrix, uploaded, trained, by link alone."""

import csv
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from dynamics.data.own_picture import PictureId
from dynamics.runs.run import find
from tests.browser.conftest import MOST, ROOT, Server, served
from tests.browser.test_visit import phase, press, query_of

pytestmark = pytest.mark.xdist_group("pages")
RNG = np.random.default_rng(5)


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """The app with a folder of its own for what is imported."""
    monkeypatch.delenv("DLN_SHARED", raising=False)
    monkeypatch.setenv("DLN_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("STREAMLIT_BROWSER_SERVER_ADDRESS", "elsewhere.localhost")
    runs = tmp_path / "runs"
    runs.mkdir()
    with served(ROOT / "app.py", runs) as server:
        yield server


def elsewhere(server: Server) -> str:
    """The app's address as another machine's browser would have it: no page of this machine."""
    return f"http://elsewhere.localhost:{server.host.rpartition(':')[2]}"


def upload(page: Page, file: Path) -> str:
    """Bring a file of one's own to the first page; returns its id, which the address has."""
    page.get_by_role("button", name="Your own data").click()
    page.locator("input[type=file]").set_input_files(file)
    page.wait_for_function("new URLSearchParams(location.search).get('dataset')")
    return query_of(page)["dataset"]


def test_a_picture_of_ones_own_is_seen_by_who_has_its_link(
    own: Server, browser: Browser, tmp_path: Path
) -> None:
    """Uploaded, trained as the problem of pictures, listed here and not for others."""
    across, down = np.meshgrid(np.arange(60), np.arange(40))
    grey = 128 + 60 * np.sin(across / 9) * np.cos(down / 7) + 40 * (across > 30)
    Image.fromarray(grey.astype(np.uint8)).save(tmp_path / "holiday.jpg", quality=95)
    address = elsewhere(own)
    mine, other = browser.new_context(), browser.new_context()
    for each in (mine, other):
        each.set_default_timeout(MOST)
    try:
        page = mine.new_page()
        page.goto(address)
        dataset = upload(page, tmp_path / "holiday.jpg")
        identity = PictureId.read(dataset)
        assert identity and identity.name == "holiday" and identity.shape == (40, 60)
        page.goto(f"{address}/?problem=own_picture&dataset={dataset}&steps=100&record_every=20")
        press(page, "Train")
        phase(page, "Done")
        key = query_of(page)["run"]
        assert find(key, own.runs).config.dataset == dataset
        page.wait_for_function("document.querySelector('[data-panel=picture] canvas')?.width > 0")
        page.wait_for_function("document.cookie.includes('dln_known=')")

        page.goto(f"{address}/Saved_runs")
        expect(page.get_by_text("Tick runs to open")).to_be_visible()
        expect(page.get_by_test_id("stDataFrame")).to_be_visible()
        expect(page.get_by_text("Runs of somebody's own picture")).to_have_count(0)

        stranger = other.new_page()
        stranger.goto(f"{address}/Saved_runs")
        expect(stranger.get_by_text("Runs of somebody's own picture")).to_be_visible()
        expect(stranger.get_by_test_id("stDataFrame")).to_have_count(0)
        stranger.goto(f"{address}/?run={key}")
        phase(stranger, "Done")
        stranger.wait_for_function("document.cookie.includes('dln_known=')")
        stranger.goto(f"{address}/Saved_runs")
        expect(stranger.get_by_test_id("stDataFrame")).to_be_visible()
    finally:
        mine.close()
        other.close()


def test_ratings_of_ones_own_are_uploaded_trained_and_completed(
    own: Server, page_at: Callable[[int], Page], tmp_path: Path
) -> None:
    """A file that is none is refused in a sentence; the completed matrix is saved from the menu."""
    low = RNG.normal(size=(20, 2)) @ RNG.normal(size=(2, 15))
    lines = [
        f"u{row}\tf{col}\t{low[row, col]:.4f}"
        for row, col in np.ndindex(low.shape)
        if (row + 2 * col) % 3
    ]
    (tmp_path / "bad.csv").write_text("one line\n")
    (tmp_path / "films.tsv").write_text("\n".join(["user\titem\trating", *lines]))
    page = page_at(1400)
    page.goto(own.address)
    page.get_by_role("button", name="Your own data").click()
    page.locator("input[type=file]").set_input_files(tmp_path / "bad.csv")
    expect(page.get_by_text("bad.csv cannot be used: it has 1 line, and")).to_be_visible()
    page.locator("input[type=file]").set_input_files(tmp_path / "films.tsv")
    expect(page.get_by_text("bad.csv cannot be used")).to_have_count(0)
    page.wait_for_function("new URLSearchParams(location.search).get('dataset')")
    dataset = query_of(page)["dataset"]
    assert re.match(rf"films-20x15-{len(lines)}e-\d+r-", dataset)
    page.goto(f"{own.address}/?problem=own_matrix&dataset={dataset}&steps=500")
    press(page, "Train")
    phase(page, "Done")
    press(page, "Export")
    with page.expect_download() as saving:
        page.get_by_role("button", name="Completed matrix (CSV)").click()
    head, *rows = csv.reader(saving.value.path().read_text().splitlines())
    assert len(rows) == 20 and len(head) == 16 and all(map(float, rows[7][1:]))
    row, col = rows[4][0], head[3]
    assert (
        float(rows[4][3]) == pytest.approx(low[int(row[1:]), int(col[1:])], abs=1e-4)
        or (int(row[1:]) + 2 * int(col[1:])) % 3 == 0
    )
