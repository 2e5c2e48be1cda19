"""Access: what axe-core finds on each page, and a walk by keyboard alone."""

import re
from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from dynamics.core.config import Config
from dynamics.draw.look import CONTRAST
from dynamics.runs.run import CANCEL, Run
from dynamics.runs.start import start
from tests.browser.conftest import Server
from tests.browser.test_visit import SMALL, button, phase, visit
from tests.support.few import few
from tests.support.make import endless, until

pytestmark = pytest.mark.xdist_group("visit")
Open = Callable[[int, str], Page]
MOST_TABS = 80
SWEEP = (
    "rows=8&cols=8&rank=2&steps=200&record_every=100&axes=rank_bound,alpha&rank_bound=2:4:2&"
    "alpha=1:3:2&outcome=final&seeds=1"
)
SERIOUS = ("serious", "critical")
PAGES = {
    "Nonlinear": "classes apart",
    "Lessons": "Lessons",
    "Lessons?lesson=plateaus": "1 · Predict",
    "Attribution": "What makes it faster?",
    "Paper_figures": "Figures of the paper",
    "Paper_figures?figure=ablation_alpha": "",
    "Sweeps": "Sweeps",
    f"Sweeps?{SWEEP}&cell=1,0": "Sweeps",
    "Saved_runs": "Saved runs",
    "Glossary": "Glossary",
}


# A page is there and styled: its own style sheet comes a moment after its first words.
SETTLED = """() => document.querySelector('.stApp').dataset.testScriptState !== 'running' &&
  [...document.querySelectorAll('style')].some((each) => each.textContent.includes('.st-key-'))"""


def found(page: Page) -> list[str]:
    """What axe-core calls serious or worse."""
    page.wait_for_function(SETTLED)
    violations = Axe().run(page).response["violations"]
    return [
        f"{each['id']}: {node['html'][:200]}"
        for each in violations
        if each["impact"] in SERIOUS
        for node in each["nodes"]
    ]


def swept(page: Page, server: Server) -> None:
    """Train all runs of SWEEP, unless they are there."""
    page.goto(f"{server.address}/Sweeps?{SWEEP}")
    train = page.get_by_role("button", name="Train 4 runs")
    ended = page.get_by_text("4 of 4 runs, finished.")
    expect(train.or_(ended).first).to_be_visible()
    if train.is_visible():
        train.click()
    expect(ended).to_be_visible()


def trained(server: Server, **changes: object) -> Run:
    config = Config.from_dict(SMALL | {"rank_bound": 4, "seed_init": 21} | changes)
    run = start(config, server.runs)
    until(lambda: not run.status.live)
    return run


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_serious_stands_in_the_way_on_the_first_page(
    server: Server, page_at: Open, scheme: str
) -> None:
    """With a run, its legend with a hidden entry, a lit mode and the table of numbers."""
    run = trained(server)
    page = visit(page_at(1400, scheme), server, f"run={run.key}&mode=1")
    phase(page, "Done")
    card = page.locator("[data-panel='recovery_error']")
    card.locator(".dln-key").first.click()
    assert found(page) == []
    card.get_by_role("button", name="Export").click()
    page.get_by_role("menuitem", name="Table of numbers").click()
    table = page.get_by_role("dialog").get_by_role("table")
    steps = {each.steps[-1] for each in run.trajectories}
    expect(table.get_by_role("row").last).to_contain_text(f"{max(steps):,.0f}")
    assert found(page) == []


