"""One cursor for all charts: where it stands, what moves it, who keeps it."""

import dataclasses
import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from dynamics.core.config import Config
from tests.browser.conftest import Server
from tests.browser.recorder import PANELS, Recorder
from tests.browser.test_stream import received, watch
from tests.support.few import few
from tests.support.make import until

pytestmark = pytest.mark.xdist_group("charts")
SEEDS = itertools.count(9001)  # each test has a run of its own
Open = Callable[..., Page]


@pytest.fixture
def config() -> Config:
    """The settings of a run that no other test has."""
    return Config(steps=1000, record_every=1, seed_target=next(SEEDS))


@pytest.fixture
def recorder(charts: Server, config: Config) -> Recorder:
    """A run of a thousand steps that is done."""
    made = Recorder(charts.runs, config)
    made.write(1001)
    made.end()
    return made


def done(page: Page, server: Server, recorder: Recorder, more: str = "") -> None:
    """Open the charts of a run and wait until they hold all of it and the bar can be used."""
    watch(page, server, recorder.config)
    if more:
        page.goto(f"{server.address}/?run={recorder.config.key}{more}")
    page.locator(".dln").wait_for()
    until(lambda: received(page) == recorder.written, what="all records")
    expect(button(page, "Step back")).to_be_enabled()


def button(page: Page, name: str) -> Any:
    return page.locator(".dln-transport").get_by_role("button", name=name)


def stands_at(page: Page, step: int) -> None:
    """Wait until the bar says that the cursor is there."""
    expect(page.locator(".dln-where")).to_have_text(f"step {step:,}")


def away(page: Page, panel: str, unit: float = 1) -> float:
    """How many pixels the line is from where Plotly itself would put the slider's step.

    ``unit`` is how many steps one of the axis has.
    """
    found: float = page.evaluate(
        """([panel, unit]) => {
            const plot = document.querySelector(`[data-panel='${panel}'] .dln-plot`);
            const axis = plot._fullLayout.xaxis;
            const step = +document.querySelector(".dln-scrub input").value;
            const line = plot.querySelector(".dln-needle:not([hidden])").getBoundingClientRect();
            const left = line.left + line.width / 2 - plot.getBoundingClientRect().left;
            return left - axis._offset - axis.d2p(step / unit);
        }""",
        [panel, unit],
    )
    return found


def values(page: Page, panel: str) -> dict[str, float]:
    """What a chart lists at the cursor."""
    items = page.locator(f"[data-panel='{panel}'] .dln-value").all_inner_texts()
    return {label: _number(words) for label, words in (item.rsplit(" ", 1) for item in items)}


