"""The picture of the README: a real run on the real page, as an animated WebP.

``make picture`` runs this file, which needs Chromium. Both networks fill in a photograph of which
half of the pixels are missing, while headless Chromium takes pictures of the live charts.
"""

import io
import re
import tempfile
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlencode

from PIL import Image
from playwright.sync_api import FloatRect, Page, sync_playwright

from dynamics.core.config import Config
from dynamics.runs.run import PAUSE, RUN
from dynamics.runs.start import start
from tests.browser.conftest import FLAGS, chromium, served

ROOT = Path(__file__).parents[1]
# Half of the rate that the problem suggests, and twice the steps: more frames.
SETTINGS = {"problem": "photograph", "rank_bound": 20, "learning_rate": 15, "steps": 20_000}
CONFIG = Config.from_dict(SETTINGS)
VIEW = {
    "charts": "singular_values,heat_maps",
    "hide": "settings,presets,pictures,forecast,menus,changes,tools,summary",
}
WIDTH, HEIGHT = 1280, 860  # of the window
LIVE = ("", "Connecting", "Queued", "Paused", "Running")  # phases of a run that has not ended
PATIENCE = 120_000  # milliseconds until the page and the first record are there
MARGIN = 4  # pixels around the charts
STRIDE = CONFIG.steps / 90  # steps from one frame to the next, at least
LENGTH = 10_000  # milliseconds for all steps
REST = 3_000  # milliseconds for which the last frame stays


class Frame(NamedTuple):
    """What the page shows, and the last step in it."""

    step: int
    picture: Image.Image


def main() -> None:
    """Train, take pictures and write the file."""
    with (
        tempfile.TemporaryDirectory() as folder,
        served(ROOT / "app.py", Path(folder)) as server,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light")
        run = start(CONFIG, Path(folder))
        run.ask(PAUSE)  # until the page is there
        page.goto(f"{server.address}/?{urlencode({'run': run.key} | VIEW, safe=',')}")
        page.get_by_text("Paused", exact=True).wait_for(timeout=PATIENCE)
        run.ask(RUN)
        page.locator(".dln-plot .scatterlayer").first.wait_for(state="attached", timeout=PATIENCE)
        frames = list(watch(page))
        browser.close()
    write(frames, ROOT / "docs" / "live.webp")


def watch(page: Page) -> Iterator[Frame]:
    """A frame each time that the run has made ``STRIDE`` steps, and one of its end."""
    last, phase = -STRIDE, ""
    while phase in LIVE:
        phase = page.locator(".dln-phase").inner_text()
        found = re.search(r"[\d,]+", page.locator(".dln-steps").inner_text())
        step = int(found[0].replace(",", "")) if found else 0
        if phase not in LIVE:
            page.wait_for_timeout(1_000)  # until the last records are drawn, too
        if step >= last + STRIDE or phase not in LIVE:
            shot = page.screenshot(clip=charts(page))
            yield Frame(step, Image.open(io.BytesIO(shot)).convert("RGB"))
            last = step


def charts(page: Page) -> FloatRect:
    """The part of the page from the run's status to the last chart."""
    boxes = [each.bounding_box() for each in page.locator(".dln-line, .dln-card:visible").all()]
    seen = [box for box in boxes if box]
    left, top = min(box["x"] for box in seen), min(box["y"] for box in seen)
    right = max(box["x"] + box["width"] for box in seen)
    bottom = max(box["y"] + box["height"] for box in seen)
    edge = 2 * MARGIN
    return {
        "x": left - MARGIN,
        "y": top - MARGIN,
        "width": right - left + edge,
        "height": bottom - top + edge,
    }


def write(frames: list[Frame], file: Path) -> None:
    """An animated WebP in which time runs evenly in steps, though frames lie unevenly."""
    size = [max(sides) for sides in zip(*(frame.picture.size for frame in frames), strict=True)]
    pictures = []
    for frame in frames:
        pictures.append(Image.new("RGB", (size[0], size[1]), "white"))
        pictures[-1].paste(frame.picture)
    steps = [frame.step for frame in frames]
    lengths = [LENGTH * (b - a) / CONFIG.steps for a, b in pairwise(steps)]
    pictures[0].save(
        file,
        save_all=True,
        append_images=pictures[1:],
        duration=[max(20, round(length)) for length in lengths] + [REST],
        loop=0,
        quality=70,
        method=4,
    )
    print(f"{file}: {len(frames)} frames, {file.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
