"""Figures: what is drawn are the run's numbers, and its description tells which."""

import dataclasses
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from dynamics.core import registry, traits
from dynamics.core.config import Config
from dynamics.core.records import Trajectory, followed
from dynamics.draw.chart import marked
from dynamics.draw.look import COLORS, DASHES, color
from dynamics.draw.panel import NothingToDrawError, Panel, compared
from dynamics.draw.shown import Shown, show
from dynamics.draw.time_axis import VERSUS, along
from dynamics.runs.run import Run
from dynamics.theory.course import expected
from dynamics.theory.prediction import Facts
from tests.support.classes import OF_CLASSES
from tests.support.few import few
from tests.support.make import OF_TABLES, full, is_sentence, recorded, small

ALL = [name for name in registry.options("charts") if name not in (*OF_CLASSES, *OF_TABLES)]
FIGURES = [name for name in ALL if traits.chart(name).kind == "lines"]  # of lines
ERRORS = ("recovery_error", "losses", "factor_singular_values", "balance", "leak")


def draw(
    name: str, trajectories: list[Trajectory], versus: str = "steps", config: Config | None = None
) -> go.Figure:
    """The chart; with a config also what theory expects."""
    shown = [Shown(each) for each in having(name, trajectories)]
    if config:
        shown = show(config, having(name, trajectories), versus)
    return registry.load("charts", name).draw(shown, versus)


def having(name: str, trajectories: list[Trajectory]) -> list[Trajectory]:
    """Those that have what a figure needs: nobody gives it others."""
    needs = traits.chart(name).needs
    return [each for each in trajectories if set(needs) <= set(each.series)]


def lines(figure: go.Figure) -> list[Any]:
    """The traces that draw a series of a run."""
    found = [trace for trace in figure.data if "y" in trace.meta]
    assert found
    return found


@pytest.mark.parametrize("versus", VERSUS)
@pytest.mark.parametrize("name", FIGURES)
def test_traces_have_the_numbers_of_the_columns_that_they_name(
    finished: Run, name: str, versus: str
) -> None:
    """The live chart fills the same lines from the stream: a preview equals the file."""
    rows, names = finished.rows(), finished.layout.names
    for trace in lines(draw(name, finished.trajectories, versus, finished.config)):
        assert {trace.meta["x"], trace.meta["y"]} <= set(names)
        x, y = (rows[:, names.index(trace.meta[axis])] for axis in "xy")
        x = x / trace.meta.get("unit", 1)
        assert np.array_equal(trace.x[1:], x[1:])
        least = trace.meta.get("least", x[0])
        least = x[x > 0][0] if least == "first" else least
        assert trace.x[0] == least, "zero has no place on a log axis"
        assert np.array_equal(trace.y, y * trace.meta["scale"], equal_nan=True)
        assert trace.meta["y"].startswith(trace.meta["network"] + ".")


@pytest.mark.parametrize("name", FIGURES)
def test_every_entry_of_every_series_that_a_figure_needs_is_drawn_once(
    finished: Run, name: str
) -> None:
    """``NEEDS`` says which panels a run has; nothing that is needed may be left out."""
    needs = traits.chart(name).needs
    assert needs
    wanted = [
        column
        for trajectory in having(name, finished.trajectories)
        for series in needs
        for column in finished.layout.columns(trajectory.network, series)
    ]
    drawn = [trace.meta["y"] for trace in lines(draw(name, finished.trajectories))]
    drawn = [column.replace(".mode_values.", ".singular_values.") for column in drawn]
    more = {column for column in drawn if column.endswith(".test_loss")}  # drawn where recorded
    assert sorted(set(drawn) - more) == sorted(wanted) and len(drawn) == len(set(drawn))


@pytest.mark.parametrize("name", FIGURES)
def test_networks_keep_their_colour_and_are_told_apart_by_dash_too(
    finished: Run, name: str
) -> None:
    """The same on every figure, in print and for who sees no colours; shades only pale."""
    strong: dict[str, set[str]] = {
        each.network: set() for each in having(name, finished.trajectories)
    }
    for trace in lines(draw(name, finished.trajectories)):
        network = trace.meta["network"]
        strong[network].add(trace.line.color)
        assert trace.line.dash == DASHES[network]
        assert hue(trace.line.color) == pytest.approx(hue(COLORS[network]), abs=0.02)
    assert all(color(network) in strong[network] for network in strong)
    assert not strong.get("original", set()) & strong["compressed"]
    assert DASHES["original"] != DASHES["compressed"]


