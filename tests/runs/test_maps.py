"""Maps: block means of the end-to-end matrices, in the folder, in figures and at the cursor."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from dynamics.core import registry
from dynamics.core.cells import due, halves, packed
from dynamics.core.cells import shape as map_shape
from dynamics.core.config import Config
from dynamics.core.records import Array, Record
from dynamics.draw.panel import of_runs
from dynamics.draw.shown import Shown
from dynamics.engine.measuring.cells import averaged, of_goal
from dynamics.engine.training.comparison import prepare
from dynamics.runs import maps
from dynamics.runs.fork import forked
from dynamics.runs.run import Run
from dynamics.runs.start import start
from pages.shared.live.panels import Description, descriptions
from tests.support.make import known, small, until

HALF = 6e-4  # relative rounding of float16


def block_means(matrix: Array, rows: int, cols: int) -> Array:
    """One block after another, the last ones smaller."""
    return np.array(
        [
            [matrix[i : i + rows, j : j + cols].mean() for j in range(0, matrix.shape[1], cols)]
            for i in range(0, matrix.shape[0], rows)
        ]
    )


@pytest.mark.parametrize("shape", [(130, 70), (60, 101)], ids=str)
def test_cells_are_block_means_of_the_dense_matrices(shape: tuple[int, int]) -> None:
    """Exact for the wide network and the narrow one, though neither matrix is ever averaged."""
    rows, cols = shape
    config = small(rows=rows, cols=cols, rank=3, rank_bound=5, steps=40, record_every=20)
    comparison = prepare(config)
    *_, last = (each for each in comparison if each)
    side = (-(-rows // 50), -(-cols // 50))
    for name, network in comparison.networks.items():
        dense = np.linalg.multi_dot([factor.numpy() for factor in reversed(network.factors)])
        wanted, found = block_means(dense, *side), last[name].cells
        assert found is not None and found.shape == wanted.shape == map_shape(config)
        assert np.abs(found - wanted).max() < 1e-13 * np.abs(dense).max(), name
    target = comparison.problem.target
    assert target is not None
    found, wanted = of_goal(comparison.problem), block_means(target.dense.numpy(), *side)
    assert np.abs(found.numpy() - wanted).max() < 1e-13 * np.abs(wanted).max()


def test_a_run_s_maps_show_its_own_recovery_errors(finished: Run) -> None:
    """Its 10 × 14 matrices have one entry a cell: the maps' distance to the goal is the error."""
    goal = np.frombuffer(maps.goal(finished), "<f2").astype(float).reshape(10, 14)
    for trajectory, place in zip(finished.trajectories, (0, 1), strict=True):
        for step, error in zip(trajectory.steps, trajectory.series["recovery_error"], strict=True):
            row = maps.at(finished, step, 2)
            assert np.frombuffer(row, "<f8", count=1)[0] == step
            cells = np.frombuffer(row, "<f2", offset=8).astype(float).reshape(2, 10, 14)[place]
            found = np.linalg.norm(cells - goal) / np.linalg.norm(goal)
            assert found == pytest.approx(error, abs=2 * HALF)


def test_between_two_maps_the_earlier_one_is_shown(finished: Run) -> None:
    steps = [np.frombuffer(maps.at(finished, step, 2), "<f8", count=1)[0] for step in (-5, 14, 1e9)]
    assert steps == [0, 10, 60]


@pytest.mark.slow
def test_a_fork_has_the_maps_of_before_and_those_of_networks_that_had_ended(folder: Path) -> None:
    """What the origin kept up to the fork, then its own; an ended network stays as it was."""
    settings = {"problem": "factorization", "learning_rate": 0.2, "rate_unit": "limit"}
    more = {"tolerance": 1e-3, "steps": 2000, "alpha": 4.0, "init_scale": 0.1}
    origin = start(small(**(settings | more)), folder)
    until(lambda: not origin.status.live)
    original, compressed = origin.trajectories
    at = int(original.steps[-1]) - 5
    assert compressed.steps[-1] + 20 < at
    child = start(forked(origin.config, at, learning_rate=0.1), folder, origin=origin)
    until(lambda: not child.status.live)
    assert child.status.phase == "done", child.status.message
    first, last = int(compressed.steps[-1]), int(child.trajectories[0].steps[-1])
    assert last > at
    for step in (0, first, at - 10):
        assert maps.at(child, step, 2) == maps.at(origin, step, 2) != b""
    end = np.frombuffer(maps.at(child, last, 2), "<f2", offset=8).reshape(2, -1)
    assert np.frombuffer(maps.at(child, last, 2), "<f8", count=1)[0] == last
    ended = np.frombuffer(maps.at(origin, first, 2), "<f2", offset=8).reshape(2, -1)
    assert np.array_equal(end[1], ended[1]) and not np.array_equal(end[0], ended[0])


