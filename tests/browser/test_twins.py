"""Twins: what the exports compute in Python, the live page computes in JavaScript, equally.

Each test feeds the same numbers to both. The page has float32, so numbers are rounded to it first.
"""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
from playwright.sync_api import Page

from dynamics.core.records import TAIL, Array, Trajectory, tail_mean
from dynamics.draw.chart import marked
from dynamics.draw.look import RING
from dynamics.draw.shown import Shown
from dynamics.draw.time_axis import along
from dynamics.export.layout.thinning import rows_kept, thinned
from dynamics.findings.classes import at_ends, named
from dynamics.findings.crossings import crossings
from dynamics.findings.validation import least
from pages.shared.live.routes import address
from tests.browser.conftest import Server
from tests.support.classes import trajectories as class_trajectories
from tests.support.make import recorded, small

Call = Callable[..., Any]

# A store that holds these rows, as it takes them from the stream.
STORE = """
    const { Store } = await import(modules.store);
    const stored = (names, rows) => {
        const store = new Store(names);
        const buffer = new ArrayBuffer(12 + 4 * rows.length * names.length);
        new Uint32Array(buffer, 0, 3).set([0, rows.length, rows.length]);
        new Float32Array(buffer, 12).set(rows.flat());
        store.take(buffer);
        return store;
    };
"""


pytestmark = pytest.mark.xdist_group("charts")


@pytest.fixture
def call(charts: Server, page_at: Callable[[int], Page]) -> Call:
    """A function that runs the body of a JavaScript function with modules of the page by name."""
    page = page_at(1400)
    page.goto(f"{charts.address}/api/ready")

    def run(body: str, modules: dict[str, str], *given: Any) -> Any:
        addresses = {name: address(path) for name, path in modules.items()}
        return page.evaluate(f"async ([modules, ...given]) => {{{body}}}", [addresses, *given])

    return run


def rounded(values: Array) -> Array:
    return values.astype(np.float32).astype(float)


def test_a_step_is_at_the_same_time_on_a_clock(call: Call) -> None:
    """Between two records and beyond the last one; ``along`` and ``Store.timeOf``."""
    random = np.random.default_rng(3)
    steps = np.cumsum(random.integers(1, 50, 40)).astype(float)
    seconds = rounded(np.cumsum(random.random(40)))
    asked = [float(steps[0]), steps[7] + 0.25, float(steps[20]), steps[-1] - 0.5, 3 * steps[-1]]
    trajectory = Trajectory("original", steps, seconds, seconds, seconds)
    python = along(trajectory, "seconds", np.array(asked))
    body = (
        STORE
        + """
        const [rows, asked] = given;
        const store = stored(["step", "original.seconds"], rows);
        return asked.map((step) => store.timeOf(step, "original.seconds"));
    """
    )
    rows = np.column_stack([steps, seconds]).tolist()
    javascript = call(body, {"store": "run/store.js"}, rows, asked)
    assert javascript == pytest.approx(python.tolist(), rel=1e-6)


@pytest.mark.parametrize("versus", ["steps", "seconds"])
def test_a_change_is_marked_at_the_same_place(call: Call, versus: str) -> None:
    """Once over steps, once for each network over seconds; ``marked`` and ``changes.js``."""
    trajectories = recorded(small(problem="factorization", changes="25:alpha=3;40:learning_rate=2"))
    figure = marked("recovery_error", [Shown(each) for each in trajectories], versus)
    python = sorted(shape.x0 for shape in figure.layout.shapes if shape.x0 == shape.x1)
    names = ["step", *(f"{each.network}.seconds" for each in trajectories)]
    rows = np.column_stack([trajectories[0].steps, *(each.seconds for each in trajectories)])
    bare = [{"meta": trace.meta, "name": trace.name} for trace in figure.data]
    body = (
        STORE
        + """
        const { Line } = await import(modules.line);
        const { changes } = await import(modules.changes);
        const [names, rows, traces, meta] = given;
        const lines = traces.map((trace) => new Line(trace));
        const run = { store: stored(names, rows) };
        const panel = { figure: { layout: { meta } }, lines, run, logX: false };
        return changes(panel, { soft: "", paper: "" }, [0, 1]).shapes.map(({ x0 }) => x0);
    """
    )
    modules = {"store": "run/store.js", "line": "panel/line.js", "changes": "panel/changes.js"}
    javascript = call(body, modules, names, rows.tolist(), bare, figure.layout.meta)
    assert len(python) == (2 if versus == "steps" else 4)
    assert sorted(javascript) == pytest.approx(python, rel=1e-5)


