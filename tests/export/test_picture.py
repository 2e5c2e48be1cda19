"""Picture: files of charts as other programs find them: size, text, fonts, words, grey, films."""

import asyncio
import contextlib
import dataclasses
import io
import os
import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import combinations, product
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import plotly.graph_objects as go
import psutil
import pytest
from PIL import Image
from pypdf import PdfReader

from dynamics.core import registry
from dynamics.core.config import Config
from dynamics.core.description import command as command_of
from dynamics.draw import panel
from dynamics.draw.chart import compared, marked
from dynamics.draw.shown import Shown
from dynamics.export import formats
from dynamics.export.caption import About, about
from dynamics.export.chart import Chart, of_runs
from dynamics.export.layout import space
from dynamics.export.layout.layout import dressed
from dynamics.export.layout.perspective import View, Word
from dynamics.export.layout.sizes import SIZES, Print
from dynamics.export.layout.thinning import thinned
from dynamics.export.layout.traces import numbers
from dynamics.export.picture import picture
from dynamics.export.render import chrome
from dynamics.export.render.chrome import PictureError
from dynamics.paper.figure import Curve, Found
from dynamics.paper.overlay import curves
from dynamics.runs.maps import cells_at
from dynamics.runs.run import Run, RunError
from dynamics.runs.start import start
from tests.conftest import folder_of_runs
from tests.support.charts import chart, pair_in_space, trajectories, two_panels, unaided
from tests.support.few import few
from tests.support.make import full, is_sentence, recorded, small, until

pytestmark = pytest.mark.xdist_group("picture")  # in one process, they share what they set up

ROOT = Path(__file__).parents[2]
SVG = "{http://www.w3.org/2000/svg}"
LABELS = ("Gradient steps", "original", "compressed", "Recovery error")


@pytest.fixture(scope="module")
def words() -> About:
    return about([Config(seed_noise=17)], "recovery_error")


@pytest.fixture(scope="module")
def panels(finished: Run) -> dict[str, Any]:
    return two_panels(finished)


@pytest.fixture(scope="module")
def files(words: About) -> dict[str, bytes]:
    """A chart of 1,000 records for a column, the PNG in grey."""
    column, grey = Print("column", font=7), Print("column", grey=True)
    return {
        form: picture(Chart(chart(), words), form, grey if form == "png" else column)
        for form in ("pdf", "svg", "png", "tikz")
    }


def test_pdf_is_of_exact_width_with_text_as_text_in_fonts_of_its_own(
    files: dict[str, bytes],
) -> None:
    """A journal takes it: 3.25 inches, every font embedded, words that can be searched."""
    document = PdfReader(io.BytesIO(files["pdf"]))
    (page,) = document.pages
    assert float(page.mediabox.width) == pytest.approx(3.25 * 72, abs=0.01)
    said = page.extract_text()
    assert all(label in said for label in LABELS)
    sizes: dict[str, float] = {}

    def note(text: str, by: list[float], at: list[float], _: object, size: float) -> None:
        sizes[text.strip()] = abs(size * at[3] * by[3])

    page.extract_text(visitor_text=note)
    assert sizes["Gradient steps"] == pytest.approx(7, rel=0.01)
    fonts = [font.get_object() for font in page["/Resources"]["/Font"].values()]
    assert fonts
    for font in fonts:
        descriptor = font["/DescendantFonts"][0].get_object()["/FontDescriptor"]
        assert {"/FontFile2", "/FontFile3"} & set(descriptor.get_object())


def test_svg_is_in_inches_with_text_as_text(files: dict[str, bytes]) -> None:
    root = ElementTree.fromstring(files["svg"])
    assert root.get("width") == "3.25in"
    assert float(str(root.get("height")).removesuffix("in")) >= SIZES["column"].height
    texts = ["".join(text.itertext()) for text in root.iter(f"{SVG}text")]
    assert all(any(label in text for text in texts) for label in LABELS)
    assert not list(root.iter(f"{SVG}image"))
    sizes = {float(size) for size in re.findall(rb"font-size: ([\d.]+)px", files["svg"])}
    assert pytest.approx(max(size for size in sizes if size < 9.6), abs=0.02) == 7 * 96 / 72


