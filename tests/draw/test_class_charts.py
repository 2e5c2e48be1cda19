"""Charts of runs that tell classes apart: the numbers of a moment, named by their classes."""

import dataclasses
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from dynamics.core import registry, traits
from dynamics.core.records import TAIL, Layout, Trajectory, tail_mean
from dynamics.draw.look import class_look
from dynamics.draw.panel import NothingToDrawError, Panel
from dynamics.draw.shown import Shown
from dynamics.theory.course import Expected
from tests.support.classes import CLASSES, FACTS, LABELS, WIDTHS, records, settings, trajectories
from tests.support.make import is_sentence

STEPS = range(0, 1001, 10)
MOMENTS = ("confusion", "inner_coordinates/compressed", "inner_coordinates/narrow_random")


def draw(name: str, listed: list[Trajectory] | None = None, **how: Any) -> go.Figure:
    return Panel.named(name).draw(settings(), listed or trajectories(STEPS), **how)


def named(figure: go.Figure) -> list[tuple[Any, list[list[str]]]]:
    """Each trace that names columns of a moment, with these columns."""
    return [(trace, trace.meta["y"]) for trace in figure.data]


@pytest.mark.parametrize("at", [0, 10, 437, 1000])
def test_confusion_is_that_of_the_moment_with_mistakes_below_zero(at: int) -> None:
    """A row is a class; the columns that a trace names hold the same numbers."""
    figure = draw("confusion", at=at)
    layout, step = Layout.of(records(0), FACTS), at // 10 * 10
    row, names = layout.row(records(step)), layout.names
    assert figure.layout.title.text == f"Confusion of classes at step {step:,}"
    assert [trace.meta["network"] for trace in figure.data] == list(WIDTHS)
    for trace, columns in named(figure):
        shares = np.array([[row[names.index(name)] for name in line] for line in columns])
        right = np.eye(3, dtype=bool)
        assert np.array(trace.z) == pytest.approx(np.where(right, shares, -shares), abs=1e-4)
        assert trace.customdata[0][1] == f"{100 - step / 10:.3g} % of cat taken for dog"
    for axis in (figure.layout.xaxis, figure.layout.yaxis):
        assert list(axis.ticktext) == CLASSES


@pytest.mark.parametrize("network", ["compressed", "narrow_random"])
def test_inner_coordinates_are_those_of_the_moment_and_of_each_class(network: str) -> None:
    """Each image once in each plane, in its class's colour and mark; axes hold all moments."""
    figure = draw(f"inner_coordinates/{network}", at=505)
    layout = Layout.of(records(0), FACTS)
    row, names = layout.row(records(500)), layout.names
    assert "at step 500" in figure.layout.title.text
    planes = WIDTHS[network] - 1
    assert len(figure.data) == planes * len(CLASSES)
    for trace, columns in named(figure):
        number = CLASSES.index(trace.name)
        x, y = ([row[names.index(name)] for name in line] for line in columns)
        assert list(trace.x) == x and list(trace.y) == y and len(x) == LABELS.count(number)
        assert (trace.marker.color, trace.marker.symbol) == class_look(number)
        assert (y[0] < 0 or x[0] == 0) == (trace.yaxis == "y") or x[0] == 0
    drawn = [name for _, columns in named(figure) for name in columns[1]]
    assert len(drawn) == len(set(drawn)) == planes * len(LABELS)
    last = draw(f"inner_coordinates/{network}")
    assert figure.layout.xaxis.range == last.layout.xaxis.range == figure.layout.yaxis.range
    values = [abs(value) for trace in last.data for axis in "xy" for value in trace[axis]]
    assert max(values) < figure.layout.xaxis.range[1] < 1.1 * max(values)


def test_a_hundred_classes_look_different_and_ten_differ_in_mark_alone() -> None:
    """In grey, and to eyes that see few colours."""
    assert len({class_look(number) for number in range(100)}) == 100
    assert len({class_look(number)[1] for number in range(10)}) == 10


@pytest.mark.parametrize("name", MOMENTS)
def test_a_chart_of_a_moment_without_records_describes_itself(name: str) -> None:
    """The live page fills the same traces from the stream."""
    empty, whole = draw(name, trajectories([])), draw(name)
    assert [trace.meta for trace in empty.data] == [trace.meta for trace in whole.data]
    assert "step" not in empty.layout.title.text and whole.layout.meta["note"]