def _number(words: str) -> float:
    """Of 7.36 × 10⁻⁵, with spaces that do not break."""
    plain = words.replace("\u00a0×\u00a010", "e")
    return float(plain.translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")))


def test_line_and_values_of_all_charts_are_those_of_the_cursor_s_record(
    charts: Server, recorder: Recorder, page_at: Open
) -> None:
    """Dragging the bar moves them all; the values are the folder's."""
    page = page_at(1400)
    done(page, charts, recorder)
    expect(page.locator(".dln-needle")).to_have_count(0)
    expect(page.locator(".dln-values:visible")).to_have_count(0)
    box = page.locator(".dln-scrub input").bounding_box()
    assert box
    page.mouse.move(box["x"] + 0.9 * box["width"], box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.25 * box["width"], box["y"] + box["height"] / 2, steps=5)
    page.mouse.up()
    step = int(float(page.locator(".dln-scrub input").input_value()))
    assert step == pytest.approx(250, abs=15)
    stands_at(page, step)
    for panel in PANELS[:2]:  # in sight
        assert away(page, panel) == pytest.approx(0, abs=1)
    page.locator("[data-panel='recovery_error']").scroll_into_view_if_needed()
    for panel in PANELS[2:]:
        page.locator(f"[data-panel='{panel}'] .dln-needle").wait_for(state="attached")
        assert away(page, panel) == pytest.approx(0, abs=1)
    names, row = recorder.run.layout.names, recorder.run.rows()[step]
    for network in ("original", "compressed"):
        listed = values(page, f"singular_values/{network}")
        stored = [row[names.index(f"{network}.singular_values.{i}")] for i in range(1, 11)]
        assert list(listed.values()) == pytest.approx(stored, rel=6e-3)
        error = row[names.index(f"{network}.recovery_error")]
        assert values(page, "recovery_error")[network] == pytest.approx(error, rel=6e-3)


def test_keys_and_buttons_move_it_by_records(
    charts: Server, recorder: Recorder, page_at: Open
) -> None:
    """By one, ten or a hundred, ten times that with Shift, and never beyond the ends."""
    page = page_at(1400)
    done(page, charts, recorder)
    page.keyboard.press("ArrowLeft")
    stands_at(page, 999)
    page.keyboard.press("Shift+ArrowLeft")
    stands_at(page, 989)
    button(page, "Step forward").click()
    stands_at(page, 990)
    page.keyboard.press("Home")
    stands_at(page, 0)
    page.keyboard.press("ArrowLeft")
    stands_at(page, 0)
    page.locator(".dln-scrub input").focus()
    page.keyboard.press("Shift+ArrowRight")
    stands_at(page, 10)
    page.keyboard.press("End")
    stands_at(page, 1000)
    button(page, "Follow the newest record").click()
    expect(page.locator(".dln-where")).to_have_text("newest")
    expect(page.locator(".dln-needle")).to_have_count(0)
    page.evaluate("document.body.appendChild(document.createElement('input')).focus()")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("p")
    expect(page.locator(".dln-where")).to_have_text("newest")


def test_jump_goes_from_one_escape_to_the_next(
    charts: Server, recorder: Recorder, page_at: Open
) -> None:
    """The curves are half grown at times that the recorder sets, then it starts over."""
    page = page_at(1400)
    done(page, charts, recorder)
    starts = 0.08 + 0.09 * np.arange(recorder.config.rank)
    expected = sorted([*1000 * starts, *1000 / 2.2 * starts])
    for place in [*expected[:3], *([] if len(expected) > 30 else expected[3:]), expected[0]]:
        page.keyboard.press("j")
        step = int(float(page.locator(".dln-scrub input").input_value()))
        assert step == pytest.approx(place, abs=1)
        stands_at(page, step)


def test_replay_runs_from_the_first_record_to_the_last_and_stops(
    charts: Server, recorder: Recorder, page_at: Open
) -> None:
    """The fastest takes three seconds; each frame is one of the charts'."""
    page = page_at(1400)
    done(page, charts, recorder)
    page.get_by_label("Speed").select_option("16")
    button(page, "Play the replay").click()
    expect(button(page, "Pause the replay")).to_be_visible()
    until(lambda: 0 < float(page.locator(".dln-scrub input").input_value()) < 900)
    page.keyboard.press("p")
    expect(button(page, "Play the replay")).to_be_visible()
    held = page.locator(".dln-scrub input").input_value()
    page.keyboard.press("p")
    stands_at(page, 1000)
    assert 0 < float(held) < 1000
    expect(button(page, "Play the replay")).to_be_visible()


def test_it_stands_while_a_live_run_goes_on_and_follows_when_asked(
    charts: Server, config: Config, page_at: Open
) -> None:
    """New records do not move it; at the newest it is off and goes along."""
    recorder, page = Recorder(charts.runs, config), page_at(1400)
    recorder.write(200)
    done(page, charts, recorder)
    page.keyboard.press("Shift+ArrowLeft")
    stands_at(page, 189)
    before = values(page, "singular_values/original")
    recorder.write(400)
    until(lambda: received(page) == 600)
    stands_at(page, 189)
    assert values(page, "singular_values/original") == before
    until(lambda: abs(away(page, "singular_values/original")) <= 1, what="the line on its step")
    page.locator(".dln-scrub input").focus()
    page.keyboard.press("End")
    expect(page.locator(".dln-where")).to_have_text("newest")
    expect(page.locator(".dln-needle")).to_have_count(0)
    recorder.end()


@pytest.mark.slow
def test_page_is_told_where_it_rests_and_can_say_where_it_begins(
    charts: Server, recorder: Recorder, page_at: Open
) -> None:
    """So that the address can keep it."""
    page = page_at(1024)
    done(page, charts, recorder, "&at=300")
    stands_at(page, 300)
    expect(page.get_by_text("at=300", exact=True)).to_be_visible()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_text("at=301", exact=True)).to_be_visible()
    button(page, "Follow the newest record").click()
    expect(page.get_by_text("at=None", exact=True)).to_be_visible()


