"""TikZ: every kind of chart as LaTeX reads it, its numbers where all other files have them."""

import functools
import io
import math
import re
import shutil
import subprocess
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
from PIL import Image
from plotly.subplots import make_subplots

from dynamics.core.config import Config
from dynamics.draw import panel, waterfall
from dynamics.draw.chart import marked
from dynamics.export.caption import about
from dynamics.export.chart import Chart
from dynamics.export.layout import space
from dynamics.export.layout.layout import dressed
from dynamics.export.layout.sizes import Print
from dynamics.export.layout.thinning import thinned
from dynamics.export.layout.traces import numbers
from dynamics.export.picture import picture
from dynamics.export.render import chrome
from dynamics.export.tikz import MOST_POINTS, tikz
from dynamics.export.tikz.pens import text
from dynamics.findings import attribution
from dynamics.paper.figure import Curve, Found
from dynamics.paper.overlay import curves
from dynamics.runs.run import Run
from tests.support.charts import chart, pair_in_space, trajectories, two_panels, unaided
from tests.support.make import recorded, small

NUMBER = r"(-?[\d.]+(?:e[+-]?\d+)?)"


def code_of(figure: dict[str, Any], size: str = "column") -> str:
    how = Print(size)
    return tikz(dressed(thinned(figure, MOST_POINTS), how), how)


def understood(code: str, folder: Path) -> None:
    """By LaTeX, where there is one."""
    document = (
        "\\documentclass{article}\\usepackage{pgfplots}\\pgfplotsset{compat=1.18}"
        f"\\begin{{document}}\n{code}\\end{{document}}"
    )
    (folder / "chart.tex").write_text(document)
    if shutil.which("pdflatex"):
        halt = ["-interaction=nonstopmode", "-halt-on-error"]
        done = subprocess.run(
            ["pdflatex", *halt, "chart.tex"], cwd=folder, capture_output=True, check=False
        )
        assert done.returncode == 0, done.stdout[-800:].decode(errors="replace")


@functools.cache
def causes() -> go.Figure:
    """The bars of an attribution over three seeds."""
    config = small(
        problem="factorization",
        learning_rate=3.0,
        steps=400,
        networks=attribution.networks(small()),
    )
    seeds = [recorded(each) for each in attribution.ladder(config, 3)]
    return waterfall.draw(attribution.attribute(config, seeds, "1e-1"))


def test_every_kind_of_chart_is_understood_by_latex(tmp_path: Path, finished: Run) -> None:
    """All the signs of our labels, in the fonts that every TeX has, and what changed on the way."""
    changed = marked("losses", unaided(recorded(small(changes="25:alpha=3"))), "log steps")
    names = ("singular_values", "principal_angles", "losses", "factor_singular_values")
    names += ("heat_maps", "spectrum_over_time")
    charts = {name: panel.of_runs([finished], name) for name in names}
    charts |= {"changed": changed, "causes": causes(), "pair": go.Figure(pair_in_space())}
    for name, figure in charts.items():
        code = picture(Chart.of(figure, about([finished.config], name)), "tikz", Print())
        assert b"% 2311.05061" in code or b"eprint" in code  # the paper, as in all other files
        understood(code.decode(), tmp_path)


def test_every_line_and_every_mark_of_a_change_is_there(finished: Run) -> None:
    changed = marked("losses", unaided(recorded(small(changes="25:alpha=3"))), "log steps")
    for figure in (panel.of_runs([finished], "singular_values"), changed):
        code = code_of(figure.to_plotly_json())
        assert code.count("\\addplot") >= sum(len(numbers(trace.x)) > 0 for trace in figure.data)
        assert code.count("\\draw[") == len(figure.layout.annotations)