def hue(text: str) -> float:
    import colorsys

    red, green, blue = (int(text[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return colorsys.rgb_to_hsv(red, green, blue)[0]


@pytest.mark.parametrize("name", FIGURES)
def test_each_network_is_in_the_legend_at_most_once(finished: Run, name: str) -> None:
    """A click on it hides all its lines: they are one group."""
    traces = lines(draw(name, finished.trajectories))
    shown = [trace.name for trace in traces if trace.showlegend]
    assert len(shown) == len(set(shown)) and set(shown) <= {"original", "compressed"}
    assert all(trace.legendgroup == trace.meta["network"] for trace in traces)


@pytest.mark.parametrize("name", FIGURES)
def test_errors_have_a_logarithmic_axis_and_bounded_quantities_a_linear_one(
    finished: Run, name: str
) -> None:
    figure = draw(name, finished.trajectories)
    assert figure.layout.yaxis.type == ("log" if name in ERRORS else "linear")
    assert figure.layout.yaxis.title.text and figure.layout.title.text
    for versus, title in VERSUS.items():
        assert (
            draw(name, finished.trajectories, versus, finished.config).layout.xaxis.title.text
            == title
        )


@pytest.mark.parametrize("name", FIGURES)
@pytest.mark.parametrize("network", [0, -1])
def test_a_figure_of_one_network_has_that_network_s_lines(
    finished: Run, name: str, network: int
) -> None:
    trajectory = having(name, finished.trajectories)[network]
    traces = lines(draw(name, [trajectory]))
    assert {trace.meta["network"] for trace in traces} == {trajectory.network}


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_without_records_is_its_own_description(finished: Run, name: str) -> None:
    """Panels are laid out before the first record has come: the same lines, empty."""
    empty = finished.layout.trajectories(finished.rows()[:0])
    described, drawn = (
        [(trace.meta, trace.name, trace.line.to_plotly_json()) for trace in lines(draw(name, each))]
        for each in (empty, finished.trajectories)
    )
    assert described == drawn
    assert all(len(trace.x) == 0 for trace in lines(draw(name, empty)))


def test_angles_are_drawn_in_degrees(finished: Run) -> None:
    """Radians in data, degrees on axes: a right angle is 90."""
    trajectory = finished.trajectories[0]
    (first, *_) = lines(draw("principal_angles", [trajectory]))
    assert np.allclose(first.y, np.rad2deg(trajectory.series["left_angles"][:, 0]), rtol=1e-14)


def test_the_target_s_singular_values_are_dotted_lines(finished: Run) -> None:
    shapes = draw("singular_values", finished.trajectories).layout.shapes
    assert [shape.y0 for shape in shapes] == finished.layout.facts["target_singular_values"]
    assert {shape.line.dash for shape in shapes} == {"dot"}


def test_a_network_of_a_new_name_has_a_colour_of_its_own() -> None:
    """A newcomer's file needs no entry here."""
    new = color("recurrent")
    assert new not in COLORS.values() and new == color("recurrent")
    assert color("recurrent", 1.0) != new


def test_several_runs_are_compared_with_a_colour_for_each(finished: Run) -> None:
    both, one = finished.trajectories, finished.trajectories[:1]
    runs = [("first", finished.config, both), ("problem 3e1925", finished.config, one)]
    figure = compared(runs, "recovery_error")
    assert [trace.name for trace in figure.data] == [
        "first · original",
        "first · compressed",
        "problem 3e1925 · original",
    ]
    colours = [trace.line.color for trace in figure.data]
    assert colours[0] == colours[1] != colours[2]
    assert np.array_equal(figure.data[1].y, finished.trajectories[1].series["recovery_error"])
    with pytest.raises(NothingToDrawError, match="None of these runs has a no such series"):
        compared(runs, "no_such_series")


def test_theory_is_drawn_with_its_numbers_in_place() -> None:
    """They are of no column, so the live chart shows them as they are."""
    config = full(steps=400)
    trajectories = recorded(config)
    figure = draw("singular_values", trajectories, config=config)
    drawn = [trace for trace in figure.data if trace.name == "theory"]
    assert len(drawn) == 2 * config.rank and not any("y" in trace.meta for trace in drawn)
    courses = expected(config, Facts.of(trajectories[0].facts)).values()
    wanted = [values for course in courses for values in course.values.T]
    for trace, values in zip(drawn, wanted, strict=True):
        assert np.array(trace.y) == pytest.approx(values, rel=1e-4)
        assert trace.line.dash == "dash" and trace.line.width < 2
    assert [trace.showlegend for trace in drawn].count(True) == 1


def test_a_strip_below_shows_how_far_each_mode_is_from_theory(finished: Run) -> None:
    """On an axis of its own below the chart, over the same times; only where theory is exact."""
    config = full(steps=400)
    trajectory = recorded(config)[0]
    (item,) = show(config, [trajectory])
    figure = draw("singular_values", [trajectory], config=config)
    strip = [trace for trace in figure.data if trace.yaxis == "y2"]
    assert len(strip) == config.rank
    for i, trace in enumerate(strip):
        assert np.array_equal(trace.y, item.values("residuals")[:, i], equal_nan=True)
        assert trace.meta["mode"] == i + 1 and np.array_equal(trace.x, trajectory.steps)
    assert figure.layout.yaxis2.type == "log"
    assert figure.layout.yaxis2.domain[1] < figure.layout.yaxis.domain[0]
    assert set(figure.layout.meta["watched"]) & {trace.meta["y"] for trace in strip} == set()
    other = draw("singular_values", finished.trajectories, config=finished.config)
    assert all(trace.yaxis is None for trace in other.data)


@pytest.mark.parametrize("versus", few(VERSUS, 2))
def test_theory_is_where_the_run_is_on_every_time_axis(versus: str) -> None:
    """An exact curve meets the measured one at every time, also beyond the last record's steps."""
    config = full(steps=400, record_every=1)
    for trajectory in recorded(config):
        figure = draw("singular_values", [trajectory], versus, config)
        theory = [trace for trace in figure.data if trace.name == "theory"]
        for measured, trace in zip(lines(figure), theory, strict=False):
            assert list(trace.x) == sorted(trace.x) and trace.x[-1] <= measured.x[-1] * (1 + 1e-6)
            found = np.interp(trace.x, measured.x, measured.y)
            assert found == pytest.approx(np.array(trace.y), abs=0.02 * measured.y[-1])
        assert theory


def test_between_records_that_agree_with_theory_a_line_takes_its_course() -> None:
    """Records 40 steps apart, a rise within ten: both lines are one, unless a record is off."""
    slow: dict[str, Any] = {"learning_rate": 0.3, "init_scale": 0.01, "alpha": 1.0}
    config = full(steps=1600, record_every=40, **slow)
    fine = full(steps=1600, record_every=1, **slow)
    whole = {each.network: each for each in recorded(fine)}
    for trajectory in recorded(config):
        network = trajectory.network
        figure = Panel("singular_values", network).draw(config, [trajectory])
        first = lines(figure)[0]
        steps, values = whole[network].steps, whole[network].series["singular_values"][:, 0]
        shown = np.interp(steps, first.x, first.y)
        straight = np.interp(steps, trajectory.steps, trajectory.series["singular_values"][:, 0])
        most = values.max()
        assert np.abs(straight - values).max() > 0.3 * most
        assert np.abs(shown - values).max() < 0.05 * most  # theory is drawn every third step
        theory = next(trace for trace in figure.data if trace.name == "theory")
        met = np.interp(theory.x, first.x, first.y)
        assert np.abs(met - np.array(theory.y)).max() < 1e-3 * most
        assert set(trajectory.steps) <= set(first.x)
    off = dataclasses.replace(trajectory)
    off.series[followed(off.series)][:, 0] *= 1 + 1e-5
    first = lines(Panel("singular_values", network).draw(config, [off]))[0]
    assert set(first.x[first.y > most / 2]) <= set(off.steps)


def test_theory_beyond_the_last_record_goes_on_at_the_pace_so_far(finished: Run) -> None:
    """A mark at twice the last step has twice the steps' seconds, and their operations twice."""
    for trajectory in finished.trajectories:
        end = trajectory.steps[-1]
        for versus in ("seconds", "operations"):
            clock = getattr(trajectory, versus)
            found = along(trajectory, versus, np.array([0.0, end, 2 * end]))
            assert found == pytest.approx([clock[0], clock[-1], 2 * clock[-1] - clock[0]])


def test_expected_escapes_are_marked_at_their_time_on_every_axis(finished: Run) -> None:
    courses = expected(finished.config, Facts.of(finished.layout.facts))
    for trajectory in finished.trajectories:
        steps = np.array(courses[trajectory.network].escapes)
        first, *_, last = trajectory.operations
        per_step = (last - first) / trajectory.steps[-1]
        wanted = {
            "steps": steps,
            "log steps": steps,
            "operations": first + steps * per_step,
            "normalised": steps / steps.min(),
        }
        for versus, places in wanted.items():
            figure = draw("singular_values", [trajectory], versus, finished.config)
            (mark,) = [trace for trace in figure.data if trace.name == "expected escapes"]
            assert np.array(mark.x) == pytest.approx(places), versus


@pytest.mark.parametrize(("depth", "init_scale"), few([(2, 0.3), (3, 0.1), (4, 0.03)], 1))
def test_in_normalised_time_the_first_mode_is_half_grown_at_one(
    depth: int, init_scale: float
) -> None:
    """Whatever ε and L, of both networks of trained runs: they fall on one curve."""
    scale = init_scale ** (2 / (depth - 1))
    config = full(depth=depth, init_scale=scale, alpha=3.0, steps=3000, record_every=3)
    for first in lines(draw("singular_values", recorded(config), "normalised", config)):
        if first.meta["mode"] == 1 and first.yaxis is None:
            half = np.interp(first.y[-1] / 2, first.y, first.x)
            assert half == pytest.approx(1, abs=5e-3), first.meta


def test_without_a_foreseen_escape_there_is_no_normalised_time(finished: Run) -> None:
    """One sentence; several runs leave out such a one."""
    random = full(networks="narrow_random")  # no theory of it
    without = ("a", random, recorded(random))
    with pytest.raises(NothingToDrawError, match="needs a predicted escape") as refused:
        Panel("recovery_error").draw(random, without[2], "normalised")
    assert is_sentence(str(refused.value))
    with pytest.raises(NothingToDrawError, match="needs a predicted escape"):
        compared([without], "train_loss", "normalised")
    known = ("b", finished.config, finished.trajectories)
    figure = compared([without, known], "train_loss", "normalised")
    assert {trace.name.partition(" ")[0] for trace in figure.data} == {"b"}


def test_expected_escapes_are_marked_where_no_course_is_known(finished: Run) -> None:
    """On the time axis, in the network's colour, with what they are to be told by."""
    courses = expected(finished.config, Facts.of(finished.layout.facts)).values()
    drawn = draw("singular_values", finished.trajectories, config=finished.config).data
    marks = [trace for trace in drawn if "y" not in trace.meta]
    assert [trace.marker.color for trace in marks] == [COLORS["original"], COLORS["compressed"]]
    for trace, course in zip(marks, courses, strict=True):
        assert list(trace.x) == list(course.escapes)
        assert set(trace.y) == {0} and "heuristic" in trace.hovertemplate


@pytest.mark.parametrize(
    "versus", ["steps", "log steps", "seconds", "operations", "log operations"]
)
def test_changes_are_marked_on_the_axis_of_every_figure(versus: str) -> None:
    """Where each network was at that step: one mark over steps, one for each network else.

    The words stand once, at the last of them.
    """
    trajectories = recorded(small(problem="factorization", changes="25:alpha=3;40:learning_rate=2"))
    at = {each.network: np.flatnonzero(each.steps == 25)[0] for each in trajectories}
    for name in FIGURES:
        figure = marked(name, [Shown(each) for each in trajectories], versus)
        labels = [note.text for note in figure.layout.annotations]
        marks = [shape.x0 for shape in figure.layout.shapes if shape.x0 == shape.x1]
        wanted = [float(getattr(each, versus.removeprefix("log "))[at[each.network]])
                  for each in trajectories][: 1 if "steps" in versus else None]  # fmt: skip
        assert labels.count("α 2 → 3") == labels.count("η 1 → 2") == 1, name
        assert len(labels) == len(marks), name
        assert set(wanted) <= set(marks), name
        assert next(list(each) for each in figure.layout.meta["changes"]) == [25, "α 2 → 3"]
        places = [note.x for note in figure.layout.annotations if note.text == "α 2 → 3"]
        shown = np.sort(np.log10(wanted) if versus.startswith("log ") else wanted)
        assert places == pytest.approx([shown[-1]])