def test_a_line_measured_seldom_has_the_same_points_in_files_and_on_the_page(call: Call) -> None:
    """Connected over what it lacks; ``thinned`` and ``points`` of ``figure.js``."""
    (one, *_) = class_trajectories(range(0, 401, 10))
    gaps = one.series["own_energy"].copy()
    gaps[(np.arange(len(gaps)) % 5 != 0)] = np.nan
    gaps[0] = np.nan
    figure = marked(
        "updates", [Shown(dataclasses.replace(one, series={**one.series, "own_energy": gaps}))]
    )
    trace = next(each for each in figure.data if each.meta["y"].endswith("own_energy.2"))
    (python,) = (each for each in thinned(go.Figure([trace]).to_plotly_json())["data"])
    assert len(python["x"]) == 8 and python["connectgaps"]
    body = (
        STORE
        + """
        const { Line } = await import(modules.line);
        const { onPage } = await import(modules.figure);
        const [rows, trace] = given;
        const names = ["step", "original.seconds", trace.meta.y];
        const store = stored(names, rows.map((row) => row.map((value) => value ?? NaN)));
        const line = new Line(trace);
        const extent = { low: Infinity, high: -Infinity, positive: Infinity };
        line.observe(store, 0, extent);
        const theme = { dark: false, ink: "", paper: "", grid: "", soft: "", font: "" };
        const panel = {
            lines: [line], fixed: [], run: { store }, logX: false, held: {}, isLog: false,
            logIsDefault: false, figure: { layout: {} }, view: { theme },
            isHidden: () => false, crossings: { shown: () => [] },
            plot: document.createElement("div"), hidden: new Set(),
            ranges: () => ({ x: [0, 400], y: [0, 1] }),
        };
        const drawn = onPage(panel)[0].find(({ uid }) => uid === "dln0");
        const { connectgaps, mode, x, y } = drawn;
        return [connectgaps, mode, x, y, line.broken, line.value(store, 23), extent.low];
    """
    )
    modules = {"store": "run/store.js", "line": "panel/line.js", "figure": "panel/figure.js"}
    rows = [
        [float(step), 1e-3 * step, None if np.isnan(value) else float(value)]
        for step, value in zip(one.steps, gaps[:, 1], strict=True)
    ]
    bare = {"meta": trace.meta, "name": trace.name, "connectgaps": True, "mode": trace.mode}
    joined, mode, x, y, broken, held, low = call(body, modules, rows, bare)
    assert joined and mode == "lines+markers" and not broken
    assert x == python["x"] and y == pytest.approx(python["y"], rel=1e-6)
    assert held == pytest.approx(gaps[20, 1]) and low == pytest.approx(np.nanmin(gaps[:, 1]))


def test_the_same_modes_cross_at_the_same_records(call: Call) -> None:
    """Also of three at once, and none below the least value; both crossings."""
    walk = np.random.default_rng(5).normal(size=(200, 4)).cumsum(axis=0)
    values = rounded(np.abs(walk))
    values[50] = np.nan
    least = 2.0
    python = crossings(values, least)
    body = (
        STORE
        + """
        const { Crossings } = await import(modules.crossings);
        const [rows, least] = given;
        const names = rows[0].map((_, mode) => `v.${mode}`);
        const store = stored(names, rows.map((row) => row.map((value) => value ?? NaN)));
        const lines = names.map((y, mode) => ({ strip: false, meta: { mode, network: "", y } }));
        const crossings = new Crossings(lines, least);
        crossings.observe(store, 0);
        const modes = (pair) => pair.map(({ meta }) => meta.mode);
        return crossings.found.map(({ row, lines }) => [row, ...modes(lines)]);
    """
    )
    plain = [[None if np.isnan(value) else value for value in row] for row in values.tolist()]
    modules = {"store": "run/store.js", "crossings": "panel/crossings.js"}
    javascript = call(body, modules, plain, least)
    assert len(python) > 10
    assert sorted(map(tuple, javascript)) == sorted(python)