def test_png_has_its_dots_per_inch_and_in_grey_no_colour(files: dict[str, bytes]) -> None:
    image = Image.open(io.BytesIO(files["png"]))
    assert image.width == 3.25 * 300
    assert image.info["dpi"] == pytest.approx((300, 300), abs=0.1)
    pixels = np.asarray(image).astype(int)
    assert np.ptp(pixels, axis=2).max() <= 2 and pixels.min() < 100


def test_files_carry_caption_source_and_paper(files: dict[str, bytes], words: About) -> None:
    """Years later the file itself says how it came about."""
    told = dict(PdfReader(io.BytesIO(files["pdf"])).metadata or {})
    assert told["/Title"] == words.title and told["/Subject"] == words.caption
    assert told["/Source"] == words.source == command_of(Config(seed_noise=17))
    image: Any = Image.open(io.BytesIO(files["png"]))
    assert image.text["Description"] == words.caption
    assert image.text["BibTeX"] == words.bibtex
    assert "@inproceedings{kwon" in words.bibtex and "@software{dln_explorer" in words.bibtex
    assert "http" not in words.caption  # a local address would lead nobody anywhere
    description = ElementTree.fromstring(files["svg"]).findtext(f"{SVG}desc")
    assert description and words.caption in description
    for part in ("L = 3", "r̂ = 10", "noise 17", "N = 1 run", "Kwon", "version 1"):
        assert part in words.caption


def test_a_file_has_the_axes_and_the_entries_that_are_seen(tmp_path: Path) -> None:
    """Whatever axis the chart has, the strip of residuals keeps its own, logarithmic, range."""
    with folder_of_runs(tmp_path) as folder:
        run = start(full(steps=60), folder)
        until(lambda: run.status.phase == "done")
        held = {"x": [10, 50], "y": [-3, 1], "strip": [-17, -12]}
        for log, type_ in ((True, "log"), (False, "linear"), (None, "linear")):
            view = {"log": log, "held": held, "hidden": ["target s<sub>i</sub>", "theory"]}
            figure = of_runs([run], "singular_values/original", view=view).figure
            layout = go.Figure(figure).layout
            assert (layout.yaxis.type, layout.yaxis2.type) == (type_, "log")
            ranges = [layout[axis].range for axis in ("xaxis", "yaxis", "yaxis2")]
            assert ranges == [tuple(held[name]) for name in held]
            assert not layout.shapes
            assert {trace["legendgroup"] for trace in figure["data"]} == {"original"}


def test_files_of_a_thousand_records_are_small(files: dict[str, bytes]) -> None:
    """A few hundred kilobytes at most, however the lines wiggle."""
    assert max(map(len, files.values())) < 300_000
    assert len(files["tikz"]) > 5_000


def test_long_lines_keep_their_ends_and_peaks() -> None:
    """A spike of one record among 50,000 is drawn; what is thinned is the rest."""
    figure = chart(50_000)
    values = numbers(figure["data"][0]["y"]).copy()
    values[31_234] = 50.0
    figure["data"][0]["y"] = values.tolist()
    made = thinned(figure)
    drawn = numbers(made["data"][0]["y"])
    assert len(drawn) <= 1200 and drawn.max() == 50
    assert drawn[[0, -1]] == pytest.approx(values[[0, -1]], rel=1e-5)


def test_lines_that_the_legend_names_differ_in_dash() -> None:
    """Printed in grey, four runs of two networks are told apart all the same."""
    runs = [(f"run {number}", unaided(trajectories(20))) for number in range(4)]
    figure = compared(runs, "recovery_error").to_plotly_json()
    lines = [trace["line"].get("dash") for trace in dressed(figure, Print(grey=True))["data"]]
    assert len(lines) == 8
    assert all(one != other for one, other in combinations(lines, 2))


@pytest.mark.slow
def test_a_slide_is_16_to_9_whatever_it_holds(finished: Run) -> None:
    """Many names above a chart, five maps; elsewhere the file grows instead."""
    runs = [(f"run {number}", unaided(trajectories(20))) for number in range(4)]
    many = compared(runs, "recovery_error").to_plotly_json()
    maps = panel.of_runs([finished], "heat_maps").to_plotly_json()
    for figure in (many, maps):
        layout = dressed(figure, Print("slide"))["layout"]
        assert (layout["width"], layout["height"]) == (1280, 720)
    column = SIZES["column"].height * 96
    assert dressed(many, Print())["layout"]["height"] > column + 50


