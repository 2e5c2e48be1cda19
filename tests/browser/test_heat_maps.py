"""Panels that are no lines: heat maps and surfaces follow the cursor, finished or live."""

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from dynamics.core.cells import halves, packed, shape
from dynamics.core.config import Config
from dynamics.core.pictures import of_modes
from dynamics.runs import pictures
from dynamics.runs.run import Run
from dynamics.runs.start import start
from tests.browser.conftest import FLAGS, MOST, Server, chromium
from tests.browser.recorder import Recorder
from tests.browser.test_cursor import button, stands_at
from tests.browser.test_stream import received
from tests.support.make import until

pytestmark = pytest.mark.xdist_group("charts")
SEEDS = itertools.count(12_001)  # each test has a run of its own
Open = Callable[..., Page]
SURFACE = "spectrum_over_time/original"
WEBGL = ["--use-angle=swiftshader", "--enable-unsafe-swiftshader"]


@pytest.fixture
def config() -> Config:
    """The settings of a run that no other test has."""
    return Config(rows=40, cols=30, steps=1000, record_every=1, seed_target=next(SEEDS))


class Mapper(Recorder):
    """A recorder whose maps are all of one value: step/1000 originally, twice that compressed."""

    def write(self, count: int, **more: Any) -> None:
        cells = np.ones(shape(self.config))
        (self.run.folder / "goal.f2").write_bytes(halves(2 * cells))
        with open(self.run.folder / "maps.f2", "ab") as file:
            for step in range(self.written, self.written + count):
                file.write(packed(step, [cells * step / 1000, cells * step / 500]))
        super().write(count, **more)


def see(page: Page, server: Server, recorder: Recorder, panels: str) -> None:
    """Open panels of a run and wait until they hold all of it."""
    page.goto(f"{server.address}/?run={recorder.config.key}&panels={panels}")
    page.locator(".dln-card").first.wait_for()
    until(lambda: received(page) == recorder.written, what="all records")


def title(page: Page) -> Any:
    return page.locator("[data-panel='heat_maps'] .dln-title")


def greens(page: Page) -> list[int]:
    """How far the middle of each map is from white, in its red."""
    found: list[int] = page.evaluate(
        """() => [...document.querySelectorAll(".dln-tiles canvas")].map(
            (map) => 255 - map.getContext("2d").getImageData(9, 9, 1, 1).data[0])"""
    )
    return found


def test_heat_maps_follow_a_scrub(charts: Server, config: Config, page_at: Open) -> None:
    """Title and colours are those of the cursor's record, wherever it is dragged."""
    recorder, page = Mapper(charts.runs, config), page_at(1400)
    recorder.write(1001)
    recorder.end()
    see(page, charts, recorder, "heat_maps")
    expect(title(page)).to_have_text("Heat maps of W at step 1,000")
    box = page.locator(".dln-scrub input").bounding_box()
    assert box
    page.mouse.move(box["x"] + 0.9 * box["width"], box["y"] + box["height"] / 2)
    page.mouse.down()
    for share in (0.7, 0.4, 0.25):
        page.mouse.move(box["x"] + share * box["width"], box["y"] + box["height"] / 2, steps=4)
        step = int(float(page.locator(".dln-scrub input").input_value()))
        expect(title(page)).to_have_text(f"Heat maps of W at step {step}")
        # Green is red's lack: the goal, 2, has all of it, and zero none.
        values = [step / 1000, 2 - step / 1000, step / 500, 2 - step / 500, 2]
        wanted = [255 * value / 2 for value in values]
        shown = greens(page)
        assert [shown[0], shown[2], shown[4]] == pytest.approx(wanted[::2], abs=2)
    page.mouse.up()
    button(page, "Step back").click()
    expect(title(page)).to_have_text(f"Heat maps of W at step {step - 1}")


def test_heat_maps_go_along_with_a_live_run_and_stand_at_the_cursor(
    charts: Server, config: Config, page_at: Open
) -> None:
    recorder, page = Mapper(charts.runs, config), page_at(390)
    recorder.write(200)
    see(page, charts, recorder, "heat_maps")
    expect(title(page)).to_have_text("Heat maps of W at step 199")
    recorder.write(100)
    expect(title(page)).to_have_text("Heat maps of W at step 299")
    page.keyboard.press("ArrowLeft")
    stands_at(page, 298)
    expect(title(page)).to_have_text("Heat maps of W at step 298")
    before = greens(page)
    recorder.write(300)
    until(lambda: received(page) == 600)
    expect(title(page)).to_have_text("Heat maps of W at step 298")
    assert greens(page) == before
    button(page, "Follow the newest record").click()
    expect(title(page)).to_have_text("Heat maps of W at step 599")
    recorder.end()


def test_a_saved_file_has_the_maps_of_the_cursor(
    charts: Server, config: Config, page_at: Open
) -> None:
    """CSV holds every cell."""
    recorder, page = Mapper(charts.runs, config), page_at(1024)
    recorder.write(1001)
    recorder.end()
    see(page, charts, recorder, "heat_maps")
    button(page, "Step back").click()
    expect(title(page)).to_have_text("Heat maps of W at step 999")
    page.get_by_role("button", name="Export: Heat maps of W").click()
    with page.expect_download() as saved:
        page.get_by_role("menuitem", name="CSV, the numbers").click()
    lines = saved.value.path().read_text().splitlines()
    assert lines[0] == "map,row,column,value" and len(lines) == 1 + 5 * 40 * 30
    assert float(lines[1].split(",")[-1]) == pytest.approx(0.999, rel=1e-3)