def test_thinned_lines_keep_their_ends_and_extremes(call: Call) -> None:
    """A spike of one record stays, in the file and on the canvas; ``rows_kept`` and ``thin``."""
    values = rounded(np.random.default_rng(7).normal(size=5000))
    values[[1234, 3210]] = [9.0, -9.0]
    most = 400
    python = rows_kept(np.arange(5000.0), values, most).tolist()
    body = "return (await import(modules.thin)).thin(given[0], 0, given[0].length, given[1]);"
    javascript = call(body, {"thin": "base/thin.js"}, values.tolist(), most)
    for rows in (python, javascript):
        assert most / 4 < len(rows) <= most + 2 and rows == sorted(set(rows))
        assert {0, 1234, 3210, 4999} <= set(rows)


def test_a_crossing_has_the_same_ring(call: Call) -> None:
    """Its ink is the theme's on the page, and dark on white paper."""
    ring = call("return (await import(modules.theme)).RING;", {"theme": "base/theme.js"})
    assert (ring["symbol"], ring["size"]) == (RING["symbol"], RING["size"])
    assert ring["line"]["width"] == RING["line"]["width"]


def test_a_mode_has_the_same_name(call: Call) -> None:
    """Of random vectors and of those without a direction; both ``named``."""
    random = np.random.default_rng(9)
    vectors = rounded(random.normal(size=(60, 7)) * random.random((60, 7)) ** 2)
    vectors[0], vectors[1], vectors[2] = 0.0, 1.0, np.eye(7)[3]
    vectors[3] = np.array([9, 8, -7, 6, 5, -8, 4])
    classes = [f"class {letter}" for letter in "abcdefg"]
    vectors[4] = np.array([9, 9, 9, 9, -9, 0, 0])
    groups = {"first": classes[:4], "pair": classes[5:]}
    body = "const { named } = await import(modules.classes); return given[0].map((vector) => " \
        "named(vector, given[1], given[2]));"  # fmt: skip
    javascript = call(body, {"classes": "panel/classes.js"}, vectors.tolist(), classes, groups)
    python = [named(vector, classes, groups) for vector in vectors]
    assert javascript == python and {"", "all alike", "first | class e"} < set(python)
    assert any("…" in name for name in python) and any("the rest" in name for name in python)


def test_films_name_a_mode_and_validation_stops_it_alike(call: Call) -> None:
    """``at_ends`` and ``least``; the first of equals, and numbers that are missing."""
    titles = ["The Godfather (1972)", "Fargo (1996)", "Heat", "Brazil (1985)", "Alien (1979)"]
    ends = [[1.0, 3.0, 5.0, 2.0], [2.0, 4.0, 1.0, 3.0]]
    body = "const { atEnds } = await import(modules.classes); " \
        "return given[0].map((numbers) => atEnds(numbers, given[1]));"  # fmt: skip
    assert call(body, {"classes": "panel/classes.js"}, ends, titles) == [
        at_ends(numbers, titles) for numbers in ends
    ]
    assert at_ends(ends[0], titles) == "The Godfather, Heat | Alien, Fargo"
    body = "const { least } = await import(modules.stop); " \
        "return given[0].map((values) => least(values.map((value) => value ?? NaN)));"  # fmt: skip
    courses = [[3.0, 2.0, 1.5, 1.5, 2.0], [None, 2.0, 1.0, None], [None, None], [1.0, 2.0]]
    found = call(body, {"stop": "panel/stop.js"}, courses)
    assert found == [2, 2, -1, 0]
    for values, row in zip(courses, found, strict=True):
        errors = np.array(values, float)
        own = Trajectory("compressed", *[errors] * 4, {"validation_rmse": errors})
        assert least(own) == (None if row < 0 else row)


@pytest.mark.parametrize("count", [3, 40])
def test_the_mean_of_the_last_records_is_the_same(call: Call, count: int) -> None:
    """``tail_mean`` and ``Line.tail``; also of fewer records than the mean takes."""
    values = rounded(np.random.default_rng(count).random(count))
    body = (
        STORE
        + """
        const { Line } = await import(modules.line);
        const [rows, tail] = given;
        const store = stored(["step", "a.seconds", "a.accuracy"], rows);
        const meta = { network: "a", x: "step", y: "a.accuracy", tail };
        const line = new Line({ name: "a", meta });
        line.observe(store, 0, { low: Infinity, high: -Infinity, positive: Infinity });
        return line.tail(store);
    """
    )
    rows = np.column_stack([np.arange(count), np.arange(count), values]).tolist()
    javascript = call(body, {"store": "run/store.js", "line": "panel/line.js"}, rows, TAIL)
    assert javascript == pytest.approx(tail_mean(values), rel=1e-6)