def test_a_long_title_of_a_value_axis_is_in_two_lines_where_it_would_be_cut_off() -> None:
    """In LaTeX, too."""
    figure = chart(20)
    words = "½ mean square, held-out ratings (RMSE in stars)"
    figure["layout"]["yaxis"]["title"]["text"] = words
    titles = {
        size: dressed(figure, Print(size))["layout"]["yaxis"]["title"]["text"] for size in SIZES
    }
    assert "<br>" in titles["column"] and titles["column"].replace("<br>", " ") == words
    assert titles["page"] == words
    code = picture(Chart(figure, about([Config()], "recovery_error")), "tikz", Print())
    assert b"ratings (RMSE in stars)}, ylabel style={align=center}" in code


def test_every_line_has_a_name_in_the_legend_of_a_single_network() -> None:
    """On the page the card's title names it; a file stands alone."""
    one = trajectories(20)[:1]
    figure = registry.load("charts", "recovery_error").draw(unaided(one))
    figure.data[0].showlegend = False
    made = dressed(figure.to_plotly_json(), Print())
    assert made["data"][0]["showlegend"] and made["layout"]["showlegend"]


@pytest.mark.parametrize(
    ("values", "said"),
    [({"size": "poster"}, "poster"), ({"font": 100}, "4 to 72"), ({"line": 0.1}, "0.25 to 10")],
)
def test_a_print_that_cannot_be_is_refused_in_a_sentence(values: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said) as caught:
        Print(**values)
    assert is_sentence(str(caught.value))


@pytest.fixture
def browsers() -> Callable[[], list[psutil.Process]]:
    """Gives the first processes of the browsers that were started since: none of another test."""
    before = {each.pid for each in psutil.Process().children(recursive=True)}

    def started() -> list[psutil.Process]:
        found = []
        for each in psutil.Process().children(recursive=True):
            with contextlib.suppress(psutil.Error):  # it is ending
                first = "chrom" in each.name() and "--type=" not in " ".join(each.cmdline())
                if first and each.pid not in before:
                    found.append(each)
        return found

    return started


@pytest.mark.slow
def test_a_browser_that_is_killed_is_started_once_more(
    words: About, browsers: Callable[[], list[psutil.Process]]
) -> None:
    """What was asked for comes all the same, and nobody notices."""
    killed = []

    def kill() -> None:
        (browser, *_) = until(browsers)
        killed.append(browser.pid)
        browser.kill()

    killer = threading.Thread(target=kill)
    killer.start()
    assert picture(Chart(chart(50), words), "svg", Print()).startswith(b"<svg")
    killer.join()
    assert killed


