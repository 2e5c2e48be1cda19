"""One screen: what is seen without scrolling, and that nothing moves by itself."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from dynamics.core.config import Config
from dynamics.runs.run import Run
from dynamics.runs.start import start
from tests.browser.conftest import Server
from tests.browser.test_visit import LONG, SMALL, phase, press, visit
from tests.support.few import few
from tests.support.make import until

pytestmark = pytest.mark.xdist_group("visit")
MOVES = 8  # pixels by which a part may move at most
PARTS = (".st-key-act", ".dln-phase", ".st-key-tools", ".dln-grid", ".dln-transport", ".dln-news")
BOXES = """(names) => Object.fromEntries(names.flatMap((name) =>
  [...document.querySelectorAll(name)].map((part, place) => {
    const { x, y, right, bottom } = part.getBoundingClientRect();
    return [`${name} ${place}`, [x, y, right, bottom]];
  })))"""


def boxes(page: Page, *names: str) -> dict[str, list[float]]:
    """Left, top, right and bottom of all parts with these names that are seen."""
    found = page.evaluate(BOXES, list(names)).items()
    return {name: box for name, box in found if box[2] > box[0] and box[3] > box[1]}


def stands(page: Page, before: dict[str, list[float]]) -> None:
    """No part has moved or grown since ``before``."""
    page.wait_for_function("document.querySelector('.stApp').dataset.testScriptState !== 'running'")
    now = boxes(page, *PARTS, ".dln-card")
    assert {name for name in before if name not in now} == set()
    moved = {
        name: (box, now[name])
        for name, box in before.items()
        if any(abs(a - b) > MOVES for a, b in zip(box, now[name], strict=True))
    }
    assert not moved


@pytest.mark.parametrize(
    ("width", "height", "charts"), few([(1024, 768, 4), (1400, 1000, 4), (390, 844, 1)], 1)
)
def test_all_of_a_run_is_on_one_screen_and_stands_still(
    server: Server, page_at: Callable[[int], Page], width: int, height: int, charts: int
) -> None:
    """Live, with another slider, stopped, and trained anew: whole charts, status and transport."""
    page = page_at(width)
    page.set_viewport_size({"width": width, "height": height})
    visit(page, server, f"{LONG}&seed_data={width}")
    press(page, "Train")
    phase(page, "Running")
    page.wait_for_function("document.querySelector('.dln')?.dlnStats?.frames > 3")
    seen = boxes(page, *PARTS, ".dln-card")
    whole = [box for name, box in seen.items() if "card" in name and box[3] <= height]
    foot = seen[".dln-transport 0"]
    assert len(whole) == charts and max(box[3] for box in whole) <= foot[1]
    assert foot[3] <= height and all(0 <= box[0] < box[2] <= width for box in seen.values())
    assert page.evaluate("document.querySelector('[data-testid=stMain]').scrollTop") == 0
    if width > 500:  # on a telephone, the settings lie over the page
        slider = page.get_by_role("slider", name="Depth L")
        slider.focus()
        slider.press("ArrowRight")
        expect(page.get_by_text("settings differ from those chosen now")).to_be_visible()
        stands(page, seen)
        press(page, "Back to the run's settings")
        expect(page.get_by_text("settings differ from those chosen now")).to_have_count(0)
        stands(page, seen)
    press(page, "Stop")
    phase(page, "Cancelled")
    stands(page, seen)
    press(page, "Go on")
    phase(page, "Running")
    stands(page, seen)
    press(page, "Stop")
    phase(page, "Cancelled")


GROWN = """() => [...document.querySelectorAll("canvas.dln-canvas")].map((canvas) => {
  const { width, height } = canvas;
  const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
  let right = 0;
  for (let place = 3; place < data.length; place += 4)
    if (data[place]) right = Math.max(right, (place >> 2) % width);
  return right / width;
})"""  # how far to the right the lines on each canvas reach


FITS = """() => [...document.querySelectorAll(".dln-plot")].every((plot) =>
  Math.abs(plot.querySelector(".main-svg").getBoundingClientRect().bottom -
    plot.getBoundingClientRect().bottom) < 2)"""  # no chart is cut off by its card


def test_what_was_computed_before_is_seen_to_grow(
    server: Server, page_at: Callable[[int], Page]
) -> None:
    """Whoever trains it second sees lines that end at the cursor, and can skip to the end."""
    query = "&".join(f"{name}={value}" for name, value in (SMALL | {"seed_init": 5}).items())
    query += "&record_every=1"
    run = start(Config.from_dict(SMALL | {"seed_init": 5, "record_every": 1}), server.runs)
    until(lambda: run.status.phase == "done")
    page = visit(page_at(1400), server, query)
    press(page, "Train")
    expect(page.get_by_text("Computed before: this is a replay.")).to_be_visible()
    press(page, "Pause the replay")
    page.wait_for_function(f"({GROWN})().every((right) => right > 0.1)")
    place = float(page.locator(".dln-scrub input").input_value())
    assert 0 <= place < 200
    page.wait_for_function(FITS)  # below the values at the cursor, too
    lit = page.evaluate(GROWN)
    assert max(lit) < 0.9  # the future is hidden
    assert page.locator(".dln-painted").count() == 4
    press(page, "Show faintly what a replay has not reached")
    assert page.locator(".dln-ahead").count() == 4
    press(page, "Skip to the end")
    expect(page.get_by_text("Computed before: this is a replay.")).to_have_count(0)
    expect(page.locator(".dln-painted")).to_have_count(0)
    expect(page.locator(".dln-where")).to_have_text("newest")
    page.wait_for_function("!location.search.includes('at=')")
    page.reload()
    phase(page, "Done")
    expect(page.locator(".dln-where")).to_have_text("newest")  # it is played once


@pytest.mark.parametrize(
    ("panels", "rows"),
    few(
        [
            ("losses,singular_values/original,singular_values/compressed", [1, 2]),
            ("losses,singular_values/original,singular_values/compressed,leak", [2, 2]),
            ("singular_values/original,singular_values/compressed,losses,leak", [2, 2]),
            ("singular_values/original,losses,singular_values/compressed", [1, 2]),
        ],
        2,
    ),
    ids=str,
)
def test_panels_of_one_chart_stay_in_one_row(
    charts: Server, page_at: Callable[[int], Page], panels: str, rows: list[int]
) -> None:
    """Both networks' singular values side by side; a chart beside which none stands is as wide."""
    run = start(Config.from_dict(SMALL | {"rank_bound": 4, "seed_init": 21}), charts.runs)
    until(lambda: run.status.phase == "done")
    page = page_at(1400)
    page.goto(f"{charts.address}/?run={run.key}&panels={panels}")
    page.wait_for_function(f"document.querySelectorAll('.main-svg').length >= {sum(rows)}")
    seen = boxes(page, ".dln-card", ".dln-grid")
    (grid,) = [box for name, box in seen.items() if "grid" in name]
    cards = [box for name, box in seen.items() if "card" in name]
    tops = sorted({round(box[1]) for box in cards})
    assert sorted(sum(round(box[1]) == top for box in cards) for top in tops) == sorted(rows)
    pair = page.evaluate(
        "[...document.querySelectorAll('[data-panel^=singular_values]')]"
        ".map((card) => card.getBoundingClientRect().y)"
    )
    assert abs(pair[0] - pair[1]) < 2
    for top in tops:
        of_row = [box for box in cards if round(box[1]) == top]
        assert min(box[0] for box in of_row) - grid[0] < MOVES
        assert grid[2] - max(box[2] for box in of_row) < MOVES


