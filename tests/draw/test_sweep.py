"""Maps and lines of sweeps show the medians of the cells, and theory's borders between them."""

import math
from typing import Any

import numpy as np
import pytest

from dynamics.core.sweep import ENDINGS, Axis, Sweep
from dynamics.draw.sweep import draw
from dynamics.export import sweeps
from dynamics.findings.borders import borders
from dynamics.findings.sweeps import Results

BASE: dict[str, Any] = {"rows": 20, "cols": 20, "rank": 3}


def results(*axes: tuple[str, str], seeds: int = 1, **more: Any) -> Results:
    """Runs whose outcome is α + 100 r̂ + 1000 k; none for α = 2 and the first seed."""
    sweep = Sweep.of(BASE, [Axis.read(*axis) for axis in axes], seeds=seeds, **more)
    values = {}
    for config in sweep.configs:
        value = config.alpha + 100 * config.rank_bound + 1000 * config.seed_data
        values[config.key] = math.nan if config.alpha == 2 and not config.seed_data else value
    return Results(sweep, values)


def test_a_cell_is_the_median_of_its_seeds_and_an_unreached_one_counts_as_worse() -> None:
    """With quartiles; a cell of which most seeds lack the outcome has none itself."""
    found = results(("alpha", "1,2"), ("rank_bound", "5,10"), seeds=3)
    np.testing.assert_allclose(found.quartiles[:, 0, 0], [1001, 1501, 2001])
    # NaN, 1502 and 2502: the worst is never reached.
    assert found.quartiles[1, 1, 0] == 2502
    assert math.isnan(found.quartiles[2, 1, 0])
    assert found.counts.tolist() == [[3, 3], [2, 2]]


def test_a_map_has_the_first_axis_along_and_marks_what_is_missing() -> None:
    """In decades of the outcome; a cell that cannot exist differs from one not reached."""
    found = results(("alpha", "1,2,3"), ("rank_bound", "5,10,40"))
    figure = draw(found, theory=False)
    (heat,) = [trace for trace in figure.data if trace.type == "heatmap"]
    np.testing.assert_allclose(heat.z[0], [math.log10(501), math.nan, math.log10(503)])
    assert np.isnan(heat.z[2]).all()
    marks = {trace.name: (list(trace.x), list(trace.y)) for trace in figure.data[1:]}
    assert marks == {
        "not reached": ([1, 1], [0, 1]),
        "cannot exist": ([0, 1, 2], [2, 2, 2]),
    }
    assert list(figure.layout.xaxis.ticktext) == ["1", "2", "3"]
    assert "α = 3, r̂ = 10: 1,003, N = 1 of 1" in heat.customdata[1][2]


@pytest.mark.parametrize(("seeds", "bands"), [(5, 1), (2, 0)])
def test_one_axis_is_a_line_with_quartiles_or_each_seed(seeds: int, bands: int) -> None:
    """Quartiles from five seeds on."""
    figure = draw(results(("alpha", "1,3,4"), seeds=seeds), theory=False)
    assert sum(trace.fill == "toself" for trace in figure.data) == bands
    assert list(figure.data[-1].x) == [1, 3, 4]
    np.testing.assert_allclose(
        figure.data[-1].y, [1000 * (seeds - 1) / 2 + alpha + 1000 for alpha in (1, 3, 4)]
    )


def test_one_run_and_one_missing_cell_are_told_as_one() -> None:
    told = sweeps.about(results(("rank_bound", "5,30"))).caption
    assert "1 cell cannot exist." in told and "N = 1 run." in told


def test_a_third_axis_gives_small_charts_on_one_scale() -> None:
    """One for each of its values, and lines instead of maps if they are asked for."""
    axes = (("alpha", "1,3"), ("rank_bound", "5,10"), ("depth", "2,3,4"))
    figure = draw(results(*axes), theory=False)
    maps = [trace for trace in figure.data if trace.type == "heatmap"]
    assert len(maps) == 3
    assert len({(each.zmin, each.zmax) for each in maps}) == 1
    assert [each.showscale for each in maps] == [True, False, False]
    lines = draw(results(*axes), lines=True, theory=False)
    assert sum(bool(trace.showlegend) for trace in lines.data) == 2


def test_endings_have_a_colour_each() -> None:
    """The most frequent ending of a cell; of equally frequent ones the worse."""
    sweep = Sweep.of(
        BASE,
        [Axis.read("alpha", "1,2"), Axis.read("rank_bound", "5,6")],
        outcome="ended",
        seeds=2,
    )
    values = {config.key: float(config.seed_data) for config in sweep.configs}
    found = Results(sweep, values)
    assert (found.middle == ENDINGS.index("merged")).all()
    figure = draw(found, theory=False)
    assert list(figure.data[0].colorbar.ticktext) == list(ENDINGS)
    assert sweeps.rows(found, {})[1]["ended"] == "merged"


def test_borders_run_between_the_cells_that_theory_tells_apart() -> None:
    """r̂ = r lies between 2 and 3, r̂ = d − r between 17 and 18, η* where η passes it."""
    sweep = Sweep.of(
        BASE | {"problem": "factorization", "rate_unit": "limit", "init_scale": 0.3},
        [Axis.read("rank_bound", "2,3,17,18"), Axis.read("learning_rate", "0.5,0.9,1.1,2")],
    )
    found = {border.name: border for border in borders(sweep)}
    assert found["r̂ = r"].standing == "exact"
    assert found["r̂ = r"].inside[:, 0].tolist() == [False, True, True, True]
    assert found["r̂ = d − r"].inside[:, 0].tolist() == [False, False, False, True]
    assert found["η = η*"].inside[0].tolist() == [False, False, True, True]
    values = {config.key: 1.0 for config in sweep.configs}
    lines = {trace.name: trace for trace in draw(Results(sweep, values)).data if trace.name}
    assert set(lines["r̂ = r (exact)"].x) == {0.5, None}
    assert set(lines["η = η* (exact)"].y) == {1.5, None}


def test_tables_have_a_row_for_each_run_and_each_cell_that_cannot_exist() -> None:
    """With its key, its outcome or why it has none."""
    found = results(("alpha", "1,2"), ("rank_bound", "5,40"), seeds=2)
    rows = sweeps.rows(found, {})
    assert len(rows) == 6
    assert rows[0]["steps"] == 501 and rows[0]["alpha"] == 1 and len(rows[0]["run"]) == 16
    assert [row["why"] for row in rows if not row["run"]] == [
        cell.why for cell in found.sweep.missing
    ]
    lines = sweeps.content(found, {}, "csv").decode().splitlines()
    assert lines[0] == "alpha,rank_bound,seed,run,steps,why" and len(lines) == 7
