"""Twins: what the exports compute in Python, the live page computes in JavaScript, equally.

Each test feeds the same numbers to both. The page has float32, so numbers are rounded to it first.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page

from dynamics.core.records import Array, Trajectory
from dynamics.draw.chart import marked
from dynamics.draw.charts.singular_values import RING
from dynamics.draw.shown import Shown
from dynamics.draw.time_axis import along
from dynamics.export.layout.thinning import rows_kept
from dynamics.findings.crossings import crossings
from pages.shared.live.routes import address
from tests.browser.conftest import Server
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