def test_a_panel_without_numbers_says_what_the_run_lacks(
    charts: Server, config: Config, page_at: Open
) -> None:
    """An old run has neither maps nor invariants; its other charts stand as ever."""
    recorder, page = Recorder(charts.runs, config), page_at(1024)
    recorder.write(11)
    recorder.end()
    see(page, charts, recorder, "heat_maps,balance,recovery_error")
    card = "[data-panel='{}']"
    expect(page.locator(card.format("heat_maps"))).to_contain_text("without heat maps")
    expect(page.locator(card.format("balance"))).to_contain_text("does not record balance")
    page.locator(f"{card.format('recovery_error')} .svg-container").first.wait_for()


@pytest.fixture
def deep(browser: Browser) -> Iterator[Page]:
    """A page in a browser that draws in three dimensions without a graphics card."""
    flags = [flag for flag in FLAGS if flag != "--disable-gpu"] + WEBGL
    started = browser.browser_type.launch(executable_path=chromium(), args=flags)
    page = started.new_page(viewport={"width": 1400, "height": 950})
    page.set_default_timeout(MOST)
    yield page
    started.close()


def plot(page: Page, expression: str) -> Any:
    """Something of the surface's Plotly chart."""
    return page.evaluate(
        f"""() => {{ const plot = document.querySelector("[data-panel='{SURFACE}'] .dln-plot");
            return {expression}; }}"""
    )


@pytest.mark.slow
def test_the_surface_keeps_its_camera_and_lights_the_cursor_s_slice(
    charts: Server, config: Config, deep: Page
) -> None:
    """Records that come later change neither the view nor the slice; a hundred rows at most."""
    recorder = Recorder(charts.runs, config)
    recorder.write(300)
    see(deep, charts, recorder, SURFACE)
    until(lambda: plot(deep, "plot.data?.[0].x.at(-1)") == 299)
    camera = {"eye": {"x": 2.0, "y": 0.5, "z": 0.25}}
    deep.evaluate(
        """([panel, camera]) => Plotly.relayout(
            document.querySelector(`[data-panel='${panel}'] .dln-plot`),
            { "scene.camera": camera })""",
        [SURFACE, camera],
    )
    deep.keyboard.press("Shift+ArrowLeft")
    stands_at(deep, 289)
    until(lambda: plot(deep, "plot.data[1].x[0]") == 289)
    recorder.write(400)
    until(lambda: plot(deep, "plot.data[0].x.at(-1)") == 699)
    assert plot(deep, "plot.data[0].x.length") == 100
    assert plot(deep, "plot.layout.scene.camera.eye") == camera["eye"]
    names, row = recorder.run.layout.names, recorder.run.rows()[289]
    stored = [row[names.index(f"original.singular_values.{i}")] for i in range(1, 11)]
    assert plot(deep, "[...plot.data[1].z]") == pytest.approx(stored, rel=1e-6)
    assert plot(deep, "plot.data[1].x[0]") == 289
    recorder.end()


def test_without_webgl_a_sentence_stands_in_place_of_the_surface(
    charts: Server, config: Config, page_at: Open
) -> None:
    recorder, page = Recorder(charts.runs, config), page_at(1024)
    recorder.write(11)
    recorder.end()
    page.add_init_script(
        """const real = HTMLCanvasElement.prototype.getContext;
        HTMLCanvasElement.prototype.getContext = function (kind, ...more) {
            return kind.includes("webgl") ? null : real.call(this, kind, ...more); };"""
    )
    see(page, charts, recorder, SURFACE)
    expect(page.locator(f"[data-panel='{SURFACE}']")).to_contain_text("WebGL is off")
    page.close()


def test_a_picture_is_filled_at_the_cursor(charts: Server, page_at: Open) -> None:
    """Grey values and scores are the run's; modes are added one by one; the best moment is found.

    Compressed it overfits: its PSNR is highest in the middle of the run.
    """
    settings = {"problem": "photograph", "rows": 24, "cols": 32, "rank": 3, "rank_bound": 8}
    config = Config.from_dict(settings | {"steps": 3000, "observed": 0.3, "holes": "scratches"})
    run = start(config, charts.runs)
    until(lambda: run.status.phase == "done")
    page = page_at(1400)
    page.goto(f"{charts.address}/?run={run.key}&panels=picture,psnr")
    tiles = page.locator(".dln-pictures figure")
    expect(tiles).to_have_count(6)
    last = run.trajectories[1].series
    told = f"{last['psnr'][-1]:.1f} dB, SSIM {last['ssim'][-1]:.3f}"
    expect(tiles.nth(2).locator(".dln-score")).to_have_text(told)
    expect(tiles.nth(0).locator(".dln-score")).to_be_empty()
    read = """(tile) => {
        const { width, height } = tile;
        const data = tile.getContext("2d").getImageData(0, 0, width, height).data;
        return [...data].filter((_, place) => place % 4 === 0);
    }"""
    canvas = tiles.nth(2).locator("canvas")

    def shows(wanted: np.ndarray) -> bool:
        return bool((np.array(canvas.evaluate(read)) == wanted.ravel()).all())

    until(lambda: shows(pictures.at_step(run)[1].values), what="the completed picture")
    until(lambda: tiles.nth(5).locator("canvas").evaluate(read) == pictures_truth(run))
    found = pictures.matrices(run, 3000, 2)
    assert found
    page.get_by_label("Modes of W that are added up").fill("2")
    until(lambda: shows(of_modes(found[1][1], 2)), what="the first two modes")
    best = int(last["psnr"].argmax())
    assert 0 < best < len(last["psnr"]) - 1
    tiles.nth(2).get_by_role("button").click()
    expect(page.locator("[data-panel='picture'] .dln-title")).to_have_text(
        f"The picture at step {run.trajectories[1].steps[best]:,.0f}"
    )


def pictures_truth(run: Run) -> list[int]:
    still = pictures.still(run)
    assert still
    return [int(value) for value in still.truth.ravel()]