def test_the_number_beside_a_name_is_the_mean_of_the_last_records() -> None:
    """Of held-out images; a network whose numbers are not finite in the end has none."""
    listed = trajectories(STEPS)
    figure = draw("accuracy", listed)
    mean = np.mean([1 - 0.01 * i for i in range(TAIL)])
    assert {trace.name for trace in figure.data} == {
        f"{name} {mean:.3f}" for name in ("original", "compressed", "narrow with random start")
    }
    shown = [trace for trace in figure.data if trace.showlegend]
    assert [trace.meta["tail"] for trace in shown] == [TAIL] * 3
    assert all(trace.meta["y"].endswith(".accuracy") for trace in shown)
    low, high = figure.layout.yaxis.range
    assert low == 0 and 1 <= high < 1.1
    assert [shape.y0 for shape in figure.layout.shapes] == [1 / 3]
    values = listed[0].series["accuracy"].copy()
    assert tail_mean(values[:2]) == pytest.approx(0.005) and tail_mean(values[:0]) is None
    values[-1] = np.nan
    broken = dataclasses.replace(listed[0], series={"accuracy": values})
    assert tail_mean(values) is None
    assert [trace.name for trace in draw("accuracy", [broken]).data] == ["original"]


def test_validation_is_drawn_if_the_run_has_it() -> None:
    (one, *_) = trajectories(STEPS)
    more = {**one.series, "validation_accuracy": one.series["accuracy"] / 3}
    figure = draw("accuracy", [dataclasses.replace(one, series=more)])
    assert [trace.meta["y"].split(".")[1] for trace in figure.data] == [
        "train_accuracy",
        "validation_accuracy",
        "accuracy",
    ]
    assert "validation" in figure.layout.title.text


def test_what_a_run_lacks_is_said_in_one_sentence() -> None:
    wide = [each for each in trajectories(STEPS) if each.network == "original"]
    with pytest.raises(NothingToDrawError, match="r̂ = 2 or r̂ = 3") as refused:
        draw("inner_coordinates", wide)
    assert is_sentence(str(refused.value))
    for name in registry.options("charts"):
        assert is_sentence(traits.chart(name).missing)


def test_the_last_record_of_a_network_that_has_ended_stays() -> None:
    listed = trajectories(STEPS)
    short = trajectories(range(0, 301, 10))[0]
    assert Shown(short, at=700).moment == 30
    figure = draw("confusion", [short, *listed[1:]], at=700)
    assert figure.data[0].z[0][0] == pytest.approx(0.3)
    assert figure.data[1].z[0][0] == pytest.approx(0.7)


def test_modes_have_the_names_of_the_classes_that_they_tell_apart() -> None:
    """In the legend where the network is alone and the mode has grown; in hover labels anywhere."""
    figure = draw("singular_values/original", theory=False)
    names = [trace.name for trace in figure.data if "y" in trace.meta]
    assert names[:2] == ["σ<sub>1</sub> cat | dog", "σ<sub>2</sub> fox | the rest"]
    assert names[2:] == ["smaller modes"] * 2
    assert [trace.showlegend for trace in figure.data] == [True, True, False, False]
    together = draw("singular_values", theory=False)
    assert {trace.name for trace in together.data} == {
        "original",
        "compressed",
        "narrow with random start",
    }
    assert "cat | dog" in together.data[4].hovertemplate
    described = draw("singular_values/original", trajectories([]), theory=False)
    assert described.layout.meta["classes"] == CLASSES
    for i, trace in enumerate(described.data):
        assert trace.meta["vector"] == [f"original.class_vectors.{i + 1}.{k}" for k in (1, 2, 3)]