def test_a_browser_that_is_stopped_is_ended_with_a_sentence(
    words: About,
    browsers: Callable[[], list[psutil.Process]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It takes the time that a picture may take, and leaves neither processes nor files."""
    monkeypatch.setattr(chrome, "PATIENCE", 2.0)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    stopped = []

    def stop() -> None:
        (browser, *_) = until(browsers)
        stopped.append(browser)
        browser.suspend()

    stopper = threading.Thread(target=stop)
    stopper.start()
    with pytest.raises(PictureError, match="did not answer in time") as refused:
        picture(Chart(chart(50), words), "svg", Print())
    stopper.join()
    assert is_sentence(str(refused.value))
    # One that nobody has waited for is ended, and still in the list of processes.
    assert not stopped[0].is_running() or stopped[0].status() == psutil.STATUS_ZOMBIE
    assert not browsers() and not [*tmp_path.iterdir()]


def test_a_browser_that_dies_again_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "chromium"
    broken.write_text(f"#!/bin/sh\necho >> {tmp_path}/starts\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setenv("BROWSER_PATH", str(broken))
    with pytest.raises(PictureError, match="died twice"):
        chrome.draw([(dressed(chart(50), Print()), "svg", 1.0)])
    assert (tmp_path / "starts").read_text() == "\n\n"


def command(*arguments: str | Path, browser: Path) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "dynamics", "export", *map(str, arguments)],
        cwd=ROOT,
        env=os.environ | {"BROWSER_PATH": str(browser)},
        capture_output=True,
        check=False,
    )


def test_without_a_browser_one_sentence_says_what_to_install(finished: Run, tmp_path: Path) -> None:
    """TikZ needs none."""
    place = ("--runs", finished.folder.parent)
    done = command(finished.key, "--format", "pdf", *place, browser=tmp_path / "none")
    said = done.stderr.decode().strip()
    assert done.returncode == 2 and is_sentence(said.partition(": ")[2]), said
    assert "apt-get install chromium" in said and "TikZ, HTML and the numbers need none" in said
    done = command(
        finished.key, "--format", "tikz", "--out", "-", *place, browser=tmp_path / "none"
    )
    assert done.returncode == 0 and b"\\begin{tikzpicture}" in done.stdout


@pytest.mark.parametrize(("size", "beside"), [("column", False), ("text", True), ("slide", True)])
def test_panels_stand_beside_each_other_where_there_is_room_and_never_overlap(
    panels: dict[str, Any], size: str, beside: bool
) -> None:
    """Each with its own lines on its own axes; a name stands in the legend once."""
    layout = dressed(panels, Print(size))["layout"]
    across, down = (
        [tuple(layout[f"{letter}axis{i}"].get("domain", (0, 1))) for i in ("", "2")]
        for letter in "xy"
    )
    gap = across[1][0] - across[0][1] if beside else down[0][0] - down[1][1]
    assert (
        0.05 < gap < 0.5 and (down[0] == down[1]) == beside and (across[0] == across[1]) != beside
    )
    assert layout["yaxis"]["type"] == "log" and layout["yaxis2"]["type"] == "linear"
    names = [trace["name"] for trace in panels["data"] if trace.get("showlegend")]
    assert len(names) == len(set(names)) and {"original", "compressed"} <= set(names)


def test_several_runs_share_a_chart(finished: Run) -> None:
    """``export KEY KEY`` draws what the page compares."""
    figure = panel.of_runs([finished, finished], "recovery_error")
    assert len(figure.data) == 4
    with pytest.raises(RunError, match="None of these runs has a distance"):
        panel.of_runs([finished, finished], "distance")


def test_charts_of_other_kinds_are_dressed_too(words: About) -> None:
    """Bars with words on an axis, curves in space, heat maps: every page has the same dialog."""
    bars = go.Figure(go.Bar(x=[0.1, 50.0], y=["steps", "cost"], orientation="h", name="factor"))
    bars.update_xaxes(type="log").update_yaxes(type="category")
    ramp = np.arange(2000.0)
    curve = go.Figure(go.Scatter3d(x=ramp, y=ramp, z=ramp, mode="lines", name="path"))
    heat = go.Figure(go.Heatmap(z=np.eye(5)))
    for figure in (bars, curve, heat):
        made = dressed(figure.to_plotly_json(), Print())
        assert made["layout"]["width"] == 312
    for form in formats.of_kind("film"):
        with pytest.raises(PictureError, match="has no time") as caught:
            picture(Chart.of(bars, words), form, Print())
        assert is_sentence(str(caught.value))
    assert len(numbers(dressed(curve.to_plotly_json(), Print())["data"][0]["z"])) == 2000


@pytest.mark.slow
def test_heat_maps_are_printed_with_their_words_and_in_grey_keep_their_signs(
    finished: Run, words: About
) -> None:
    """Five square maps of 10 × 14 in a column; from black to white, so that − is not +."""
    drawn = panel.of_runs([finished], "heat_maps").to_plotly_json()
    document = PdfReader(io.BytesIO(picture(Chart(drawn, words), "pdf", Print())))
    (page,) = document.pages
    assert float(page.mediabox.width) == pytest.approx(3.25 * 72, abs=0.01)
    assert 72 < float(page.mediabox.height) < 3.25 * 72
    said = page.extract_text()
    for words_ in ("Heat maps of W at step 60", "original", "W − M*", "target", "entry"):
        assert words_ in said
    made = dressed(drawn, Print(grey=True))
    _, colors = zip(*made["layout"]["coloraxis"]["colorscale"], strict=True)
    assert [int(color[1:3], 16) for color in colors] == [0, 255]
    assert not made["layout"]["showlegend"]


@pytest.mark.parametrize("size", ["column", "text", "slide"])
def test_words_over_many_heat_maps_are_no_wider_than_the_maps(finished: Run, size: str) -> None:
    """Four networks with long names: they fold, and the rows make room for their lines."""
    names = ["compressed without α", "narrow with random start"]
    long = [
        Shown(dataclasses.replace(trajectory, network=network), cells=cells)
        for trajectory, cells, network in zip(
            finished.trajectories * 2,
            cells_at(finished) * 2,
            ("original", "compressed", "compressed_even", "narrow_random"),
            strict=True,
        )
    ]
    figure = registry.load("charts", "heat_maps").draw(long)
    made = go.Figure(dressed(figure.to_plotly_json(), Print(size)))
    headings = [each for each in made.layout.annotations if each.text]
    words = [line for each in headings for line in each.text.split("<br>")]
    assert not set(names) & set(words) and "without α" in " ".join(words)
    height = made.layout.height - made.layout.margin.t - made.layout.margin.b
    rows = sorted({axis.domain for axis in made.select_yaxes()})
    tall = max(each.text.count("<br>") + 1 for each in headings) * headings[0].font.size
    assert (rows[1][0] - rows[0][1]) * height > 1.2 * tall
    wide = (made.layout.width - made.layout.margin.l - made.layout.margin.r) / 5
    whole = [line for line in words if " " in line]  # a single word is never broken
    assert all(len(line) * 0.5 * headings[0].font.size < wide for line in whole)


def test_words_of_a_change_stand_over_the_chart_and_hide_no_line() -> None:
    figure = marked("losses", unaided(recorded(small(changes="25:alpha=3")))).to_plotly_json()
    layout = dressed(figure, Print("slide"))["layout"]
    (note,) = layout["annotations"]
    assert note["yanchor"] == "bottom" and note["y"] == 1 and layout["legend"]["y"] > 1.05
    assert note["font"]["size"] > 0.8 * 24 * 96 / 72


def test_a_chart_in_space_is_seen_as_on_the_page(finished: Run) -> None:
    """Whatever the size, the eye keeps the direction that was turned to."""
    eye = {"x": 2.0, "y": 0.5, "z": 0.25}
    view = {"held": {"camera": {"eye": eye, "center": {"x": 0, "y": 0, "z": 0}}}}
    seen = of_runs([finished], "spectrum_over_time/original", "steps", view)
    assert len(seen.figure["data"]) == 1
    for size in SIZES:
        camera = dressed(dict(seen.figure), Print(size))["layout"]["scene"]["camera"]
        away = {side: camera["eye"][side] - camera["center"][side] for side in "xyz"}
        assert away["x"] / away["y"] == pytest.approx(4) and away["y"] / away["z"] == pytest.approx(
            2
        )
    both = dressed(panel.of_runs([finished], "spectrum_over_time").to_plotly_json(), Print())
    assert both["layout"]["showlegend"]


@pytest.mark.parametrize("size", few(SIZES, 1))
def test_words_at_axes_in_space_are_whole_and_apart(size: str) -> None:
    """Two charts stand below each other in a column, else in a row; every word is on the page."""
    made = space.lettered(dressed(pair_in_space(), Print(size)))
    layout = made["layout"]
    first, second = (layout[name]["domain"] for name in ("scene", "scene2"))
    assert (first["x"] == second["x"]) == (size == "column")
    margin = layout["margin"]
    wide = layout["width"] - margin["l"] - margin["r"]
    tall = layout["height"] - margin["t"] - margin["b"]
    found = [
        Word(
            each["text"],
            np.array([each["x"] * wide, (1 - each["y"]) * tall]),
            each["font"]["size"],
            each["textangle"],
        )
        for each in layout["annotations"][2:]
    ]
    assert {"gradient steps", "mode i", "σ of mode i", "0", "20", "2k"} <= {w.text for w in found}
    assert min(word.size for word in found) >= 0.8 * Print(size).font * 96 / 72
    for word in found:
        assert (word.at - word.half > -2).all()
        assert (word.at + word.half < [wide + 2, tall + 2]).all()
    level = [word for word in found if not word.angle]
    assert not any(one.meets(other) for one, other in combinations(level, 2))


@pytest.mark.slow
def test_words_at_axes_in_space_are_drawn_where_they_are_meant() -> None:
    """By their middles, which Plotly turns them about."""
    made = space.lettered(dressed(pair_in_space(), Print("page")))
    (drawn,) = chrome.draw([(made, "svg", 1.0)])
    turned = r'class="annotation-text-g" transform="rotate\(([^)]*)\)"'
    middles = [
        tuple(map(float, each.split(",")))[1:] for each in re.findall(turned, drawn.decode())
    ]
    layout = made["layout"]
    margin = layout["margin"]
    wide = layout["width"] - margin["l"] - margin["r"]
    tall = layout["height"] - margin["t"] - margin["b"]
    meant = [
        (margin["l"] + each["x"] * wide, margin["t"] + (1 - each["y"]) * tall)
        for each in layout["annotations"][2:]
    ]
    assert len(meant) > 20 and np.allclose(middles[2:], meant, atol=1)


def test_charts_in_space_come_apart_for_a_page_that_may_be_narrow() -> None:
    """Each with its own marks and heading, and seen from where its words fit on a phone."""
    pair = go.Figure(pair_in_space())
    parts = space.apart(pair)
    assert [heading for heading, _ in parts] == ["original", "compressed"]
    for number, (_, part) in enumerate(parts):
        (trace,) = part.data
        assert trace.marker.color == pair.data[number].marker.color
        assert part.layout.width is None and not part.layout.annotations
        assert part.layout.scene.zaxis.title.text == "σ of mode i"
    ((heading, whole),) = space.apart(go.Figure(chart(10)))
    assert not heading and len(whole.data) == 2


@pytest.mark.slow
def test_axes_on_the_page_meet_the_box_that_is_drawn_in_space() -> None:
    """The corners that Plotly draws are where we say that they are, and so are our axes."""
    made = space.lettered(dressed(pair_in_space(), Print("page")))
    (drawn,) = chrome.draw([(made, "png", 2.0)])
    pixels = np.asarray(Image.open(io.BytesIO(drawn)).convert("RGB")).astype(int)
    red = (pixels[..., 0] > 200) & (pixels[..., 1:].max(-1) < 60)
    layout, scene = made["layout"], made["layout"]["scene"]
    margin, (left, right), (bottom, top) = layout["margin"], *map(scene["domain"].get, "xy")
    wide = layout["width"] - margin["l"] - margin["r"]
    tall = layout["height"] - margin["t"] - margin["b"]
    eye, center = (
        np.array([scene["camera"][of][side] for side in "xyz"]) for of in ("eye", "center")
    )
    view = View(eye, center, np.ones(3), wide * (right - left), tall * (top - bottom))
    inner = 0.5 / (1 + 2 * space.ROOM)
    corners = np.array(list(product((-inner, inner), repeat=3)))
    start = np.array([margin["l"] + wide * left, margin["t"] + tall * (1 - top)])
    for x, y in (start + view.onto(corners)) * 2:
        rows, columns = np.nonzero(red[int(y) - 12 : int(y) + 13, int(x) - 12 : int(x) + 13])
        assert len(rows) and abs(rows.mean() - 12) < 2.5 and abs(columns.mean() - 12) < 2.5


def test_a_picture_is_drawn_where_a_loop_already_runs(words: About) -> None:
    """As in every cell of a notebook."""

    async def cell() -> bytes:
        return picture(Chart(chart(10), words), "svg", Print("column"))

    with ThreadPoolExecutor(1) as thread:  # the browser tests' loop may run in this one
        assert thread.submit(asyncio.run, cell()).result().startswith(b"<svg")


def test_a_band_over_seeds_is_a_tint_without_rim_or_name_and_grey_in_grey() -> None:
    seeds = [{each.network: each for each in trajectories(9)} for _ in range(5)]
    found = Found({"all": seeds})
    drawn = [Curve(name, "all", name, "recovery_error") for name in ("original", "compressed")]
    figure = curves(found, drawn, "Over seeds", "error").to_plotly_json()
    bands = [trace for trace in dressed(figure, Print(grey=True))["data"] if trace.get("fill")]
    for band in bands:
        levels = {int(level) for level in re.findall(r"\d+", band["fillcolor"])[:3]}
        assert not band["showlegend"] and band["line"]["width"] == 0 and len(levels) == 1
    assert len(bands) == 2
