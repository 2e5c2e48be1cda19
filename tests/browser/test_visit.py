"""A user's visit: presets, sliders, the address, a live run, a second viewer, saved runs."""

import json
import re
import zipfile
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Locator, Page, expect

from dynamics.core.config import Config
from dynamics.runs.remarks import read
from dynamics.runs.run import find, listing
from dynamics.runs.start import start
from tests.browser.conftest import ROOT, Server
from tests.support.few import few
from tests.support.make import until

pytestmark = pytest.mark.xdist_group("visit")
Open = Callable[[int], Page]
SMALL = {
    "problem": "factorization",
    "rows": 12,
    "cols": 12,
    "rank": 2,
    "learning_rate": 1,
    "steps": 200,
}
LONG = "depth=4&init_scale=0.003&steps=5000000&record_every=500"  # a plateau that outlasts the test


def visit(page: Page, server: Server, query: str = "") -> Page:
    """Open the first page and wait until it is there."""
    page.goto(f"{server.address}/{'?' + query if query else ''}")
    expect(page.get_by_role("heading", name="Two networks learn one matrix")).to_be_visible()
    return page


def button(page: Page, name: str) -> Locator:
    """The button with this name, which may be followed by its shortcut."""
    return page.get_by_role("button", name=re.compile(rf"^{re.escape(name)}( Shortcut .*)?$"))


def press(page: Page, name: str) -> None:
    button(page, name).first.click()


def phase(page: Page, word: str) -> None:
    """Wait until the status strip says the word."""
    expect(page.locator(".dln-phase")).to_contain_text(word)


def over(page: Page, axis: str) -> None:
    """Choose a horizontal axis."""
    page.get_by_role("combobox", name="Horizontal axis").click()
    page.get_by_role("option", name=axis, exact=True).click()


def account(page: Page) -> Locator:
    """Open *What happened*."""
    page.get_by_role("button", name=re.compile("^What happened")).click()
    return page.locator(".st-key-story")


def query_of(page: Page) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()}


def test_whole_visit(server: Server, page_at: Open) -> None:
    """Preset, run, zoom while live, other settings, refresh, second viewer, pause, cancel, file."""
    page = visit(page_at(1400), server, LONG)
    press(page, "Train")
    phase(page, "Running")
    page.wait_for_function("document.querySelector('.dln')?.dlnStats?.frames > 3")
    key = query_of(page)["run"]
    assert find(key, server.runs).config.depth == 4

    slider = page.get_by_role("slider", name="Depth L")
    slider.focus()
    slider.press("ArrowRight")
    expect(page.get_by_text("settings differ from those chosen now: depth 5")).to_be_visible()
    press(page, "Back to the run's settings")
    expect(page.get_by_text("settings differ from those chosen now")).to_have_count(0)

    page.reload()
    phase(page, "Running")
    assert query_of(page)["run"] == key
    second = page_at(390)
    second.goto(page.url)
    phase(second, "Running")

    press(page, "Pause")
    phase(page, "Paused")
    phase(second, "Paused")
    step = find(key, server.runs).status.step
    press(page, "Resume")
    phase(page, "Running")
    until(lambda: find(key, server.runs).status.step > step)
    press(page, "Stop")
    phase(page, "Cancelled")
    phase(second, "Cancelled")

    expect(button(page, "Go on")).to_be_visible()  # the charts know it before the page does
    press(page, "Export")
    with page.expect_download() as download:
        press(page, "CSV")
    header = download.value.path().read_text().splitlines()[0]
    assert header.startswith("network,step,seconds")