def test_lines_are_drawn_on_their_own_axes(finished: Run) -> None:
    """Panels, and the strip below the singular values, which shares their time axis."""
    panels = two_panels(finished)
    strip = dict(panel.of_runs([finished], "singular_values").to_plotly_json())
    strip["data"] = [*strip["data"], strip["data"][0] | {"yaxis": "y2", "y": [1e-9] * 14}]
    strip["layout"] |= {"yaxis2": {"domain": [0, 0.2], "type": "log", "title": {"text": "strip"}}}
    for figure, logarithmic in ((panels, [True, False]), (strip, [False, True])):
        axes = code_of(figure).split("\\begin{axis}")[1:]
        drawn = [
            sum((trace.get("yaxis") or "y") == y for trace in figure["data"]) for y in ("y", "y2")
        ]
        assert [each.count("\\addplot") for each in axes][1] == drawn[1]
        assert axes[0].count("\\addplot") >= drawn[0]
        assert ["ymode=log" in each for each in axes] == logarithmic


def test_the_legend_has_the_order_of_the_page() -> None:
    figure = chart(20)
    for trace, rank in zip(figure["data"], (7, 3), strict=True):
        trace["legendrank"] = rank
    entries = re.findall(r"\\addlegendentry\{(\w+)\}", code_of(figure))
    assert entries == ["compressed", "original"]


def test_ticks_that_have_words_keep_them() -> None:
    """Losses with their RMSE beside; what is out of sight needs no tick."""
    figure = chart(20)
    figure["layout"]["yaxis"] |= {
        "type": "linear",
        "range": [0, 2],
        "tickvals": [0.5, 1, 5],
        "ticktext": ["0.5 (1)", "1 (1.41)", "5 (3.16)"],
    }
    code = code_of(figure)
    assert "ytick={0.5,1}, yticklabels={{0.5 (1)},{1 (1.41)}}" in code


def test_bands_over_seeds_are_areas_without_a_name() -> None:
    seeds = [{each.network: each for each in trajectories(9)} for _ in range(5)]
    drawn = [Curve(name, "all", name, "recovery_error") for name in ("original", "compressed")]
    figure = curves(Found({"all": seeds}), drawn, "Over seeds", "error").to_plotly_json()
    code = code_of(figure)
    assert code.count("draw=none, fill={rgb") == 2 and code.count("\\addlegendentry") == 2


def test_few_seeds_are_clear_lines_without_a_name() -> None:
    seeds = [{each.network: each for each in trajectories(9)} for _ in range(3)]
    drawn = [Curve(name, "all", name, "recovery_error") for name in ("original", "compressed")]
    figure = curves(Found({"all": seeds}), drawn, "Over seeds", "error").to_plotly_json()
    for how in (Print(), Print(grey=True)):
        code = tikz(dressed(figure, how), how)
        clear = re.findall(
            r"color=\{rgb,255:red,(\d+);green,(\d+);blue,(\d+)\}, opacity=0.45", code
        )
        assert len(clear) == 6 and code.count("\\addlegendentry") == 2
        assert all((len(set(color)) == 1) == how.grey for color in clear)


def test_bars_reach_from_cause_to_cause_with_their_quartiles() -> None:
    """A bar for each, as long as its factor; its words; lines where seeds scatter."""
    figure = causes()
    bars = [trace for trace in figure.data if trace.type == "bar"]
    code = code_of(figure.to_plotly_json())
    drawn = re.findall(rf"rectangle \(axis cs:{NUMBER},{NUMBER}\)", code)
    ends = [trace.base[0] + trace.x[0] for trace in bars]
    assert [float(x) for x, _ in drawn] == pytest.approx(ends, rel=1e-5)
    rows = [float(y) for _, y in drawn]
    assert rows == sorted(rows) and len(set(rows)) == len(bars)
    spread = [trace for trace in figure.data if trace.error_x.array is not None]
    assert code.count("\\draw[") == len(spread)
    for trace in figure.data:
        if trace.type == "scatter" and trace.mode == "text":
            assert f"{{{text(trace.text[0].strip())}}};" in code
    assert "\\textbf{Steps in all}" in code and "xmode=log" in code and "y dir=reverse" in code