def test_a_run_keeps_a_thousand_maps_at_most_and_its_last() -> None:
    """100 × 100 and two networks: 10 kB each, so 10 MB for the longest run."""
    going = {"original": Record(0, 0, 0, 0, {})}
    ended = {"original": Record(0, 0, 0, 0, {}, "done")}
    for steps, every in ((10_000, 50), (100_000, 100), (1_000_000, 10), (99_999, 7)):
        config = Config(steps=steps, record_every=every)
        kept = sum(due(config, number, going) for number in range(steps // every))
        assert min(1000, steps // every) / 2 < kept <= 1000
        assert due(config, 12_347, ended)
    cells = np.zeros(map_shape(Config()))
    assert len(packed(0, [cells, cells])) == 8 + 10_000


def test_of_ratings_only_what_is_observed_is_shown() -> None:
    """A cell without any is no number; the others are plain means."""
    problem, *_ = known("entries", 120, 7)
    problem.target = None
    samples = problem.samples
    assert samples is not None
    seen = np.full((120, 7), np.nan)
    for row in range(120):
        here = slice(samples.starts[row], samples.starts[row + 1])
        seen[row, samples.places[here].numpy()] = samples.values[here].numpy()
    found = of_goal(problem).numpy()
    assert found.shape == (40, 7) and np.isnan(found).any() and np.isfinite(found).any()
    for i, j in np.ndindex(found.shape):
        part = seen[3 * i : 3 * i + 3, j]
        part = part[np.isfinite(part)]
        assert found[i, j] == pytest.approx(part.mean() if len(part) else np.nan, nan_ok=True)


def test_numbers_beyond_float16_are_infinite_and_nan_stays() -> None:
    """A diverged network's map says so."""
    kept = np.frombuffer(halves(np.array([1e9, -1e9, np.nan, 0.5])), "<f2")
    assert np.array_equal(kept, [np.inf, -np.inf, np.nan, 0.5], equal_nan=True)


def test_the_figure_has_the_maps_of_the_step_and_their_differences(finished: Run) -> None:
    """One scale for all, which ends at the goal's largest cell at every step."""
    draw = registry.load("charts", "heat_maps").draw
    for step in (0, 60):
        row = maps.at(finished, step, 2)
        both = maps.cells(finished.config, 2, maps.goal(finished), row)
        pairs = zip(finished.trajectories, both, strict=True)
        figure = draw([Shown(each, cells=its) for each, its in pairs])
        cells = np.frombuffer(row, "<f2", offset=8).astype(float).reshape(2, 10, 14)
        goal = np.frombuffer(maps.goal(finished), "<f2").astype(float).reshape(10, 14)
        wanted = [cells[0], cells[0] - goal, cells[1], cells[1] - goal, goal]
        assert f"step {step}" in figure.layout.title.text
        assert len(figure.data) == 5
        for trace, values in zip(figure.data, wanted, strict=True):
            assert np.array(trace.z) == pytest.approx(values, rel=1e-3)
        assert figure.layout.coloraxis.cmax == -figure.layout.coloraxis.cmin == np.abs(goal).max()


def test_a_file_has_the_maps_of_the_last_record(finished: Run) -> None:
    """Also without a page: the panel's name is enough."""
    figure = of_runs([finished], "heat_maps")
    assert "step 60" in figure.layout.title.text
    goal = np.frombuffer(maps.goal(finished), "<f2").astype(float).reshape(10, 14)
    assert np.array(figure.data[-1].z) == pytest.approx(goal, rel=1e-3)


def test_of_an_unknown_matrix_no_difference_is_drawn(finished: Run) -> None:
    config = Config.from_dict({"problem": "movielens"})
    known = np.full(map_shape(config), np.nan)
    known[0, 0] = 3.0
    goal = halves(known)
    (cells,) = maps.cells(config, 1, goal)
    item = Shown(finished.trajectories[1], cells=cells)
    figure = registry.load("charts", "heat_maps").draw([item])
    assert [trace.name for trace in figure.data] == ["compressed W", "observed entries"]
    assert "each cell averages the known ones" in figure.layout.meta["note"]


def described(run: Run, names: str) -> dict[str, Description]:
    return {each.panel: each for each in descriptions(run, names)}


def test_panels_say_what_an_old_run_lacks(finished: Run, tmp_path: Path) -> None:
    """A folder of before: no maps, no invariants; what it has is drawn as ever."""
    old = Run(tmp_path / finished.key)
    old.folder.mkdir()
    layout = finished.layout.to_dict()
    gone = ("balance", "leak", "unmoved")
    shapes = {
        network: {name: shape for name, shape in series.items() if name not in gone}
        for network, series in layout["shapes"].items()
    }
    old.write("layout.json", layout | {"shapes": shapes})
    for name in ("config.json", "status.json"):
        old.write(name, json.loads((finished.folder / name).read_text()))
    told = described(old, "heat_maps,recovery_error,balance,leak,unmoved")
    assert [panel.figure is None for panel in told.values()] == [True, False, True, True, True]
    assert all(
        len(panel.lack.split()) > 4 and panel.lack.endswith(".") and not panel.columns
        for panel in told.values()
        if not panel.figure
    )
    assert all(panel.figure for panel in described(finished, "heat_maps,balance,unmoved").values())


def test_the_spectrum_over_time_names_the_columns_of_its_modes(finished: Run) -> None:
    """A surface has the recorded values, thinned to a hundred at most, first and last included."""
    (panel,) = descriptions(finished, "spectrum_over_time/compressed")
    assert list(panel.columns) == finished.layout.columns("compressed", "singular_values")
    trajectory = finished.trajectories[1]
    (surface,) = registry.load("charts", "spectrum_over_time").draw([Shown(trajectory)]).data
    assert surface.type == "surface" and list(surface.x) == list(trajectory.steps)
    assert np.array_equal(surface.z, trajectory.series["singular_values"].T)
    long = np.repeat(np.arange(700.0), 3)
    many = type(trajectory)("original", long, long, long, long, {"singular_values": long[:, None]})
    (surface,) = registry.load("charts", "spectrum_over_time").draw([Shown(many)]).data
    assert len(surface.x) == 100 and surface.x[0] == 0 and surface.x[-1] == 699


def test_measuring_on_a_device_gives_cells_on_the_cpu() -> None:
    """``averaged`` keeps dtype and place; float32 stays float32 until it is kept."""
    found = averaged(torch.arange(202, dtype=torch.float32).view(101, 2))
    assert found.dtype == torch.float32 and found.shape == (34, 2)
    assert found[:, 0].tolist() == [2 + 6 * i for i in range(33)] + [199]