def test_preset_trains_in_ten_seconds_and_ends_in_a_table(server: Server, page_at: Open) -> None:
    """The first preset and one press: both networks done, milestones told, and no 9.6e-13."""
    page = visit(page_at(1024), server)
    page.get_by_text("Fill in a matrix", exact=True).click()
    page.get_by_text("70 % of a matrix is missing").wait_for()
    press(page, "Train")
    phase(page, "Done")
    expect(page.get_by_role("heading", name="Steps and seconds to each error")).to_be_visible()
    text = page.locator("body").inner_text()
    assert "\u00a0×\u00a010⁻" in text and not re.findall(r"\d(?:\.\d+)?e[+-]?\d+\b", text)
    run = find(query_of(page)["run"], server.runs)
    assert run.config == Config()
    original, compressed = run.trajectories
    assert compressed.first_at("recovery_error", 1e-3) < original.first_at("recovery_error", 1e-3)


@pytest.mark.slow
def test_reset_shows_the_settings_untrained_and_trains_anew(server: Server, page_at: Open) -> None:
    """Reset, by its key R, keeps the seeds; the next start trains again from step 0."""
    page = visit(page_at(1400), server, "problem=sensing&rows=12&cols=12&rank=2&steps=300")
    press(page, "Train")
    phase(page, "Done")
    run = find(query_of(page)["run"], server.runs)
    first = run.status.created
    page.get_by_role("button", name="Reset").wait_for()
    page.keyboard.press("r")
    expect(page.locator(".dln-phase")).to_have_count(0)
    assert "run" not in query_of(page)
    press(page, "Train")
    until(lambda: (run.folder / "status.json").exists() and run.status.created > first)
    phase(page, "Done")


@pytest.mark.slow
def test_quick_clicks_take_nothing_back(server: Server, page_at: Open) -> None:
    """A click reaches the server before the page ran for the one before it."""
    page = visit(page_at(1400), server, "problem=sensing&depth=5")
    seed = button(page, "New seed").element_handle()
    for gap in (0, 5, 30):
        before = int(query_of(page).get("seed_init", 0))
        page.evaluate(
            """async ([button, gap]) => {
                for (let click = 0; click < 3; click++) {
                    button.click();
                    await new Promise((then) => setTimeout(then, gap));
                }
            }""",
            [seed, gap],
        )
        page.wait_for_function(
            "old => Number(new URLSearchParams(location.search).get('seed_init')) > old", arg=before
        )
    assert query_of(page) | {"problem": "sensing", "depth": "5"} == query_of(page)
    expect(page.get_by_text("unexpected error")).to_have_count(0)


@pytest.mark.slow
def test_a_click_is_done_to_its_end_whatever_comes_meanwhile(server: Server, page_at: Open) -> None:
    """While Train starts a worker, a group of settings is opened and folded."""
    page = page_at(1400)
    for seed in range(1, 5):
        visit(page, server, f"problem=sensing&rows=12&cols=12&rank=2&steps=300&seed_init={seed}")
        train = button(page, "Train").element_handle()
        fold = page.get_by_text("The problem", exact=True).element_handle()
        page.evaluate(
            """([train, fold]) => {
                train.click();
                for (const moment of [10, 25, 45, 70, 100]) setTimeout(() => fold.click(), moment);
            }""",
            [train, fold],
        )
        page.wait_for_url("**run=**")


@pytest.mark.slow
def test_whoever_comes_back_from_another_page_finds_the_run(server: Server, page_at: Open) -> None:
    """By the menu of pages, which knows no addresses: settings, run, axis and charts."""
    settings = "&".join(f"{name}={value}" for name, value in (SMALL | {"depth": 4}).items())
    page = visit(page_at(1400), server, f"{settings}&over=operations&charts=losses")
    press(page, "Train")
    phase(page, "Done")
    before = query_of(page)
    page.get_by_role("link", name="Saved runs").click()
    page.get_by_role("heading", name="Saved runs").wait_for()
    page.get_by_role("link", name="Side by side").click()
    phase(page, "Done")
    expect(page.locator("[data-panel=losses]")).to_be_attached()
    expect(page.get_by_role("slider", name="Depth L")).to_have_attribute("aria-valuetext", "4")
    page.wait_for_url(lambda _: query_of(page) == before)


