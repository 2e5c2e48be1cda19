"""A teacher's links: what they hide stays hidden, and can be shown; lessons walked through."""

import dataclasses
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from dynamics.core import registry
from dynamics.core.config import Config
from dynamics.findings.modes import modes
from dynamics.runs import queue
from dynamics.runs.run import CANCEL, find
from dynamics.runs.start import start
from dynamics.teach import lesson
from tests.browser.conftest import Server
from tests.browser.test_visit import (
    SMALL,
    THEORY,
    account,
    button,
    over,
    phase,
    press,
    query_of,
    visit,
)
from tests.support.make import until

pytestmark = pytest.mark.xdist_group("pages")
Open = Callable[[int], Page]
SETTINGS = "&".join(
    f"{name}={value}"
    for name, value in (SMALL | {"rank_bound": 5, "init_scale": 0.1, "steps": 800}).items()
)


@pytest.mark.slow
def test_link_hides_blocks_until_everything_is_asked_for(server: Server, page_at: Open) -> None:
    """Before the run and after it; the address keeps it; one button brings all of it back."""
    hidden = "training,presets,pictures,forecast,theory,menus,changes,tools,summary"
    page = visit(page_at(1400), server, f"{SETTINGS}&hide={hidden}")
    expect(page.get_by_role("slider", name="Depth L")).to_be_visible()
    press(page, "Train")
    phase(page, "Done")
    page.wait_for_function("document.querySelectorAll('.js-plotly-plot').length > 2")
    assert page.evaluate(THEORY) == []
    blocks = [
        page.get_by_text("Fill in a matrix", exact=True),
        page.locator(".networks"),
        page.get_by_role("combobox", name="Horizontal axis"),
        button(page, "New seed"),
        button(page, "Export"),
        button(page, "Link"),
        button(page, "Change"),
        page.get_by_text("What happened"),
        page.get_by_test_id("stSidebar").get_by_text("Training", exact=True),
    ]
    for block in blocks:
        expect(block).to_have_count(0)
    page.reload()
    phase(page, "Done")
    assert query_of(page)["hide"] == hidden
    press(page, "More")
    press(page, "Show everything")
    expect(account(page)).to_be_visible()
    expect(page.locator(".networks")).to_be_visible()
    page.wait_for_function(f"{THEORY}.length === 4")
    expect(button(page, "Show everything")).to_have_count(0)
    assert "hide" not in query_of(page)


@pytest.mark.slow
def test_link_can_be_made_to_hide_blocks(server: Server, page_at: Open) -> None:
    """What is picked beside the link stands in it, and hides nothing from who makes it."""
    page = visit(page_at(1400), server)
    press(page, "Link")
    popover = page.get_by_test_id("stPopoverBody")
    popover.get_by_role("button", name="forecast").click()
    popover.get_by_role("button", name="settings").click()
    expect(popover.get_by_test_id("stCode")).to_contain_text("hide=settings,forecast")
    expect(page.get_by_role("slider", name="Depth L")).to_be_visible()


@pytest.mark.slow
def test_link_can_hide_only_what_changes_a_run(server: Server, page_at: Open) -> None:
    """The menu that changes, forks and compresses, and the setting of the same; nothing else."""
    page = visit(page_at(1400), server, f"{SETTINGS}&hide=changes")
    press(page, "Train")
    phase(page, "Done")
    expect(button(page, "Export").first).to_be_visible()
    sidebar = page.get_by_test_id("stSidebar")
    sidebar.get_by_text("Training", exact=True).click()
    expect(sidebar.get_by_label("Steps at most t", exact=True)).to_be_visible()
    field = sidebar.get_by_label("Changes on the way", exact=True)
    expect(field).to_have_count(0)
    expect(button(page, "Change")).to_have_count(0)
    press(page, "More")
    press(page, "Show everything")
    expect(button(page, "Change")).to_be_visible()
    expect(field).to_be_visible()


