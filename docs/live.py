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
from playwright.sync_api import Page, sync_playwright

from dynamics.core.config import Config
from dynamics.runs.start import start
from tests.browser.conftest import FLAGS, chromium, served

ROOT = Path(__file__).parents[1]
CONFIG = Config.from_dict({"problem": "photograph", "rank_bound": 20})
VIEW = {
    "charts": "singular_values,heat_maps",
    "hide": "settings,presets,pictures,forecast,menus,changes,tools,summary",
}
STYLE = (
    ".dln-transport { display: none !important }"  # the cursor's bar is for runs that have ended
)
WINDOW = {"width": 1250, "height": 1000}
WIDTH = 860  # pixels of the picture, about as wide as a README is shown
STRIDE = CONFIG.steps / 80  # steps from one frame to the next, at least
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
        page = browser.new_page(viewport=WINDOW, color_scheme="light")
        page.goto(server.address)  # a first visit is slow: the run must not be ahead of the picture
        page.get_by_role("button", name="Train").wait_for(timeout=60_000)
        run = start(CONFIG, Path(folder))
        page.goto(f"{server.address}/?{urlencode({'run': run.key} | VIEW, safe=',')}")
        frames = list(watch(page))
        browser.close()
    write(frames, ROOT / "docs" / "live.webp")


def watch(page: Page) -> Iterator[Frame]:
    """A frame each time that the run has made ``STRIDE`` steps, and one of its end."""
    charts = page.locator(".dln")
    page.locator(".dln-plot .scatterlayer").first.wait_for(timeout=60_000)
    page.add_style_tag(content=STYLE)
    last, phase = -STRIDE, ""
    while phase != "Done":
        phase = page.locator(".dln-phase").inner_text()
        found = re.search(r"[\d,]+", page.locator(".dln-steps").inner_text())
        step = int(found[0].replace(",", "")) if found else 0
        if phase == "Done":
            page.wait_for_timeout(1_000)  # until the last records are drawn, too
        if step >= last + STRIDE or phase == "Done":
            yield Frame(step, Image.open(io.BytesIO(charts.screenshot())).convert("RGB"))
            last = step


def write(frames: list[Frame], file: Path) -> None:
    """An animated WebP in which time runs evenly in steps, though frames lie unevenly."""
    height = max(frame.picture.height for frame in frames)
    pictures = []
    for frame in frames:
        paper = Image.new("RGB", (frame.picture.width, height), "white")
        paper.paste(frame.picture)
        pictures.append(paper.resize((WIDTH, round(height * WIDTH / paper.width)), Image.LANCZOS))
    steps = [frame.step for frame in frames]
    lengths = [LENGTH * (b - a) / CONFIG.steps for a, b in pairwise(steps)]
    pictures[0].save(
        file,
        save_all=True,
        append_images=pictures[1:],
        duration=[max(20, round(length)) for length in lengths] + [REST],
        loop=0,
        quality=60,
        method=6,
    )
    print(f"{file}: {len(frames)} frames, {file.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