def test_new_seed_changes_all_seeds_and_nothing_else(server: Server, page_at: Open) -> None:
    """The address tells what the button did."""
    page = visit(page_at(1400), server, "depth=5")
    press(page, "New seed")
    page.wait_for_url("**seed_init=1**")
    seeds = dict.fromkeys(("seed_target", "seed_data", "seed_noise", "seed_init"), "1")
    assert query_of(page) == {"depth": "5"} | seeds


@pytest.mark.parametrize("width", few([1400, 390], 1))
def test_address_holds_the_whole_configuration(server: Server, page_at: Open, width: int) -> None:
    """Opened, reloaded and copied as a full link, it is the same configuration."""
    settings = {
        "problem": "factorization", "rows": "40", "cols": "30", "rank": "3", "spectrum": "flat",
        "noise": "0.01", "depth": "7", "rank_bound": "9", "initialization": "normal",
        "init_scale": "0.013", "learning_rate": "0.25", "rate_unit": "limit", "alpha": "3.5",
        "optimizer": "momentum", "steps": "1234", "seed_init": "7",
    }  # fmt: skip
    query = "&".join(f"{name}={value}" for name, value in settings.items())
    page = visit(page_at(width), server, query)
    assert query_of(page) == settings
    page.reload()
    press(page, "Link")
    link = page.locator("[data-testid=stCode]").inner_text()
    full = {name: values[0] for name, values in parse_qs(urlsplit(link).query).items()}
    assert full.pop("version")
    assert Config.from_dict(full).key == Config.from_dict(settings).key


@pytest.mark.slow
def test_number_box_and_slider_are_one(server: Server, page_at: Open) -> None:
    """A number between the slider's decades reaches the address, and the slider shows it."""
    page = visit(page_at(1400), server)
    box = page.get_by_role("textbox", name="Initial scale ε")
    box.fill("0.037")
    box.press("Enter")
    page.wait_for_url("**init_scale=0.037**")
    slider = page.get_by_role("slider", name="Initial scale ε")
    expect(slider).to_have_attribute("aria-valuetext", "0.037")
    slider.focus()
    slider.press("ArrowRight")
    page.wait_for_url("**init_scale=0.05**")
    expect(box).to_have_value("0.05")
    box.press("End")
    box.press_sequentially("2,5")  # one by one: a number box would drop the comma
    box.press("Enter")
    expect(page.get_by_text("'0.052,5' is not a number.")).to_be_visible()
    expect(box).to_have_value("0.05")
    box.fill("")
    box.press_sequentially("2,5")
    box.press("Enter")
    expect(page.get_by_text("2,5 is read as 2.5.")).to_be_visible()
    page.wait_for_url("**init_scale=2.5**")
    box.fill("1e-30")
    box.press("Enter")
    page.wait_for_url("**init_scale=1e-30**")
    box.press("ArrowUp")  # one unit of the leading digit
    page.wait_for_url("**init_scale=2e-30**")
    for _ in range(2):
        box.press("ArrowDown")
    page.wait_for_url("**init_scale=9e-31**")
    box.fill("12")
    box.press("Enter")
    expect(page.get_by_text("at most 10; 12")).to_be_visible()
    expect(box).to_have_value("9e-31")
    page.get_by_text("Random seeds", exact=True).click()
    whole = page.get_by_test_id("stSidebar").get_by_label("Seed: first factors").last
    for text, sentence in (
        ("2,5", "must be a whole number at least 0 and at most 2147483647; 2.5"),
        ("1,500", "1,500 is read as 1500."),
    ):
        whole.fill("")
        whole.press_sequentially(text)
        whole.press("Enter")
        expect(page.get_by_text(sentence)).to_be_visible()
    whole.press("ArrowUp")
    page.wait_for_url("**seed_init=1501**")


