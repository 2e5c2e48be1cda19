"""Charts for files: the parent run's lines and the lit mode, as the page shows them."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dynamics.draw import panel
from dynamics.draw.look import PARENT, UNLIT
from dynamics.export.chart import of_runs
from dynamics.export.layout.sizes import Print
from dynamics.export.picture import picture
from dynamics.runs.fork import forked
from dynamics.runs.run import Run
from tests.export.test_script import kept
from tests.support.make import small

THEME = Path(__file__).parents[2] / "pages/shared/live/browser/base/theme.js"
STEP = 30
NAME = "singular_values/compressed"


@pytest.fixture
def runs(tmp_path: Path) -> tuple[Run, Run]:
    """A run, and one that goes on from a step of it with another α."""
    parent = kept(small(problem="factorization"), tmp_path)
    return parent, kept(forked(parent.config, STEP, alpha=0.5), tmp_path)


def recorded(figure: Any) -> list[Any]:
    """The lines of the records, without those of the strip below."""
    return [each for each in figure.data if "y" in (each.meta or ()) and each.yaxis != "y2"]


def test_a_file_has_the_lines_of_the_parent_run(runs: tuple[Run, Run]) -> None:
    """Faint, below and in the same colours, from the step on at which both runs part."""
    parent, child = runs
    plain = panel.of_runs([child], NAME)
    both = panel.beside(plain, child, NAME, "steps", parent, STEP)
    faint = [each for each in recorded(both) if each.opacity == PARENT]
    own, theirs = recorded(plain), recorded(panel.of_runs([parent], NAME, theory=False))
    assert len(faint) == len(own) == len(theirs) > 1
    for line, mine, before in zip(faint, own, theirs, strict=True):
        assert line.line.color == mine.line.color and line.showlegend is False
        kept_records = np.asarray(before.x) >= STEP
        assert np.array_equal(line.x, np.asarray(before.x)[kept_records])
        assert np.array_equal(line.y, np.asarray(before.y)[kept_records])
    assert faint[0].y[-1] != own[0].y[-1]
    assert both.data[: len(faint)] == tuple(faint) and both.data[len(faint) :] == plain.data
    untouched = panel.beside(plain, child, "heat_maps", "steps", parent, STEP)
    assert untouched is plain  # a chart of one moment has no lines


def test_a_file_lights_the_mode_that_the_page_lights(runs: tuple[Run, Run]) -> None:
    """All lines of other modes are faint, theory's too; the legend has lines that are lit."""
    parent, child = runs
    figure = panel.beside(panel.of_runs([child], NAME), child, NAME, "steps", parent, STEP)
    names = {each.name for each in figure.data if each.showlegend is not False}
    panel.light(figure, 2)
    modes = [each for each in figure.data if "mode" in (each.meta or ())]
    assert {each.meta["mode"] for each in modes} > {1, 2}
    for each in modes:
        opacity = 1 if each.opacity is None else each.opacity
        assert (opacity <= UNLIT) == (each.meta["mode"] != 2)
        assert each.meta["mode"] == 2 or each.showlegend is False
    assert {each.name for each in figure.data if each.showlegend is not False} == names


def test_the_page_s_view_of_a_chart_goes_into_the_file(runs: tuple[Run, Run]) -> None:
    """Parent and lit mode, in TikZ, too."""
    parent, child = runs
    view = {"beside": [parent.key, STEP], "mode": 2}
    chart = of_runs([child], NAME, view=view)
    found = {each.get("opacity") for each in chart.figure["data"]}
    assert found == {None, UNLIT, PARENT, UNLIT * PARENT}
    code = picture(chart, "tikz", Print("column")).decode()
    used = {float(value) for value in re.findall(r", opacity=([\d.]+)", code)}
    assert sorted(used) == pytest.approx([UNLIT * PARENT, UNLIT, PARENT], rel=1e-2)


def test_files_and_page_have_the_same_opacities() -> None:
    """``FAINT`` and ``OPACITY`` of the page's theme."""
    found = dict(re.findall(r"export const (FAINT|OPACITY) = ([\d.]+);", THEME.read_text()))
    assert {name: float(value) for name, value in found.items()} == {
        "FAINT": UNLIT,
        "OPACITY": PARENT,
    }