@pytest.mark.slow
def test_address_keeps_it(server: Server, config: Config, page_at: Open) -> None:
    """In the app itself, through a reload."""
    recorder, page = Recorder(server.runs, config), page_at(1400)
    recorder.write(1001)
    recorder.end()
    done(page, server, recorder)
    button(page, "Step back").click()
    page.wait_for_url("**at=999*")
    page.reload()
    stands_at(page, 999)
    assert "at=999" in page.url
    button(page, "Follow the newest record").click()
    page.wait_for_url(lambda url: "at=" not in url)


def faint(page: Page, panel: str) -> list[bool]:
    """Whether each line of a chart is faint."""
    found: list[bool] = page.evaluate(
        """(panel) => {
            const card = document.querySelector(`[data-panel='${panel}']`);
            const line = (place) => card.querySelector(`.tracedln${place}`);
            const found = []; // theory and the dots of ends are no lines of the run
            for (let next; (next = line(found.length)); )
                found.push(getComputedStyle(next).opacity < 0.5);
            return found;
        }""",
        panel,
    )
    return found


def test_a_mode_is_lit_in_all_charts(charts: Server, recorder: Recorder, page_at: Open) -> None:
    """Chosen from a list or under the pointer; what belongs to no mode stays as it is."""
    page = page_at(1400)
    done(page, charts, recorder)
    page.get_by_role("combobox", name="Mode").select_option("3")
    others = [i != 2 for i in range(10)]
    for panel in PANELS[:2]:
        assert faint(page, panel) == others
    # Of five angles on each side of each network, the smallest is lit with the first mode.
    assert faint(page, PANELS[2]) == [i % 5 != 2 for i in range(20)]
    page.keyboard.press("ArrowLeft")
    assert page.locator(".dln-value[data-faint]").count() == 18 + 16
    page.get_by_role("combobox", name="Mode").select_option("0")
    assert not any(faint(page, PANELS[0]))
    box = page.locator(f"[data-panel='{PANELS[0]}'] .nsewdrag").first.bounding_box()
    assert box

    def lit() -> bool:
        x, y = box["x"] + 0.6 * box["width"], box["y"] + (1 - 20 / 21.2) * box["height"]
        page.mouse.move(x, y - 4)
        page.mouse.move(x, y)
        return any(faint(page, PANELS[1]))

    until(lit, what="the mode under the pointer")
    assert faint(page, PANELS[1]) == [i != 0 for i in range(10)]
    page.mouse.move(box["x"] - 200, box["y"] - 30)
    until(lambda: not any(faint(page, PANELS[1])), what="all lines again")


class Crossing(Recorder):
    """Modes 2 and 3 of the original exchange places at step 700."""

    def record(self, network: str, step: int) -> Any:
        """With the singular values by mode."""
        made = super().record(network, step)
        values = made.values["singular_values"].copy()
        if network == "original" and step < 700:
            values[[1, 2]] = values[[2, 1]]
        return dataclasses.replace(made, values={**made.values, "mode_values": values})