def cells_of(code: str) -> list[np.ndarray[Any, Any]]:
    """The numbers of each map."""
    return [
        np.array([float(each) for each in found.split()])
        for found in re.findall(r"meta index=0\] \{\n(.*?)\n\};", code, re.DOTALL)
    ]


def test_heat_maps_have_every_cell_in_its_place(finished: Run) -> None:
    """Five maps of 10 × 14, apart, cells square, row by row; one without a number is left out."""
    figure = panel.of_runs([finished], "heat_maps").to_plotly_json()
    figure["data"][0]["z"][2][3] = None
    code = code_of(figure, "text")
    maps = cells_of(code)
    assert len(maps) == 5
    for trace, cells in zip(figure["data"], maps, strict=True):
        given = numbers(trace["z"]).ravel()
        assert np.allclose(cells, given, rtol=5e-3, equal_nan=True)
    assert math.isnan(maps[0][2 * 14 + 3]) and np.isnan(maps[0]).sum() == 1
    boxes = [
        tuple(map(float, found))
        for found in re.findall(
            rf"at=\{{\({NUMBER}bp,{NUMBER}bp\)\}},\nwidth={NUMBER}bp, height={NUMBER}bp", code
        )
    ]
    for x, y, wide, tall in boxes:
        assert wide / tall == pytest.approx(14 / 10, rel=1e-3)
        assert x >= 0 and y >= 0 and x + wide < 5.5 * 72
    for i, (x, y, wide, tall) in enumerate(boxes):
        for other_x, other_y, *_ in boxes[i + 1 :]:
            assert abs(other_x - x) >= wide or abs(other_y - y) >= tall
    assert code.count("colorbar style") == 1 and "Heat maps of W at step 60" in code


def test_heat_maps_of_many_networks_are_coarser_so_that_tex_can_hold_them() -> None:
    """The means of blocks of 2 × 2 cells; of those alone that have a number."""
    cells = np.arange(2500.0).reshape(50, 50)
    cells[0, 0] = np.nan
    figure = make_subplots(1, 8, subplot_titles=["a"] * 8)
    for column in range(1, 9):
        figure.add_heatmap(z=cells.tolist(), coloraxis="coloraxis", row=1, col=column)
    scale = {"colorscale": ((0, "#000000"), (1, "#ffffff")), "cmin": 0, "cmax": 2500}
    figure.update_layout(
        coloraxis=scale | {"colorbar": {"title": {"text": "entry"}}}, title_text="Many"
    )
    maps = cells_of(code_of(dict(figure.to_plotly_json()), "page"))
    assert len(maps) == 8 and maps[0].size == 25**2
    assert maps[0][0] == pytest.approx((1 + 50 + 51) / 3, rel=5e-3)
    assert maps[0][-1] == pytest.approx(cells[-2:, -2:].mean(), rel=5e-3)


@pytest.mark.slow
def test_marks_in_space_are_where_plotly_draws_them() -> None:
    """Each in the middle of its own dot of the picture, in every corner of both boxes."""
    made = dressed(pair_in_space(), Print("page"))
    code = tikz(made, Print("page"))
    (drawn,) = chrome.draw([(space.lettered(made), "png", 2.0)])
    pixels = np.asarray(Image.open(io.BytesIO(drawn)).convert("RGB")).astype(int)
    for shade, channel in (("red,255;green,0;blue,0", 0), ("red,0;green,0;blue,255", 2)):
        rest = [each for each in range(3) if each != channel]
        seen = (pixels[..., channel] > 200) & (pixels[..., rest].max(-1) < 60)
        marks = re.findall(rf"\{{rgb,255:{shade}\}}\] \({NUMBER},{NUMBER}\) circle", code)
        assert len(marks) == 8
        for x, y in marks:
            column, row = float(x) * 2, len(pixels) - float(y) * 2
            rows, columns = np.nonzero(
                seen[int(row) - 12 : int(row) + 13, int(column) - 12 : int(column) + 13]
            )
            assert len(rows) and abs(rows.mean() - 12) < 2.5 and abs(columns.mean() - 12) < 2.5


