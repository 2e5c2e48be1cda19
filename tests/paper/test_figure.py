"""Figure: verdicts follow from numbers; of many seeds quartiles are drawn, of few each one."""

import dataclasses
import math

import numpy as np
import plotly.graph_objects as go
import pytest

from dynamics.core.records import Trajectory
from dynamics.paper import overlay
from dynamics.paper.check import DEVIATION, Check, over_seeds, verdict
from dynamics.paper.figure import Curve, Found, band, curve_checks, deviation
from dynamics.paper.figures import ablation_alpha

CURVE = Curve("original", "both", "original", published="curve")


def trajectory(*losses: float, every: int = 10) -> Trajectory:
    """Records of a test loss."""
    steps = np.arange(len(losses)) * float(every)
    return Trajectory("original", steps, steps, steps, steps, {"test_loss": np.array(losses)})


def found(*of: Trajectory, **published: np.ndarray) -> Found:
    return Found({"both": [{"original": each} for each in of]}, published)


def test_a_number_agrees_up_to_what_is_allowed_and_says_why_it_does_not() -> None:
    assert Check("stop", 46, 46).verdict == "agrees"
    assert Check("floor", 4.193e-15, 4.19e-15, 5e-18).verdict == "agrees"
    assert Check("floor", 4.2e-15, 4.19e-15, 5e-18).verdict == "differs"
    assert Check("stop", 47, 46).why == "stop is 47, published is 46"
    assert "10⁻⁸" in Check("deviation", 3e-7, 0.0, 1e-8, kind=DEVIATION).why
    assert Check("stop", math.nan, 46).verdict == "differs"
    assert Check("stop", 47).verdict == "no number published" and not Check("stop", 47).why


def test_a_figure_differs_if_one_number_does() -> None:
    same, other, told = Check("a", 1, 1), Check("b", 1, 2), Check("c", 1)
    assert verdict([same, told]) == "agrees"
    assert verdict([same, other, told]) == "differs"
    assert verdict([told]) == verdict([]) == "no number published"


@pytest.mark.parametrize(
    ("losses", "agreed"),
    [
        ((1.0, 0.5, 0.25), True),
        ((1.0, 0.5, 0.25 * (1 + 1e-9)), True),
        ((1.0, 0.5, 0.25 * (1 + 1e-7)), False),
        ((1.0, 0.5), False),
        ((1.0, 0.5, 0.25, 0.1), False),
        ((1.0, 0.5, math.nan), False),
    ],
)
def test_a_wrong_curve_flips_the_verdict(losses: tuple[float, ...], agreed: bool) -> None:
    """One record too many, one digit off, or no number: none of them passes."""
    theirs = {"curve": np.array([1.0, 0.5, 0.25])}
    checks = list(curve_checks(found(trajectory(*losses), **theirs), [CURVE]))
    assert verdict(checks) == ("agrees" if agreed else "differs")
    assert len(checks) == 2


def test_far_below_the_scale_rounding_decides() -> None:
    """As the authors' trajectories are held everywhere: relative, but to 10⁻⁶ of the maximum."""
    assert deviation(np.array([1.0, 2e-16]), np.array([1.0, 1e-16])) == pytest.approx(1e-10)
    assert deviation(np.array([1.0, 2e-3]), np.array([1.0, 1e-3])) == pytest.approx(1.0)
    assert deviation(np.array([1.0]), np.array([1.0, 1.0])) == math.inf


def test_a_band_is_the_quartiles_and_what_has_ended_keeps_its_value() -> None:
    seeds = [trajectory(4.0 * k, 2.0 * k, k) for k in range(1, 5)] + [trajectory(20.0, 10.0)]
    steps, (low, middle, high) = band(seeds, CURVE)
    assert steps.tolist() == [0, 10, 20]
    assert middle.tolist() == [12.0, 6.0, 3.0]
    assert low.tolist() == [8.0, 4.0, 2.0] and high.tolist() == [16.0, 8.0, 4.0]
    short, (_, ended, _) = band([seeds[-1], trajectory(1.0, 1.0, 1.0)], CURVE)
    assert len(short) == 3 and ended[-1] == pytest.approx(5.5)


def test_the_first_step_at_a_level() -> None:
    assert trajectory(1.0, 0.5, 0.5).reached("test_loss", 0.5) == 10
    assert math.isnan(trajectory(1.0).reached("test_loss", 0.5))


def test_a_figure_shows_the_authors_numbers_or_the_band_and_how_many_seeds() -> None:
    theirs = {"curve": np.array([1.0, 0.5, 0.25])}
    alone = overlay.curves(found(trajectory(1.0, 0.5, 0.2), **theirs), [CURVE], "t", "y")
    line, points = alone.data
    assert list(line.y) == [1.0, 0.5, 0.2] and list(points.y) == [1.0, 0.5, 0.25]
    assert list(points.x) == list(line.x) == [0, 10, 20]
    seeds = [trajectory(1.0, k) for k in (1.0, 2.0, 3.0, 4.0, 5.0)]
    over = overlay.curves(found(*seeds), [CURVE], "t", "y")
    fill, line = over.data
    assert "N = 5" in line.name and list(line.y) == [1.0, 3.0] and isinstance(over, go.Figure)
    assert fill.fill == "toself" and max(fill.y) == 4.0 and "quartiles" in over.layout.title.text