@pytest.mark.parametrize("name", ["updates", "update_angles"])
def test_each_weight_s_update_is_drawn_with_its_name_and_numbers(name: str) -> None:
    """Shares from 0 to 1, angles in degrees: the head's factors, then the backbone's matrices."""
    layout = Layout.of(records(0), FACTS)
    rows = np.array([layout.row(records(step)) for step in STEPS])
    figure = draw(f"{name}/compressed")
    wanted = [
        column
        for series in traits.chart(name).needs
        for column in layout.columns("compressed", series)
    ]
    assert sorted(trace.meta["y"] for trace in figure.data) == sorted(wanted)
    scale = 180 / np.pi if name == "update_angles" else 1
    for trace in figure.data:
        values = rows[:, layout.names.index(trace.meta["y"])]
        assert np.array(trace.y) == pytest.approx(values * scale)
        number = int(trace.meta["y"].split(".")[-1])
        word = f"W<sub>{number}</sub>" if number < 4 else f"backbone {2 * (number - 4)}.weight"
        assert trace.hovertemplate.startswith(word)
        assert trace.connectgaps and trace.mode == "lines+markers"  # most records lack them
        own = "gradient_energy" not in trace.meta["y"]
        assert (trace.marker.symbol == "circle-open") != own
    listed = [trace.name for trace in figure.data if trace.showlegend]
    assert listed == ["W<sub>1</sub>", "W<sub>2</sub>", "W<sub>3</sub>", "backbone"]
    together = [trace.name for trace in draw(name).data if trace.showlegend]
    assert together == ["original", "compressed", "narrow with random start"]


@pytest.mark.parametrize(
    ("changes", "limited"),
    [
        ({}, True),
        ({"backbone_rate": 0.0}, True),
        ({"alpha": 2.0}, False),
        ({"alpha_first": 2.0}, False),
        ({"backbone_rate": 0.5}, False),
        ({"optimizer": "momentum"}, False),
        ({"optimizer": "adam"}, False),
        ({"changes": "500:learning_rate=0.1"}, False),
    ],
)
def test_two_is_the_limit_of_sharpness_only_for_plain_descent(
    changes: dict[str, Any], limited: bool
) -> None:
    """η λ_max = 2 says nothing of momentum, or of weights that move by different η."""
    config = settings(**({"optimizer": "gradient_descent", "alpha": 1.0} | changes))
    figure = Panel("sharpness").draw(config, trajectories(STEPS))
    assert [shape.y0 for shape in figure.layout.shapes] == ([2] if limited else [])
    assert ("No line" in figure.layout.meta["note"]) != limited
    trace = figure.data[0]
    assert trace.connectgaps and trace.y[-1] == pytest.approx(0.05 * 40.0)
    assert np.isnan(trace.y[1]) and trace.meta["scale"] == 0.05


def test_what_is_not_known_of_wide_factors_is_drawn() -> None:
    """A grey line for each factor; without a series of errors, no word of it."""
    figure = draw("factor_singular_values/original")
    lines = [trace for trace in figure.data if "spectrum_error" in trace.meta["y"]]
    assert [trace.y[-1] for trace in lines] == [0, 0.5, 0.2]
    listed = [trace.name for trace in figure.data if trace.showlegend]
    assert listed == ["σ<sub>1</sub> (strong) to σ<sub>2</sub> (faint)", "error of wide factors"]
    assert "known" in figure.layout.meta["note"]
    (one, *_) = trajectories(STEPS)
    exact = {name: each for name, each in one.series.items() if name != "spectrum_error"}
    figure = draw("factor_singular_values", [dataclasses.replace(one, series=exact)])
    assert len(figure.data) == 6 and not figure.layout.meta


@pytest.mark.parametrize(
    ("standing", "words"), [("small-W", "is small"), ("first-order", "learning backbone")]
)
def test_the_forecast_of_a_plateau_says_how_sure_it_is(standing: str, words: str) -> None:
    """In its name; the mark is where the forecast ends."""
    steps = np.array([0.0, 50.0, 100.0])
    course = Expected((), standing, (), steps, np.ones((3, 2)), plateau=(80.0, 100.0))
    (one, *_) = trajectories(STEPS)
    figure = registry.load("charts", "singular_values").draw([Shown(one, course)])
    lines = [trace for trace in figure.data if "forecast" in (trace.name or "")]
    assert len(lines) == 2 and all(words in trace.name for trace in lines)
    (mark,) = [trace for trace in figure.data if trace.name == "end of the plateau"]
    assert list(mark.x) == [100] and "at step 100" in mark.text[0]