@pytest.mark.slow
@pytest.mark.parametrize("width", [1400, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_serious_stands_in_the_way_on_any_page(
    server: Server, page_at: Open, scheme: str, width: int
) -> None:
    """Every page idle, the first one with a run that diverged and one that trains, too."""
    run, lost = trained(server), trained(server, learning_rate=1e4, init_scale=1.0)
    live = start(small_endless(width, scheme), server.runs)
    page = visit(page_at(width, scheme), server)
    assert found(page) == []
    swept(page, server)
    page.get_by_role("button", name="Earlier sweeps").click()
    expect(page.get_by_test_id("stPopoverBody").get_by_role("button").first).to_be_visible()
    assert found(page) == [], "earlier sweeps"
    for path, heading in (PAGES | {f"Saved_runs?runs={run.key}": "Saved runs"}).items():
        page.goto(f"{server.address}/{path}")
        expect(page.get_by_role("heading", name=heading).first).to_be_visible()
        assert found(page) == [], path
    for shown, words in ((lost, "Diverged"), (live, "Running")):
        page.goto(f"{server.address}/?run={shown.key}")
        phase(page, words)
        page.wait_for_function("document.querySelector('.js-plotly-plot .main-svg')")
        assert found(page) == [], words
    live.ask(CANCEL)


def small_endless(width: int, scheme: str) -> Config:
    """Settings of a run that lasts, one for each width and scheme."""
    return endless(problem="factorization", seed_init=width, seed_target=len(scheme))


# The colours of all words in a chart over that of the page, as WCAG 2.2 compares them.
INK = """() => {
  const pen = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const drawn = (color, under) => {
    pen.fillStyle = under; pen.fillRect(0, 0, 1, 1);
    pen.fillStyle = color; pen.fillRect(0, 0, 1, 1);
    return [...pen.getImageData(0, 0, 1, 1).data.slice(0, 3)];
  };
  const light = (parts) => parts.map((part) => part / 255)
    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
    .reduce((sum, part, place) => sum + part * [0.2126, 0.7152, 0.0722][place], 0);
  const style = getComputedStyle(document.querySelector(".dln"));
  const paper = style.getPropertyValue("--st-background-color");
  const ratio = (color) => {
    const [low, high] = [light(drawn(color, paper)), light(drawn(paper, paper))]
      .sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  };
  const words = [...document.querySelectorAll(".js-plotly-plot text")]
    .filter((word) => word.textContent.trim());
  return words.map((word) => [word.textContent, ratio(getComputedStyle(word).fill)]);
}"""


@pytest.mark.parametrize("scheme", few(["light", "dark"], 1))
def test_words_in_charts_stand_out_from_the_page(
    server: Server, page_at: Open, scheme: str
) -> None:
    """Numbers and names of axes, which axe-core does not look at."""
    run = trained(server)
    page = visit(page_at(1400, scheme), server, f"run={run.key}")
    phase(page, "Done")
    page.wait_for_function("document.querySelectorAll('.js-plotly-plot .xtitle').length >= 4")
    words = page.evaluate(INK)
    assert len(words) > 20
    assert [each for each in words if each[1] < CONTRAST] == []


FOCUSED = """() => { const { activeElement: it } = document;
  if (!it.matches("button, input, select, a, summary")) return "";
  return it.ariaLabel || it.labels?.[0]?.firstChild.textContent ||
    it.querySelector("p")?.textContent || it.textContent; }"""


def tab_to(page: Page, name: str) -> int:
    """Press Tab until a control with this name has the focus; returns how often."""
    for pressed in range(1, MOST_TABS):
        page.keyboard.press("Tab")
        if re.fullmatch(name, (page.evaluate(FOCUSED) or "").strip()):
            return pressed
    raise AssertionError(f"{name} has no place in the order of Tab")


def test_from_opening_to_a_saved_figure_by_keyboard_alone(
    server: Server, page_at: Callable[[int], Page]
) -> None:
    """Train, once done Reset is next, a mode lit and in the address, a chart saved as a PDF."""
    query = "&".join(f"{name}={value}" for name, value in (SMALL | {"seed_init": 22}).items())
    page = visit(page_at(1400), server, query)
    expect(button(page, "Train")).to_be_enabled()
    tab_to(page, "Train")
    page.keyboard.press("Enter")
    phase(page, "Done")
    expect(page.get_by_role("button", name="Stop")).to_be_disabled()  # the page knows, too
    assert tab_to(page, "Reset") == 1
    tab_to(page, "Mode")
    page.keyboard.press("ArrowDown")
    page.wait_for_url("**mode=1**")
    tab_to(page, "Export: Singular values: original")
    page.keyboard.press("Enter")
    expect(page.get_by_role("menuitem").first).to_be_focused()
    for _ in range(2):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("Save PDF"))).to_be_visible()
    with page.expect_download() as saving:
        tab_to(page, "Save PDF.*")
        page.keyboard.press("Enter")
    assert saving.value.suggested_filename.startswith("singular_values-original")