def test_surfaces_are_painted_from_far_to_near_and_hide_what_is_behind(finished: Run) -> None:
    """Of two tiles the one that is painted later is nearer; words and grid as in other files."""
    figure = panel.of_runs([finished], "spectrum_over_time").to_plotly_json()
    code = code_of(figure)
    rows = [len(numbers(trace["z"])) for trace in figure["data"]]
    columns = [numbers(trace["z"]).shape[1] for trace in figure["data"]]
    tiles = re.findall(r"\\filldraw\[color=(\{.*?\}), line width=.2pt\] (.*?) -- cycle;", code)
    assert len(tiles) == sum((i - 1) * (j - 1) for i, j in zip(rows, columns, strict=True))
    made = go.Figure(space.lettered(dressed(figure, Print())))
    (scene,) = space.scenes_of(made)
    view = space.view_of(made, scene)
    half = np.array([scene.aspectratio[side] for side in "xyz"]) / 2
    corners = np.array(list(product((-1, 1), (-1, 1), (-1,)))) * half  # of the floor
    order = corners[np.argsort(-np.linalg.norm(corners - view.eye, axis=1))]
    low = made.layout.margin.l, made.layout.margin.b
    far, near = (view.onto(order[[i]])[0] for i in (0, -1))
    far, near = (np.array([x + low[0], view.height - y + low[1]]) for x, y in (far, near))

    def middle(tile: str) -> Any:
        corners = re.findall(rf"\({NUMBER},{NUMBER}\)", tile)
        return np.array(corners, float).mean(0)

    first, last = middle(tiles[0][1]), middle(tiles[-1][1])
    assert np.linalg.norm(first - far) < np.linalg.norm(last - far)
    assert np.linalg.norm(last - near) < np.linalg.norm(first - near)
    assert "Gradient steps" in code and "{mode i}" in code


def test_a_mode_s_band_is_behind_its_line_and_before_the_modes_beyond() -> None:
    """Mode after mode from the farthest on; where a band has no height it is left out."""
    figure, x = go.Figure(), np.arange(5.0)
    for mode, shade in ((1, "#111111"), (2, "#222222"), (3, "#333333")):
        z = np.stack([x, np.where(x == 4, np.nan, x + 1)])
        wall = {"x": np.stack([x, x]), "y": np.full((2, 5), mode + 0.05), "z": z}
        figure.add_surface(**wall, colorscale=[[0, shade], [1, shade]], showscale=False)
        figure.add_scatter3d(x=x, y=[mode] * 5, z=x, mode="lines", line={"color": shade})
    figure.update_scenes(camera={"eye": {"x": -1.8, "y": -2.0, "z": 1.0}})
    drawn = [
        (int(found[2]), found[1])
        for found in re.finditer(
            r"\\(filldraw|draw)\[color=\{rgb,255:red,(17|34|51);", code_of(figure.to_plotly_json())
        )
    ]
    expected = [(shade, what) for shade in (51, 34, 17) for what in ["filldraw"] * 3 + ["draw"]]
    assert drawn == expected


def test_lines_in_space_have_no_more_points_than_can_be_seen() -> None:
    """2,000 records of one plateau are two points and what is between them on the page."""
    ramp = np.arange(2000.0)
    figure = go.Figure(
        go.Scatter3d(x=ramp, y=ramp, z=ramp, mode="lines", line={"color": "#2f6fde"})
    )
    code = code_of(dict(figure.to_plotly_json()))
    (drawn,) = [each for each in code.splitlines() if "line join" in each]
    assert 2 < drawn.count(" -- ") < 400


@pytest.mark.parametrize("config", [Config(), small()])
def test_a_file_says_what_it_is(config: Config) -> None:
    """Caption and paper as comments, before the picture."""
    code = picture(Chart(chart(9), about([config], "recovery_error")), "tikz", Print()).decode()
    head = code.partition("\\begin{tikzpicture}")[0].splitlines()
    assert all(line.startswith("%") for line in head)
    assert "N = 1 run" in code and "@inproceedings{kwon2024efficient" in code