@pytest.mark.parametrize(
    ("query", "sentence"),
    few(
        [
            (
                "init_scale=0",
                r"ε \(init_scale\) must be a number above 0 and at most 10; 0 was given",
            ),
            ("rank_bound=700", r"r̂ \(rank_bound\) must be at most 100"),
            ("observed=0", r"p \(observed\) must be a number above 0"),
            ("depth=two", r"L \(depth\) must be a whole number"),
            ("problem=nothing", r"problem must be one of"),
            ("changes=5:foo=1", r"changes can set .*; 'foo=1' was given. It is left out"),
            ("widht=3", r"widht is not a setting; did you mean width"),
            (
                "hide=forecast,slider",
                r"hide can name settings, .*; there is no block slider to hide",
            ),
            ("run=../../etc", r"is no run: a run's key is sixteen digits"),
            ("run=0123456789abcdef", r"There is no run 0123456789abcdef here"),
        ],
        3,
    ),
)
def test_bad_address_is_told_in_one_sentence(
    server: Server, page_at: Open, query: str, sentence: str
) -> None:
    """The page says what is wrong and goes on with what can be."""
    page = visit(page_at(1024), server, query)
    expect(page.get_by_test_id("stAlert")).to_have_count(1)
    expect(page.get_by_test_id("stAlert")).to_contain_text(re.compile(sentence))
    expect(button(page, "Train")).to_be_enabled()
    expect(page.get_by_text("Traceback")).to_have_count(0)


def test_widgets_that_do_not_fit_together_are_told(server: Server, page_at: Open) -> None:
    """r̂ above the smaller side cannot be chosen; too many records for a run can, and is told."""
    page = visit(page_at(1400), server, "steps=5000000&record_every=100")
    page.get_by_text("Training", exact=True).click()
    box = page.get_by_role("textbox", name="Record every Δt")
    box.fill("1")
    box.press("Enter")
    expect(page.get_by_text("a run keeps at most 100000 records")).to_be_visible()
    expect(button(page, "Train")).to_be_disabled()


@pytest.mark.slow
def test_saved_runs_lists_even_damaged_ones(server: Server, page_at: Open) -> None:
    """A corrupt folder is named, and sound runs beside it are compared, reopened and deleted."""
    config = Config.from_dict(SMALL | {"rank_bound": 4})
    run = start(config, server.runs)
    until(lambda: run.status.phase == "done")
    damaged = server.runs / ("d" * 16)
    damaged.mkdir()
    (damaged / "config.json").write_text(json.dumps({"depth": "deep"}))
    page = page_at(1400)
    page.goto(f"{server.address}/Saved_runs?")
    page.get_by_role("heading", name="Saved runs").wait_for()
    page.get_by_role("combobox", name="State").click()
    page.get_by_role("option", name="unreadable").click()
    page.locator("[class*=st-key-runs-all-unreadable]").wait_for()  # a table of its own
    expect(page.get_by_test_id("stDataFrame")).to_have_count(1)
    tick_first_row(page)
    expect(page.get_by_test_id("stAlert")).to_contain_text("settings that cannot be run")
    press(page, "Delete")
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    until(lambda: not damaged.exists())


def test_saved_run_is_compared_and_reopened(server: Server, page_at: Open) -> None:
    """Ticking a run draws it; a name that it is given finds it; Open leads to the first page."""
    config = Config.from_dict(SMALL | {"rank_bound": 3})
    run = start(config, server.runs)
    until(lambda: run.status.phase == "done")
    page = page_at(1400)
    page.goto(f"{server.address}/Saved_runs")
    page.get_by_role("heading", name="Saved runs").wait_for()
    tick_first_row(page)
    expect(page.locator(".js-plotly-plot")).to_be_visible()
    page.get_by_role("combobox", name="Compare").click()
    page.get_by_role("option", name="Train loss").click()
    page.get_by_role("combobox", name="State").click()
    page.get_by_role("option", name="done").click()
    chosen = {"state": "done", "runs": run.key, "compare": "train_loss"}
    page.wait_for_url(
        lambda url: parse_qs(urlsplit(url).query) == {k: [v] for k, v in chosen.items()}
    )
    link = page.url
    page.get_by_role("link", name="Attribution").click()
    page.get_by_role("heading", name="What makes it faster?").wait_for()
    page.get_by_role("link", name="Saved runs").click()
    page.wait_for_url(link)
    second = page_at(390)
    second.goto(f"{link},0123456789abcdef")
    expect(second.get_by_text("There is no run '0123456789abcdef' here.")).to_be_visible()
    for viewer in (page, second):
        expect(viewer.locator(".js-plotly-plot")).to_be_visible()
        expect(viewer.get_by_role("combobox", name="Compare")).to_have_value("Train loss")
    press(page, "Name, note, tags")
    page.get_by_label("Name", exact=True).fill("The one for the talk")
    press(page, "Keep")
    until(lambda: read(run).name == "The one for the talk")
    search = page.get_by_label("Search", exact=True)
    search.fill("nobody said this")
    search.press("Enter")
    expect(page.get_by_text("No run has all of that.")).to_be_visible()
    search.fill("TALK r̂=3")
    search.press("Enter")
    page.wait_for_url(lambda url: parse_qs(urlsplit(url).query).get("search") == ["TALK r̂=3"])
    tick_first_row(page)
    page.get_by_text("Open", exact=True).click()
    phase(page, "Done")
    assert query_of(page)["run"] == run.key