def test_a_ring_says_where_modes_cross_live_and_at_rest(
    charts: Server, config: Config, page_at: Open
) -> None:
    """At the record after the crossing, between the two lines; the other network has none."""
    crossing = Crossing(charts.runs, config)
    crossing.write(800)
    page = page_at(1400)
    watch(page, charts, config)
    rings = """(name) => {
        const plot = document.querySelector(`[data-panel='${name}'] .dln-plot`);
        const found = plot.data?.find(({ uid }) => uid === "dlncrossings");
        return found ? [[...found.x], [...found.text]] : null;
    }"""
    wanted = [[700], ["modes 2 and 3 cross at step 700"]]
    for end in (lambda: None, lambda: (crossing.write(201), crossing.end())):
        end()
        until(lambda: received(page) == crossing.written, what="all records")
        page.locator("[data-panel='singular_values/original'] .nsewdrag").first.hover()
        until(lambda: page.evaluate(rings, "singular_values/original") == wanted, what="a ring")
        assert page.evaluate(rings, "singular_values/compressed") == [[None], []]


def test_logarithmic_steps_begin_at_one(charts: Server, recorder: Recorder, page_at: Open) -> None:
    """Where the record of step 0 is drawn; the cursor's line goes by the same scale."""
    page = page_at(1400)
    done(page, charts, recorder)
    page.get_by_text("log steps", exact=True).click()
    kind = "document.querySelector('.dln-plot')._fullLayout.xaxis.type"
    until(lambda: page.evaluate(kind) == "log", what="a logarithmic axis")
    drawn = "document.querySelector('.dln-plot').data.find((trace) => trace.meta?.y).x"
    xs = page.evaluate(drawn)
    assert [*xs[:20], xs[-1]] == [1, *range(1, 20), 1000], "none of the first decade is left out"
    page.locator(".dln-scrub input").focus()
    for key in ("ArrowLeft", "Home", "Shift+ArrowRight"):
        page.keyboard.press(key)
    stands_at(page, 10)
    assert away(page, PANELS[0]) == pytest.approx(0, abs=1)


def test_a_strip_below_shows_the_distance_from_theory_live_and_at_rest(
    charts: Server, page_at: Open
) -> None:
    """Painted on its own axis in the same width; the cursor's line goes through both."""
    config = Config(
        problem="factorization", spectrum="flat", steps=1000, record_every=1, learning_rate=5.0,
        init_scale=0.3, seed_target=next(SEEDS),
    )  # fmt: skip
    recorder, page, panel = Recorder(charts.runs, config), page_at(1400), PANELS[1]
    recorder.write(100)
    done(page, charts, recorder)
    ink = """(panel) => {
        const plot = document.querySelector(`[data-panel='${panel}'] .dln-plot`);
        const { xaxis: x, yaxis2: y } = plot._fullLayout;
        const area = [x._offset, y._offset, x._length, y._length].map((side) => side | 0);
        const { data } = plot.querySelector("canvas").getContext("2d").getImageData(...area);
        return data.filter((part, at) => at % 4 === 3 && part > 0).length;
    }"""
    until(lambda: page.evaluate(ink, panel) > 20, what="lines in the strip of a live run")
    page.keyboard.press("ArrowLeft")
    recorder.write(100)
    recorder.end()
    drawn = """(panel) => {
        const plot = document.querySelector(`[data-panel='${panel}'] .dln-plot`);
        const { yaxis: upper, yaxis2: lower } = plot._fullLayout;
        const strip = plot.data.filter(({ yaxis }) => yaxis === "y2");
        const high = plot.querySelector(".dln-needle").getBoundingClientRect().height;
        const both = lower._offset + lower._length - upper._offset;
        return [strip.length, strip[0]?.y.filter(Number.isFinite).length, high - both];
    }"""
    until(lambda: received(page) == 200)
    until(lambda: page.evaluate(drawn, panel)[1] > 20, what="lines of the strip at rest")
    count, _, beyond = page.evaluate(drawn, panel)
    assert count == config.rank and abs(beyond) <= 1
    assert len(values(page, panel)) == recorder.count, "the strip's are no values of the chart"


