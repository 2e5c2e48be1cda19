"""The export dialog: its preview is the file; nothing runs on for nobody."""

import base64
import contextlib
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from dynamics.draw import panel
from dynamics.export import export
from dynamics.export.render import html
from dynamics.runs.run import Run
from dynamics.runs.start import start
from tests.browser.conftest import Server
from tests.support.make import small, until

pytestmark = pytest.mark.xdist_group("pages")
Open = Callable[[int], Page]


@pytest.fixture
def run(server: Server) -> Run:
    started = start(small(seed_target=4, problem="factorization"), server.runs)
    until(lambda: started.status.phase == "done")
    return started


def opened(page: Page, server: Server, run: Run) -> Locator:
    """The dialog of the run's recovery error, from the chart's own menu."""
    page.goto(f"{server.address}/?run={run.key}")
    card = page.locator("[data-panel='recovery_error']")
    card.wait_for(state="attached")
    tab = page.get_by_role("tab", name="Recovery error")
    if tab.is_visible():  # on a telephone, one chart is seen at a time
        tab.click()
    card.get_by_role("button", name="Export").click()
    card.get_by_role("menuitem", name="For a paper").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    return dialog


def saved(page: Page, dialog: Locator, name: str) -> tuple[str, bytes]:
    with page.expect_download() as download:
        dialog.get_by_role("button", name=name).click()
    return download.value.suggested_filename, Path(download.value.path()).read_bytes()


def drawing(server: Server) -> list[psutil.Process]:
    """The processes that draw for this server, browsers included."""
    found = []
    for each in psutil.Process(server.process.pid).children(recursive=True):
        with contextlib.suppress(psutil.Error):  # it ends while it is looked at
            if "chrom" in each.name() or "picture" in str(each.cmdline()):
                found.append(each)
    return found


@pytest.mark.slow
def test_preview_is_the_file_and_cancel_leaves_nothing_running(
    server: Server, page_at: Open, run: Run
) -> None:
    """Cancel at first; then another format: what is seen is what is saved, byte for byte."""
    page = page_at(1400)
    dialog = opened(page, server, run)
    until(lambda: any("chrom" in each.name() for each in drawing(server)))
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog.get_by_text("Cancelled")).to_be_visible()
    until(lambda: not drawing(server), "nothing draws")
    dialog.get_by_text("SVG", exact=True).click()
    picture = dialog.locator("img.export")
    expect(picture).to_be_visible()
    source = str(picture.get_attribute("src"))
    name, content = saved(page, dialog, "Save SVG")
    assert name == f"recovery_error_{run.key}.svg"
    assert source == f"data:image/svg+xml;base64,{base64.b64encode(content).decode()}"
    assert b'width="3.25in"' in content and b"--rank-bound 4" in content  # and its command
    assert server.host.encode() not in content
    dialog.get_by_text("TikZ", exact=True).click()
    name, content = saved(page, dialog, "Save TikZ")
    assert name.endswith(".tex") and b"\\addplot" in content


@pytest.mark.slow
def test_heat_maps_are_exported_as_they_are_seen(server: Server, page_at: Open, run: Run) -> None:
    """At the cursor's moment, as a picture and as words of a paper."""
    page = page_at(1024)
    page.goto(f"{server.address}/?run={run.key}&charts=heat_maps&at=20")
    card = page.locator("[data-panel='heat_maps']")
    expect(card.locator(".dln-title")).to_have_text("Heat maps of W at step 20")
    card.get_by_role("button", name="Export").click()
    card.get_by_role("menuitem", name="For a paper").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("SVG", exact=True).click()
    name, content = saved(page, dialog, "Save SVG")
    assert name == f"heat_maps_{run.key}.svg" and b"at step 20" in content
    dialog.get_by_text("TikZ", exact=True).click()
    name, content = saved(page, dialog, "Save TikZ")
    assert name == f"heat_maps_{run.key}.tex" and b"Heat maps of W at step 20" in content


@pytest.mark.slow
def test_a_film_of_heat_maps_is_saved_from_the_page(
    server: Server, page_at: Open, run: Run
) -> None:
    page = page_at(1024)
    page.goto(f"{server.address}/?run={run.key}&charts=heat_maps&at=20")
    card = page.locator("[data-panel='heat_maps']")
    card.get_by_role("button", name="Export").click()
    card.get_by_role("menuitem", name="For a paper").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("GIF", exact=True).click()
    name, content = saved(page, dialog, "Save GIF")
    film: Any = Image.open(io.BytesIO(content))
    assert name == f"heat_maps_{run.key}.gif" and film.n_frames > 5


def test_a_page_stands_alone(page_at: Open, run: Run, tmp_path: Path) -> None:
    """Opened from a disk without a network, every chart is drawn; 0.8 MB at most."""
    content = export.export(run, "html")
    assert len(content) < 8e5
    (tmp_path / "run.html").write_bytes(content)
    page = page_at(1024)
    page.context.set_offline(True)
    page.goto((tmp_path / "run.html").as_uri())
    page.wait_for_selector(".js-plotly-plot .scatterlayer .trace path >> nth=3", state="attached")
    expect(page.locator(".js-plotly-plot .main-svg >> nth=0")).to_be_visible()
    assert page.locator(".js-plotly-plot").count() == content.count(b"<div class")
    page.context.set_offline(False)


def test_a_page_of_unlike_charts_draws_each_with_its_own_part_of_the_library(
    page_at: Open, run: Run, tmp_path: Path
) -> None:
    drawn = (panel.of_runs([run], name) for name in ("spectrum_over_time", "losses", "heat_maps"))
    body = "".join(map(html.chart, drawn))
    (tmp_path / "page.html").write_text(html.page("Charts", body))
    page = page_at(1024)
    page.goto((tmp_path / "page.html").as_uri())
    page.wait_for_selector(".scatterlayer .trace path >> nth=1", state="attached")
    page.wait_for_selector(".heatmaplayer image >> nth=1", state="attached")
    page.wait_for_selector(".gl-container canvas", state="attached")


@pytest.mark.parametrize("width", [390])
@pytest.mark.slow
def test_dialog_fits_a_phone(server: Server, page_at: Open, run: Run, width: int) -> None:
    """The PDF's preview is drawn from the PDF; nothing is wider than the screen."""
    page = page_at(width)
    dialog = opened(page, server, run)
    expect(dialog.locator("img.export")).to_be_visible()
    box = dialog.locator("img.export").bounding_box()
    assert box and box["x"] >= 0 and box["x"] + box["width"] <= width
    assert saved(page, dialog, "Save PDF")[1].startswith(b"%PDF")


@pytest.mark.slow
def test_script_is_checked_before_the_viewer_s_eyes(
    server: Server, page_at: Open, run: Run
) -> None:
    page = page_at(1024)
    page.goto(f"{server.address}/?run={run.key}")
    page.get_by_role("button", name="Export", exact=False).first.click()
    page.get_by_role("button", name="Check the script").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("Every number agrees.")).to_be_visible()
    name, content = saved(page, dialog, "Save the script")
    assert name == f"run-{run.key}.py" and b"TOLERANCE = 1e-08" in content


@pytest.mark.slow
def test_compared_runs_are_exported(server: Server, page_at: Open, run: Run) -> None:
    """Saved runs: the same dialog, for a chart that Streamlit draws."""
    from tests.browser.test_visit import tick_first_row

    page = page_at(1400)
    page.goto(f"{server.address}/Saved_runs")
    tick_first_row(page)
    page.get_by_role("button", name="For a paper").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.locator("img.export")).to_be_visible()