@pytest.mark.slow
@pytest.mark.parametrize("width", [1400, 390])
def test_copied_link_opens_the_same_charts_axes_and_step(
    server: Server, page_at: Open, width: int
) -> None:
    """It says all that the address says, in a browser that was never here before."""
    page = visit(page_at(width), server, SETTINGS)
    press(page, "Train")
    phase(page, "Done")
    over(page, "Log steps")
    press(page, "More")
    page.get_by_test_id("stPopoverBody").get_by_role("button", name="Losses").click()
    page.keyboard.press("Escape")
    expect(page.locator("[data-panel=losses]")).to_be_attached()
    page.get_by_label("Step that the charts show").click()  # in its middle
    page.wait_for_url("**at=*")
    shown = query_of(page)
    # What was drawn before stays, though the menu was opened only after another axis was chosen.
    assert shown["charts"] == "singular_values,principal_angles,recovery_error,losses"
    press(page, "Link")
    code = page.get_by_test_id("stPopoverBody").get_by_test_id("stCode")
    expect(code).to_contain_text(f"at={shown['at']}")
    link = code.inner_text()
    other = page_at(width)
    other.goto(link)
    phase(other, "Done")
    expect(other.locator("[data-panel=losses]")).to_be_attached()
    expect(other.locator(".dln-where")).to_have_text(f"step {int(shown['at']):,}")
    until(lambda: query_of(other) == shown)
    assert {"run", "over", "at", "charts"} <= set(shown)


FILLED = """[...document.querySelectorAll(".dln-plot")].every(
  (plot) => plot._fullLayout.height === plot.clientHeight)"""
CUT = """(all) => all.filter((each) => each.scrollWidth > each.clientWidth)
  .map((each) => each.innerText)"""


def begin(page: Page, server: Server, query: str) -> Page:
    """Open the page of lessons and wait until it is there."""
    page.goto(f"{server.address}/Lessons{query}")
    page.locator("h1").wait_for()
    return page


@pytest.mark.parametrize("width", [1400, pytest.param(390, marks=pytest.mark.slow)])
def test_lesson_is_walked_through(server: Server, page_at: Open, width: int) -> None:
    """Predict, run, explain with the numbers of this run, try on the first page, and back."""
    page = begin(page_at(width), server, "")
    cards = page.get_by_role("button", name="Begin")
    expect(cards).to_have_count(len(registry.options("lessons")))
    cards.first.click()
    page.get_by_role("heading", name="Why plateaus?").wait_for()
    commit = page.get_by_role("button", name="That is my prediction: train")
    expect(commit).to_be_disabled()
    expect(page.locator(".dln, .facts")).to_have_count(0)
    page.get_by_text("About four times as late", exact=True).click()
    commit.click()
    phase(page, "Done")
    expect(page.get_by_text("You predicted: About four times as late.")).to_be_visible()
    expect(page.get_by_text("The run shows: About twice as late.")).to_be_visible()
    run = find(lesson.load("plateaus").configs["one run"].key, server.runs)
    measured = [f"{each.measured:,.0f}" for each in modes(run.config, run.trajectories[0])[:3]]
    cells = page.locator(".facts tbody td").all_inner_texts()
    assert cells[1::2] == measured
    expect(page.locator(".katex-html", has_text="your run")).to_contain_text(measured[0])
    page.locator(".dln-plot").first.scroll_into_view_if_needed()
    page.wait_for_function(f"{THEORY}.length >= 3")
    page.wait_for_function(FILLED)  # also the one that got a strip of residuals when it was done
    assert page.locator(".katex-display").evaluate_all(CUT) == []

    page.reload()
    expect(page.get_by_text("You predicted: About four times as late.")).to_be_visible()
    expect(page.get_by_role("radio").nth(2)).to_be_disabled()
    page.get_by_role("link", name="Try it").click()
    page.get_by_role("heading", name="Two networks learn one matrix").wait_for()
    expect(page.get_by_text("Will it leave its plateau before the compressed one")).to_be_visible()
    asked = query_of(page)
    hidden = asked.pop("hide").split(",")
    assert asked.pop("lesson") == "plateaus"
    assert {"presets", "pictures"} <= set(hidden)
    assert Config.from_dict(asked) == Config.from_dict(lesson.load("plateaus").attempt)
    expect(page.locator(".networks")).to_have_count(0)
    expect(button(page, "Train")).to_be_visible()
    page.get_by_role("link", name="Back to the lesson").click()
    expect(page.get_by_text("You predicted: About four times as late.")).to_be_visible()
    press(page, "All lessons")
    expect(button(page, "Again")).to_have_count(1)