def test_a_link_and_a_run_of_the_last_version_open_with_their_charts(
    server: Server, page_at: Open
) -> None:
    """Settings, charts, axis and step are those of the link; nothing is trained for it."""
    with zipfile.ZipFile(ROOT / "tests" / "runs" / "former.zip") as file:
        file.extractall(server.runs)
    key, settings = "74d96ceb2fbe23c2", "changes=20:alpha=1;40:compress&rank_bound=4&depth=3"
    address = f"{settings}&charts=losses,heat_maps&over=seconds&at=30&run={key}&version=1"
    page = visit(page_at(1400), server, address)
    phase(page, "Done")
    expect(page.locator(".dln-card")).to_have_count(2)
    title = page.locator("[data-panel='heat_maps'] .dln-title")
    expect(title).to_have_text("Heat maps of W at step 30")
    asked = query_of(page)
    assert (asked["run"], asked["at"], asked["over"]) == (key, "30", "seconds")
    expect(page.get_by_text("Traceback")).to_have_count(0)


def tick_first_row(page: Page) -> None:
    """Select the first row of the table of runs, which is drawn on a canvas."""
    canvas = page.get_by_test_id("stDataFrame").locator("canvas").first
    boxes = []  # of one look: the table may be drawn anew after it
    until(lambda: boxes.append(canvas.bounding_box()) or boxes[-1], what="the table is drawn")
    box = boxes[-1]
    page.mouse.click(box["x"] + 15, box["y"] + 52)
    button(page, "Delete").wait_for()


@pytest.mark.slow
def test_photograph_is_completed_from_the_page(server: Server, page_at: Open) -> None:
    """Both networks on the pixels of a picture, started by its preset, seen live."""
    falls_live(visit(page_at(1400), server), server, "A photograph")
    for network in ("original", "compressed"):
        expect_fall(server, "photograph", network, to=0.5)


def falls_live(page: Page, server: Server, preset: str) -> None:
    """Start a preset and watch it until it has ended, which a quiet machine does in a second."""
    page.get_by_text(preset, exact=True).click()
    press(page, "Train")
    phase(page, "Done")
    page.wait_for_function("document.querySelector('.dln')?.dlnStats?.frames > 0")


def expect_fall(server: Server, problem: str, network: str, to: float) -> None:
    """The held-out error of a network has fallen to a share of what it was."""
    run = next(run for run, config, _ in listing(server.runs) if config.problem == problem)
    trajectory = next(each for each in run.trajectories if each.network == network)
    errors = trajectory.series["test_loss"]
    assert errors.min() < to * errors[0]


def test_smaller_matrix_takes_the_width_bound_along_and_says_so(
    server: Server, page_at: Open
) -> None:
    """r̂ cannot stay above the smaller side; it is not clipped in silence."""
    page = visit(page_at(1400), server, "problem=factorization")
    page.get_by_text("The problem", exact=True).click()
    box = page.get_by_role("textbox", name="Rows d_out")
    box.fill("6")
    box.press("Enter")
    expect(page.get_by_text("Width bound r̂ is now 6")).to_be_visible()
    page.wait_for_url("**rank_bound=6**")