def test_a_failure_is_named_while_the_run_goes_on_and_leads_to_its_step(
    charts: Server, config: Config, page_at: Open
) -> None:
    """As soon as the worker says so, until it says otherwise; a click shows that step."""
    recorder, page = Recorder(charts.runs, config), page_at(1400)
    recorder.write(200)
    done(page, charts, recorder)
    signs = page.locator(".dln-signs li")
    expect(signs).to_have_count(0)
    sentence = "The compressed network overfits: stop early."
    recorder.say("running", signatures=[{"step": 120, "sentence": sentence}])
    expect(signs).to_have_count(1)
    expect(signs).to_contain_text(sentence)
    signs.get_by_role("button", name="step 120").click()
    stands_at(page, 120)
    recorder.say("running", signatures=[])
    expect(signs).to_have_count(0)
    recorder.end()


@pytest.mark.parametrize("live", few([True, False], 1))
def test_theory_and_cursor_are_at_their_time_on_every_axis(
    charts: Server, config: Config, page_at: Open, live: bool
) -> None:
    """Escapes that a live run has not come to yet are where its pace so far puts them."""
    recorder, page, panel = Recorder(charts.runs, config), page_at(1400), PANELS[0]
    recorder.write(300)
    if not live:
        recorder.end()
    done(page, charts, recorder)

    def marks() -> Any:
        return page.evaluate(
            """(panel) => document.querySelector(`[data-panel='${panel}'] .dln-plot`).data
                .find(({ name }) => name === "expected escapes")?.x""",
            panel,
        )

    steps = np.array(marks())
    assert len(steps) == config.rank and steps.max() > 300
    page.keyboard.press("Shift+ArrowLeft")
    for axis, unit in (("seconds", 1e3), ("operations", 1e-6), ("normalised", steps.min())):
        page.get_by_text(axis, exact=True).click()
        until(lambda unit=unit: marks() == pytest.approx(steps / unit, rel=1e-4), what=axis)
        until(lambda unit=unit: abs(away(page, panel, unit)) <= 1, what=f"cursor over {axis}")
        assert page.locator(f"[data-panel='{PANELS[0]}'] .dln-needle").count() == 1
    recorder.end()


@pytest.mark.parametrize("width", few([390, 1400], 1))
def test_bar_fits_the_width(charts: Server, recorder: Recorder, page_at: Open, width: int) -> None:
    """Nothing sticks out, every control has a name, the largest is for the thumb."""
    page = page_at(width)
    done(page, charts, recorder)
    play = button(page, "Play the replay").bounding_box()
    assert play and min(play["width"], play["height"]) >= 44
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for role in ("button", "combobox", "slider"):
        for control in page.locator(".dln-transport").get_by_role(role).all():
            box = control.bounding_box()
            assert box and box["x"] >= 0 and box["x"] + box["width"] <= width
            assert control.evaluate("(c) => c.ariaLabel || c.labels?.[0] || c.textContent")


def test_a_mode_is_lit_while_the_run_goes_on(charts: Server, config: Config, page_at: Open) -> None:
    """The canvas paints the lines then: the others at once become faint, and come back."""
    recorder, page = Recorder(charts.runs, config), page_at(1400)
    recorder.write(600)
    done(page, charts, recorder)

    def ink() -> float:
        """How much is painted of the singular values, all pixels together."""
        found: float = page.evaluate(
            """() => {
                const canvas = document.querySelector("canvas.dln-canvas");
                const pen = canvas.getContext("2d");
                const { data } = pen.getImageData(0, 0, canvas.width, canvas.height);
                return data.reduce((sum, part, at) => at % 4 === 3 ? sum + part : sum, 0) / 255;
            }"""
        )
        return found

    until(lambda: ink() > 1000, what="the lines")
    everything = ink()
    page.get_by_role("combobox", name="Mode").select_option("1")
    assert 0.1 * everything < ink() < 0.7 * everything
    page.get_by_role("combobox", name="Mode").select_option("0")
    assert ink() == pytest.approx(everything, rel=0.05)
    recorder.end()