@pytest.mark.slow
def test_lesson_on_classes_names_them_and_is_tried_where_classes_are_told_apart(
    server: Server, page_at: Open
) -> None:
    """The modes' names are those of this run; the link opens the page of such networks."""
    page = begin(page_at(1024), server, "?lesson=classes")
    page.get_by_text("Five: one mode cuts the digits in half", exact=True).click()
    press(page, "That is my prediction: train")
    expect(page.get_by_text("The run shows: Two: one at each end")).to_be_visible()
    configs = lesson.load("classes").configs.items()
    runs = {label: find(config.key, server.runs) for label, config in configs}
    found = {
        label: lesson.Done(run.config, {each.network: each for each in run.trajectories})
        for label, run in runs.items()
    }
    names = [lesson.load("classes").numbers(found)[f"name{mode}"] for mode in range(1, 5)]
    assert page.locator(".facts tbody td:nth-child(3)").all_inner_texts() == names
    expect(page.locator("[data-panel=confusion]")).to_be_visible()
    page.get_by_role("link", name="Try it").click()
    page.get_by_role("heading", name="One network tells 10 classes apart").wait_for()
    expect(page.get_by_text("Now give the head room for two modes")).to_be_visible()
    press(page, "Train")
    phase(page, "Done")
    expect(page.locator("[data-panel='inner_coordinates/compressed']")).to_be_attached()


@pytest.mark.slow
def test_waiting_lesson_keeps_its_theory_and_can_be_cancelled(
    server: Server, page_at: Open
) -> None:
    """While other runs have all the cores: nothing is told yet; cancelled, it can be trained."""
    longest = Config.from_dict(SMALL | {"steps": 100_000_000, "record_every": 10_000, "depth": 5})
    others = [
        start(dataclasses.replace(longest, init_scale=1e-3, seed_target=9000 + seed), server.runs)
        for seed in range(queue.capacity())
    ]
    until(lambda: all(run.status.phase == "running" for run in others))
    page = begin(page_at(1024), server, "?lesson=noise")
    page.get_by_text("It falls all the time, too", exact=True).click()
    press(page, "That is my prediction: train")
    expect(
        page.get_by_text("0 of 2 runs done, waiting for a free core. The explanation follows.")
    ).to_be_visible()
    expect(page.locator(".facts")).to_have_count(0)
    press(page, "Cancel")
    expect(button(page, "Train")).to_be_visible()
    for run in others:
        run.ask(CANCEL)
    until(lambda: not any(run.status.live for run in others))
    press(page, "Train")
    expect(page.get_by_text("The run shows: It falls, then rises again")).to_be_visible()


@pytest.mark.slow
def test_browser_s_back_button_goes_back_to_the_question(server: Server, page_at: Open) -> None:
    """The address holds the step, so a visitor's history does."""
    page = begin(page_at(1024), server, "?lesson=width")
    page.get_by_text("All three: the narrow one only takes longer", exact=True).click()
    press(page, "That is my prediction: train")
    expect(page.get_by_role("heading", name="3 · Explain")).to_be_visible()
    assert query_of(page) == {"lesson": "width", "guess": "3"}
    page.go_back()
    expect(button(page, "That is my prediction: train")).to_be_visible()
    expect(page.get_by_role("heading", name="2 · Run")).to_have_count(0)


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("Lessons?lesson=nothing", "There is no lesson 'nothing'; choose one of these."),
        ("Lessons?lesson=width&guess=9", "guess must be a whole number from 1 to 4; '9' was given"),
        ("?lesson=nothing", "There is no lesson 'nothing'; the page of lessons lists them all."),
    ],
)
def test_strange_lesson_is_told_in_one_sentence(
    server: Server, page_at: Open, address: str, sentence: str
) -> None:
    """The page goes on with what there is."""
    page = page_at(1024)
    page.goto(f"{server.address}/{address}")
    expect(page.get_by_test_id("stAlert")).to_contain_text(sentence)
    expect(page.get_by_test_id("stAlert")).to_have_count(1)