@pytest.mark.parametrize("seeds", [2, 4])
def test_few_seeds_are_a_faint_line_each_and_no_quartiles(seeds: int) -> None:
    """Each ends where it ended; the legend has N, the title what is drawn."""
    of = [trajectory(*[k / 2**i for i in range(k + 1)]) for k in range(1, seeds + 1)]
    over = overlay.curves(found(*of), [CURVE], "t", "y")
    *faint, line = over.data
    assert [list(trace.y) for trace in faint] == [list(each.series["test_loss"]) for each in of]
    assert not any(trace.fill or trace.name or trace.showlegend for trace in faint)
    assert all(trace.line.width < line.line.width for trace in faint)
    assert f"N = {seeds}" in line.name
    assert "each seed" in over.layout.title.text and "quartiles" not in over.layout.title.text
    (check, *_) = over_seeds([list(curve_checks(found(each), [CURVE])) for each in of])
    assert check.quartiles is None and check.each == tuple(range(1, seeds + 1))
    assert check.words == f"{np.median(check.each):g} ({', '.join(map(str, range(1, seeds + 1)))})"


def test_over_seconds_stand_our_own_times_and_not_the_authors() -> None:
    """At which second of theirs a number came is not known; over seeds it is the median time."""
    first = dataclasses.replace(trajectory(1.0, 0.5, 0.2), seconds=np.array([0.0, 1.0, 4.0]))
    other = dataclasses.replace(trajectory(1.0, 0.5, 0.2), seconds=np.array([0.0, 3.0, 5.0]))
    theirs = {"curve": np.array([1.0, 0.5, 0.25])}
    steps, seconds = overlay.both(found(first, **theirs), [CURVE], "t", "y")
    assert len(steps.data) == 2 and len(seconds.data) == 1
    assert list(seconds.data[0].x) == [0, 1, 4] and list(seconds.data[0].y) == [1.0, 0.5, 0.2]
    _, over = overlay.both(found(first, other), [CURVE], "t", "y")
    assert list(over.data[-1].x) == [0, 2, 4.5]


def test_modes_in_space_have_bands_between_the_quartiles_and_n_over_each_chart() -> None:
    """A median line for each mode, before an upright band or, of few seeds, before their lines."""
    draw, steps = np.random.default_rng(0), np.arange(6.0)
    of = []
    for _ in range(5):
        both = {}
        for network in overlay.NETWORKS:
            sizes = draw.uniform(1, 2, (6, 3))
            facts = {"target_singular_values": [2.0, 1.0]}
            series = {"singular_values": sizes}
            both[network] = Trajectory(network, steps, steps, steps, steps, series, facts)
        of.append(both)
    figure = overlay.modes(Found({"both": of}), "both", "Modes")
    bands = [trace for trace in figure.data if trace.type == "surface"]
    lines = [trace for trace in figure.data if trace.type == "scatter3d"]
    assert len(bands) == len(lines) == 6
    for number, (ribbon, line) in enumerate(zip(bands, lines, strict=True)):
        network, mode = overlay.NETWORKS[number // 3], number % 3
        sizes = [each[network].series["singular_values"][:, mode] for each in of]
        assert np.allclose(ribbon.z, np.percentile(sizes, (25, 75), axis=0))
        assert np.allclose(line.z, np.median(sizes, axis=0))
        assert (np.asarray(ribbon.y) > line.y[0]).all() and ribbon.scene == line.scene
    assert [each.text for each in figure.layout.annotations] == [
        f"{network} network, N = 5 seeds" for network in overlay.NETWORKS
    ]
    few = overlay.modes(Found({"both": of[:3]}), "both", "Modes").data
    assert {trace.type for trace in few} == {"scatter3d"} and len(few) == 6 * 4
    for number in range(6):
        *seeds, line = few[4 * number : 4 * number + 4]
        network, mode = overlay.NETWORKS[number // 3], number % 3
        sizes = [each[network].series["singular_values"][:, mode] for each in of[:3]]
        assert np.allclose([each.z for each in seeds], sizes)
        assert np.allclose(line.z, np.median(sizes, axis=0))
        assert all(each.line.width < line.line.width and each.y[0] > line.y[0] for each in seeds)
    alone = overlay.modes(Found({"both": of[:1]}), "both", "Modes")
    assert {trace.type for trace in alone.data} == {"scatter3d"} and len(alone.data) == 6


def ablation(seeds: int) -> go.Figure:
    """The ablation's first panel over seeds whose last steps are 900, 950, … and 80, 130, …"""

    def run(network: str, last: float) -> dict[str, Trajectory]:
        steps = np.array([0.0, last])
        return {network: Trajectory(network, steps, steps, steps, steps, {})}

    of = {"original": [run("original", 900.0 + 50 * seed) for seed in range(seeds)]}
    for alpha in ablation_alpha.ALPHAS:
        of[f"α = {alpha:g}"] = [run("compressed", 80.0 + 50 * seed) for seed in range(seeds)]
    steps, _ = ablation_alpha.draw(Found(of))
    return steps


def test_the_ablation_over_seeds_has_a_band_for_the_original_too() -> None:
    steps = ablation(5)
    (shade,) = (trace for trace in steps.data if trace.fill)
    assert sorted(set(shade.y)) == [950, 1050]
    (line,) = (
        trace for trace in steps.data if trace.name == "original (median and quartiles, N = 5)"
    )
    assert set(line.y) == {1000}


def test_the_ablation_of_few_seeds_has_a_point_for_each_and_a_level() -> None:
    steps = ablation(3)
    assert not any(trace.fill or trace.error_y.visible for trace in steps.data)
    faint = [trace for trace in steps.data if not trace.name]
    points, levels = ([t for t in faint if t.mode == mode] for mode in ("markers", "lines"))
    assert [set(trace.y) for trace in points] == [{80}, {130}, {180}]
    assert [set(trace.y) for trace in levels] == [{900}, {950}, {1000}]
    named = [trace.name for trace in steps.data if trace.name]
    assert named == [f"{each} (median and each seed, N = 3)" for each in ("compressed", "original")]