def test_forecast_follows_the_sliders_and_mends_what_would_go_wrong(
    server: Server, page_at: Open
) -> None:
    """Escapes and stability before a run; a warning's button sets what it says."""
    page = visit(page_at(1024), server, "learning_rate=200")
    expect(page.get_by_text("times the estimated stability limit")).to_be_visible()
    expect(page.locator(".expect td.diverges")).to_have_count(2)
    fits = "({ scrollWidth, parentElement }) => scrollWidth <= parentElement.clientWidth"
    assert page.locator(".expect").evaluate(fits)
    page.get_by_role("button", name=re.compile("^Set learning rate η to ")).click()
    expect(page.locator(".expect td.safe")).to_have_count(2)
    expect(page.get_by_text("times the estimated stability limit")).to_have_count(0)
    visit(page, server, "changes=100:alpha=2")
    sentence = page.get_by_text("escapes of the compressed network hold until step 100")
    expect(sentence.filter(visible=True).first).to_be_visible()
    expect(page.get_by_text("escapes of the original network hold")).to_have_count(0)
    visit(page, server, "problem=factorization&networks=original,narrow_random_alpha")
    expect(page.locator(".expect tbody tr")).to_have_count(2)
    assert page.locator(".expect").evaluate(fits)


THEORY = """[...document.querySelectorAll(".js-plotly-plot")].flatMap(({ data }) =>
  data.filter(({ name }) => name === "theory").map(({ x, y, line }) => ({
    points: x.length, last: y.at(-1), dash: line.dash })))"""


@pytest.mark.slow
def test_theory_stands_beside_the_data_and_the_run_is_told_in_words(
    server: Server, page_at: Open
) -> None:
    """Exact curves in the chart, escapes that agree in the table, and why it went as it did."""
    settings = SMALL | {"rank_bound": 4, "init_scale": 0.1, "steps": 1500, "record_every": 10}
    page = visit(page_at(1400), server, "&".join(f"{k}={v}" for k, v in settings.items()))
    press(page, "Train")
    phase(page, "Done")
    card = account(page)
    expect(card).to_contain_text("The original network reached a recovery error of")
    expect(card).to_contain_text("was half grown at step")
    expect(page.get_by_role("heading", name="Steps until each mode is half grown")).to_be_visible()
    expect(page.get_by_text("Predictions for the original network: exact.")).to_be_visible()
    page.wait_for_function(f"{THEORY}.length === 4")
    run = find(query_of(page)["run"], server.runs)
    goals = run.layout.facts["target_singular_values"]
    curves = page.evaluate(THEORY)
    assert sorted(each["last"] for each in curves) == pytest.approx(sorted([*goals] * 2), rel=0.02)
    assert all(each["points"] > 100 and each["dash"] == "dash" for each in curves)


@pytest.mark.slow
def test_run_that_somebody_deletes_is_seen_again_once_it_trains(
    server: Server, page_at: Open
) -> None:
    """At once by whoever presses *Go on*, and soon by a viewer who presses nothing."""
    query = LONG.replace("depth=4", "depth=4&seed_init=9")
    page = visit(page_at(1400), server, query)
    press(page, "Train")
    phase(page, "Running")
    press(page, "Stop")
    phase(page, "Cancelled")
    expect(button(page, "Go on")).to_be_enabled()
    second = page_at(390)
    second.goto(page.url)
    phase(second, "Cancelled")
    find(query_of(page)["run"], server.runs).delete()
    for viewer in (page, second):
        expect(viewer.locator(".dln-message")).to_contain_text("There is no run")
    press(page, "Go on")
    phase(page, "Running")
    phase(second, "Running")
    expect(page.locator(".dln-message")).to_be_empty()
    press(page, "Stop")
