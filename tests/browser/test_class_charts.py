"""Charts of runs that tell classes apart: matrices, points and names of modes move with the run."""

import itertools
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from dynamics.core.records import Array, Layout, Record
from tests.browser.conftest import Server
from tests.browser.recorder import Recorder
from tests.browser.test_cursor import button
from tests.browser.test_stream import received
from tests.support.classes import FACTS, records, settings
from tests.support.make import until

pytestmark = pytest.mark.xdist_group("charts")
SEEDS = itertools.count(14_001)  # each test has a run of its own
PANELS = "accuracy,confusion,inner_coordinates/compressed,inner_coordinates/original"
CARD = "[data-panel='{}']"


class Teller(Recorder):
    """A recorder of networks that tell three classes apart."""

    def records(self, number: int) -> dict[str, Record]:
        return records(number)

    def target(self) -> Array:
        return np.empty(0)

    def begin(self) -> None:
        self.layout = Layout.of(self.records(0), FACTS)
        super().begin()


def shades(page: Page) -> list[list[int]]:
    """Red, green and blue of the first two entries of each network's confusion."""
    found: list[list[int]] = page.evaluate(
        """() => [...document.querySelectorAll("[data-panel='confusion'] canvas")].flatMap(
            (map) => [0, 1].map((x) => [...map.getContext("2d").getImageData(x, 0, 1, 1).data]))"""
    )
    return found


def points(page: Page) -> Any:
    """x of all points of the compressed network, class by class."""
    return page.evaluate(
        """() => document.querySelector("[data-panel='inner_coordinates/compressed'] .dln-plot")
            .data.flatMap(({ x }) => [...x])"""
    )


def test_confusion_and_inner_coordinates_move_with_the_run_and_the_cursor(
    charts: Server, page_at: Callable[[int], Page]
) -> None:
    """The stream alone fills them; a wide network has no panel of coordinates."""
    recorder, page = Teller(charts.runs, settings(seed_data=next(SEEDS))), page_at(1400)
    recorder.write(501)
    page.goto(f"{charts.address}/?run={recorder.config.key}&panels={PANELS}")
    page.locator(".dln-card").first.wait_for()
    until(lambda: received(page) == 501, what="all records")
    title = page.locator(f"{CARD.format('confusion')} .dln-title")
    cloud = page.locator(f"{CARD.format('inner_coordinates/compressed')} .dln-title")
    expect(title).to_have_text("Confusion of classes at step 500")
    expect(cloud).to_have_text("Inner coordinates: compressed at step 500")
    expect(page.locator(CARD.format("inner_coordinates/original"))).to_be_hidden()
    order = [0, 3, 1, 4, 7, 2, 5, 6]  # images, class by class
    assert points(page) == pytest.approx([0.5 * image for image in order], rel=1e-6)
    recorder.write(401)
    expect(title).to_have_text("Confusion of classes at step 901")
    expect(cloud).to_have_text("Inner coordinates: compressed at step 901")
    right, wrong = shades(page)[:2]
    assert right[1] > right[0] + 80 and wrong[1] < wrong[0] and min(wrong[:3]) > 200
    page.keyboard.press("Shift+ArrowLeft")  # ten of the rows that the stream did not skip
    where = page.locator(".dln-where")
    expect(where).to_have_text(re.compile("step [78]"))
    step = int(where.inner_text().split()[1])
    expect(cloud).to_have_text(f"Inner coordinates: compressed at step {step}")
    assert points(page) == pytest.approx([step / 1000 * image for image in order], rel=1e-6)
    recorder.write(99)
    until(lambda: received(page) == 1001)
    expect(title).to_have_text(f"Confusion of classes at step {step}")
    button(page, "Follow the newest record").click()
    expect(title).to_have_text("Confusion of classes at step 1,000")
    recorder.end()
    mean = page.locator(f"{CARD.format('accuracy')} .dln-key").first
    expect(mean).to_have_text("original 0.997")


@pytest.mark.slow
def test_modes_are_named_by_their_classes(charts: Server, page_at: Callable[[int], Page]) -> None:
    """Those that have grown; pointing at one lights it."""
    recorder, page = Teller(charts.runs, settings(seed_data=next(SEEDS))), page_at(1024)
    recorder.write(1001)
    recorder.end()
    page.goto(f"{charts.address}/?run={recorder.config.key}&panels=singular_values/original")
    names = page.locator(".dln-mode:not([hidden])")
    expect(names).to_have_text(["σ₁ cat | dog", "σ₂ fox | the rest"])
    names.first.click()
    expect(page.get_by_role("combobox", name="Mode")).to_have_value("1")