def test_reasons_of_a_forecast_open_by_touch(
    server: Server, page_at: Callable[[int], Page]
) -> None:
    """On a telephone, a finger on ? shows how sure a prediction is and why, inside the window."""
    page = visit(page_at(390), server)
    sign = page.locator(".expect summary").last
    sign.scroll_into_view_if_needed()
    sign.tap()
    words = page.locator(".expect details[open] p")
    expect(words).to_have_count(1)
    expect(words).to_be_visible()
    box = words.bounding_box()
    assert box and box["x"] >= 0 and box["x"] + box["width"] <= 390
    assert len(words.inner_text().split()) > 2
    sign.tap()
    expect(page.locator(".expect details[open]")).to_have_count(0)


@pytest.mark.parametrize("width", few([390, 1400], 1))
def test_a_run_that_failed_before_its_first_record_says_why_where_charts_would_be(
    server: Server, page_at: Callable[[int], Page], width: int
) -> None:
    """All of it, however long; and the foot stays where it is."""
    config = Config.from_dict(SMALL | {"seed_init": 33, "seed_target": width})
    run = Run(server.runs / config.key)
    run.folder.mkdir()
    run.write("config.json", config.to_dict())
    why = "What was wanted could not be had: " + "this is a long story, " * 8 + "and it ends here."
    run.write("status.json", {"phase": "failed", "message": why, "created": 1.0})
    page = visit(page_at(width), server, f"run={run.key}")
    phase(page, "Failed")
    told = page.locator(".dln-message")
    expect(told).to_have_text(why)
    assert told.evaluate("(it) => it.scrollWidth <= it.clientWidth")
    place, foot = told.bounding_box(), page.locator(".dln-transport").bounding_box()
    window = page.viewport_size
    assert place and foot and window
    assert place["y"] < window["height"] / 4 and place["width"] <= width
    assert foot["y"] + foot["height"] == pytest.approx(window["height"], abs=MOVES)
