"""Attribution: factors of real runs, exact where recursions are, in the numbers of the field."""

import dataclasses
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynamics.core import traits
from dynamics.core.config import Config, ConfigError
from dynamics.core.records import Array, Trajectory
from dynamics.draw.waterfall import HOLLOW, draw, reading
from dynamics.engine.training.comparison import prepare
from dynamics.export.layout.layout import dressed
from dynamics.export.layout.sizes import Print
from dynamics.findings import attribution, story
from dynamics.findings.attribution import (
    ALPHA,
    START,
    WIDTH,
    Attribution,
    Corner,
    attribute,
    ladder,
)
from dynamics.theory import compressed
from tests.support.make import is_sentence, recorded, small

pytestmark = pytest.mark.xdist_group("attribution")  # in one process, they share what they set up

FULL = {
    "problem": "factorization", "rows": 16, "cols": 16, "rank_bound": 3, "spectrum": "power-law",
    "init_scale": 0.1, "learning_rate": 0.2, "rate_unit": "limit", "alpha": 4.0,
    "steps": 3000, "record_every": 10, "tolerance": 1e-7,
}  # fmt: skip
Climbed = tuple[Config, list[list[Trajectory]]]


def climbed(seeds: int = 1, **changes: object) -> Climbed:
    config = small(**(FULL | changes))
    return config, [recorded(each) for each in ladder(config, seeds)]


@pytest.fixture(scope="module")
def full() -> Climbed:
    return climbed(seeds=3)


def test_the_factors_multiply_to_the_whole_lead(full: Climbed) -> None:
    """In every seed, and of the medians, in steps, operations and seconds."""
    made = attribute(*full)
    assert made.factors.shape == (3, 3, 3) and len(made.orders) == 6
    first, last = (corner.costs for corner in made.ends)
    assert made.ends[1].network == "compressed"
    np.testing.assert_allclose(made.factors.prod(axis=1), first / last, rtol=1e-12)
    medians = np.median(first, axis=0) / np.median(last, axis=0)
    np.testing.assert_allclose(made.middle.prod(axis=0), medians, rtol=1e-12)
    np.testing.assert_allclose(made.of_orders.prod(axis=1), [medians] * 6, rtol=1e-12)
    np.testing.assert_allclose(made.total, medians, rtol=1e-12)
    assert (made.of_orders.min(axis=0) <= made.middle).all()
    assert (made.middle <= made.of_orders.max(axis=0)).all()


def cube(costs: dict[frozenset[str], Array], **changes: Any) -> Attribution:
    """An attribution of these costs: by the set of causes, a cost a seed for all counters."""
    corners = [
        Corner(name, frozenset(causes), np.repeat(costs[frozenset(causes)][:, None], 3, axis=1))
        for name, causes in attribution.NETWORKS.items()
    ]
    config = small(**(FULL | changes))
    return Attribution(config, "1e-3", tuple(corners), len(corners[0].costs))


def by_hand(**costs: Any) -> Attribution:
    """Costs by the first letters of the causes, s, w and a; ``o`` is the original's."""
    letters = {"s": START, "w": WIDTH, "a": ALPHA}
    sets = {frozenset(letters[each] for each in name if each != "o"): costs[name] for name in costs}
    return cube({causes: np.atleast_1d(np.array(cost, float)) for causes, cost in sets.items()})


POWERS = {"o": 64, "s": 32, "w": 64, "a": 16, "sw": 16, "sa": 8, "wa": 16, "swa": 4}


def test_shares_are_geometric_means_over_all_orders() -> None:
    """By hand: in powers of two, of 64/4 = 16 the start has 3/2, the width 1/2 and α 2."""
    made = by_hand(**POWERS)
    # Start: 64/32, 64/32 first; 64/16 after the width; 16/8 after α; 16/4, 16/4 last.
    starts = {2.0, 4.0}
    assert {round(each, 12) for each in made.of_orders[:, 0, 0]} == starts
    start = 2 ** ((1 + 1 + 2 + 1 + 2 + 2) / 6)
    width = 2 ** ((1 + 1 + 0 + 0 + 0 + 1) / 6)
    alpha = 2 ** ((2 + 2 + 2 + 2 + 2 + 2) / 6)
    np.testing.assert_allclose(made.middle[:, 0], [start, width, alpha], rtol=1e-14)
    np.testing.assert_allclose(made.middle.prod(axis=0), 16, rtol=1e-14)
    told = attribution.sentences(made)
    assert "2.83 × from the spectral start (2.00 to 4.00)" in told[1]
    assert "4.00 × from α," not in told[1] and told[1].endswith("4.00 × from α.")
    assert "over all 6 orders" in " ".join(told)


@given(st.lists(st.floats(1e-3, 1e12), min_size=8 * 2, max_size=8 * 2))
def test_shares_add_up_in_every_cube(costs: list[float]) -> None:
    """In every order, and so in their mean; no share is outside the range of its orders."""
    names = ("o", "s", "w", "a", "sw", "sa", "wa", "swa")
    made = by_hand(**{name: costs[2 * i : 2 * i + 2] for i, name in enumerate(names)})
    first, last = (corner.costs for corner in made.ends)
    np.testing.assert_allclose(made.factors.prod(axis=1), first / last, rtol=1e-12)
    np.testing.assert_allclose(made.middle.prod(axis=0), made.total, rtol=1e-12)
    low, high = made.of_orders.min(axis=0), made.of_orders.max(axis=0)
    assert (low <= made.middle * (1 + 1e-12)).all() and (made.middle <= high * (1 + 1e-12)).all()


def test_orders_through_a_network_that_did_not_arrive_are_left_out() -> None:
    """Two orders take the width first; the others still multiply to the whole lead."""
    made = by_hand(**(POWERS | {"w": np.nan}))
    assert len(made.orders) == 4 and all(order[0] != WIDTH for order in made.orders)
    np.testing.assert_allclose(made.middle.prod(axis=0), 16, rtol=1e-14)
    told = " ".join(attribution.sentences(made))
    assert "over 4 of 6 orders (all that are whole)" in told and "did not reach" in told
    assert "4 of 6 orders" in draw(made).layout.title.text
    assert "4 of 6 orders (all that are whole)" in reading(made)
    assert "4 of 6 orders" in str(attribution.table(made))


def test_a_seed_is_left_out_where_it_leaves_no_order_whole() -> None:
    """Otherwise an order is left out: most seeds count, then all orders that these have."""
    costs = {name: [cost] * 3 for name, cost in POWERS.items()}
    partly = costs | {"w": [64, np.nan, 64]}
    assert by_hand(**partly).whole.all() and len(by_hand(**partly).orders) == 4
    every = partly | {"s": [32, np.nan, 32], "a": [16, np.nan, 16]}
    made = by_hand(**every)
    assert made.whole.tolist() == [True, False, True] and len(made.orders) == 6


def test_a_lead_that_is_missing_or_cannot_be_split_has_one_sentence() -> None:
    ended = by_hand(**(POWERS | {"swa": np.nan}))
    told = attribution.sentences(ended)
    assert (
        not ended.orders and "no lead to split" in told[0] and "compressed network did" in told[1]
    )
    alone = by_hand(**(POWERS | {"s": np.nan, "w": np.nan, "a": np.nan}))
    told = attribution.sentences(alone)
    assert "16 × fewer steps" in told[0] and "so the lead is not split" in told[1]
    begun = by_hand(**(POWERS | {"swa": 0}))
    assert "started below" in " ".join(attribution.sentences(begun))
    for made in (ended, alone, begun):
        assert attribution.to_dict(made)["total"] is None and draw(made).to_json()
        assert all(map(is_sentence, attribution.sentences(made)))


def test_what_seeds_do_not_agree_on_is_hollow_and_no_clear_effect() -> None:
    """Nine of ten seeds on one side are enough, eight are not; a factor of 1 is on no side."""
    for agreeing, clear in ((10, True), (9, True), (8, False)):
        factors = np.array([1.5] * agreeing + [0.5] * (10 - agreeing))
        start = {"s": 64 / factors, "sw": 64 / factors, "sa": 16 / factors, "swa": 16 / factors}
        made = by_hand(o=[64] * 10, w=[64] * 10, a=[16] * 10, wa=[16] * 10, **start)
        assert made.clear[:, 0].tolist() == [clear, False, True, True]
        split = attribution.sentences(made)[1]
        assert ("no clear effect of the spectral start (1.50 ×)" in split) != clear
        assert "no clear effect of the narrow width (1.00 ×)" in split
        bars = [trace for trace in draw(made).data if trace.type == "bar"][:4]
        assert [bar.marker.color != HOLLOW for bar in bars] == made.clear[:, 0].tolist()


def test_seconds_of_short_training_are_never_clear() -> None:
    costs = {name: [cost / 1000] * 2 for name, cost in POWERS.items()}
    made = by_hand(**costs)
    assert made.short and not made.clear[:, -1].any() and made.clear[0, 0]
    assert not any("In seconds" in each for each in attribution.sentences(made))


@pytest.mark.parametrize("seeds", [1, 4, 5])
def test_quartiles_come_from_five_seeds_on(seeds: int) -> None:
    """With fewer, every seed is a circle and the table has every cost."""
    made = by_hand(
        **{name: [cost * (1 + i / 9) for i in range(seeds)] for name, cost in POWERS.items()}
    )
    figure = draw(made)
    scatters = list(figure.select_traces({"type": "scatter"}))
    bands = [trace for trace in scatters if trace.error_x.thickness == 1.5]
    circles = [trace for trace in scatters if trace.marker.symbol == "circle-open"]
    rows = len(figure.layout.yaxis.tickvals)
    assert (len(bands), len(circles)) == ((rows, 0) if seeds == 5 else (0, rows))
    assert all(len(trace.x) == seeds for trace in circles)
    assert ("quartiles" in reading(made)) == (seeds == 5)
    cell = attribution.table(made)[1][3]
    assert cell.count(" – ") == (seeds == 5) and cell.count(", ") == (3 if seeds == 4 else 0)
    assert ("One seed cannot show" in " ".join(attribution.sentences(made))) == (seeds == 1)


def test_what_is_drawn_of_few_seeds_beside_many_is_said() -> None:
    """Six seeds make the bars, and three a network's diamond."""
    costs = {name: [cost * (1 + i / 9) for i in range(6)] for name, cost in POWERS.items()}
    costs["s"] = costs["s"][:3] + [np.nan] * 3
    words = reading(by_hand(**costs))
    assert "of fewer than five seeds, each is a circle" in words


def test_on_a_full_target_the_recursions_foretell_alpha_and_width(full: Climbed) -> None:
    """Steps of the spectral rungs are those of two scalar recursions; the width changes none."""
    config, runs = full
    made = attribute(config, runs, "1e-2")
    costs = {corner.network: corner.costs[:, 0] for corner in made.corners}
    np.testing.assert_array_equal(costs["original_spectral"], costs["compressed_even"])
    np.testing.assert_array_equal(costs["original_spectral_alpha"], costs["compressed"])
    for number, each in enumerate(ladder(config, 3)):
        comparison = prepare(each)
        goals = np.array(comparison.facts["target_singular_values"])
        rate = comparison.learning_rate * comparison.problem.curvature
        steps = []
        for alpha in (1.0, 4.0):
            course = compressed.recursion(goals, 3, alpha, 0.1, rate, range(0, 3001, 10))
            error = ((compressed.end_to_end(*course, 3) - goals) ** 2).sum(1) / (goals**2).sum()
            steps.append(10 * int(np.argmax(error**0.5 <= 1e-2)))
        assert costs["compressed_even"][number] / costs["compressed"][number] == steps[0] / steps[1]


def test_seeds_draw_everything_anew_and_wrap_at_the_last() -> None:
    last = 2**31 - 1
    first, second = ladder(small(seed_init=last), 2)
    assert first.seed_init == last and second.seed_init == 0
    assert (second.seed_target, second.seed_data, second.seed_noise) == (1, 1, 1)
    for seeds in (0, 21):
        with pytest.raises(ValueError, match="1 to 20 seeds"):
            ladder(small(), seeds)


def test_equal_alpha_leaves_twins_out_and_changes_no_factor() -> None:
    """With α₀ = α the rungs that would be alike are not trained twice; α is no cause."""
    config, runs = climbed(alpha_original=4.0)
    made = attribute(config, runs)
    assert len(runs[0]) == 4
    assert made.causes == (START, WIDTH) and len(made.orders) == 2
    assert made.ends[1].network == "compressed" and made.middle.shape == (2, 3)
    np.testing.assert_allclose(made.middle.prod(axis=0), made.total, rtol=1e-12)
    assert any("over both orders" in each for each in attribution.sentences(made))
    assert any("α is not part of the lead" in each for each in attribution.sentences(made))


def test_every_combination_of_causes_is_trained_once(full: Climbed) -> None:
    """Start, width and α: eight networks, or four if α = α₀; on a full target width is none."""
    for config, count in ((full[0], 8), (dataclasses.replace(full[0], alpha_original=4.0), 4)):
        trained = [traits.network(name) for name in attribution.networks(config)]
        fair = config.alpha == config.alpha_original
        causes = {(each.spectral, each.narrow, not fair and each.alpha) for each in trained}
        assert len(trained) == len(causes) == count


@pytest.mark.parametrize(("alpha", "size"), [(1.0, "smaller"), (4.0, "larger")])
def test_alpha_is_a_step_of_the_size_that_it_has(full: Climbed, alpha: float, size: str) -> None:
    config = dataclasses.replace(full[0], alpha=alpha, alpha_original=2.0)
    told = " ".join(attribution.sentences(attribute(config, full[1])))
    assert f"a {size} α is nearly a {size} step" in told


def test_a_story_names_the_alpha_of_both_networks(full: Climbed) -> None:
    config = dataclasses.replace(full[0], alpha_original=2.0)
    pair = [each for each in full[1][0] if each.network in config.networks]
    assert any("α = 4, the original α₀ = 2." in each for each in story.story(config, pair))


def test_an_equal_margin_leaves_little_of_what_alpha_gave(full: Climbed) -> None:
    """The step is smaller by α^(−2/L); what α = 4 is worth beyond a larger step is small."""
    config, runs = climbed(equal="margin")
    factor = attribute(config, runs).middle[-1, 0]
    assert attribute(*full).middle[-1, 0] > 1.9
    assert 0.9 < factor < 1.5


def test_what_never_arrives_is_said(full: Climbed) -> None:
    """In the table, in a sentence and in the chart; the others' numbers stay."""
    config, runs = full
    made = attribute(config, runs)
    steps = [each for run in runs for each in run if each.network == "narrow_random"]
    late = int(max(each.first_at("recovery_error", 1e-3) or 0 for each in steps))
    cut = [[dataclasses.replace(each, **_until(each, late)) for each in run] for run in runs]
    short = attribute(config, cut)
    corner = next(corner for corner in short.corners if corner.network == "narrow_random")
    assert corner.reached.sum() < 3 and short.whole.all() and len(short.orders) < 6
    assert any("did not reach" in each for each in attribution.sentences(short))
    assert f"{corner.reached.sum()} of 3" in str(attribution.table(short))
    np.testing.assert_array_equal(short.total, made.total)
    nothing = attribute(config, runs, "1e-7")
    if not nothing.orders:
        assert "In no seed" in attribution.sentences(nothing)[0]
    assert draw(nothing).to_json()


def _until(trajectory: Trajectory, end: int) -> dict[str, object]:
    names = ("steps", "seconds", "measuring_seconds", "operations")
    return {name: getattr(trajectory, name)[:end] for name in names} | {
        "series": {name: values[:end] for name, values in trajectory.series.items()}
    }


@pytest.mark.parametrize("level", ["0", "1", "-1", "nan", "soon"])
def test_a_level_that_is_none_is_refused_in_one_sentence(level: str) -> None:
    with pytest.raises(ValueError, match="stop or an error between 0 and 1") as caught:
        attribute(small(), [], level)
    assert is_sentence(str(caught.value)) and not isinstance(caught.value, ConfigError)


@pytest.mark.parametrize("size", ["column", "slide"])
def test_rows_are_printed_as_high_as_their_letters(full: Climbed, size: str) -> None:
    made = go.Figure(dressed(draw(attribute(*full)).to_plotly_json(), Print(size)))
    rows, letters = len(made.layout.yaxis.tickvals), made.layout.yaxis.tickfont.size
    words = {each.textfont.size for each in made.select_traces({"mode": "text"})}
    assert made.layout.height * 0.95 > rows * 1.2 * letters and letters > 5
    assert made.layout.margin.r > 8 * 0.5 * max(words)


def test_the_chart_draws_the_factors_it_is_given(full: Climbed) -> None:
    """Each bar begins where the last ended; their ends are the running products."""
    made: Attribution = attribute(*full)
    figure = draw(made)
    bars = [trace for trace in figure.data if trace.type == "bar"]
    scatters = figure.select_traces({"type": "scatter"})
    ranges = {trace.y[0]: trace for trace in scatters if trace.error_x.thickness == 5}
    assert len(bars) == 3 * 4
    for place in range(3):
        ends = np.cumprod(made.middle[:, place])
        drawn = bars[4 * place : 4 * place + 4]
        found = [bar.base[0] + bar.x[0] for bar in drawn]
        np.testing.assert_allclose(found, [*ends, ends[-1]], rtol=1e-12)
        starts = [bar.base[0] for bar in drawn]
        np.testing.assert_allclose(starts, [1, *ends[:-1], 1], rtol=1e-12)
        for number, bar in enumerate(drawn[:3]):
            factors = made.of_orders[:, number, place]
            line = ranges[bar.y[0]]
            low, high = line.x[0] - line.error_x.arrayminus[0], line.x[0] + line.error_x.array[0]
            wanted = starts[number] * np.array([factors.min(), factors.max()])
            np.testing.assert_allclose([low, high], wanted, rtol=1e-12)


@pytest.mark.slow
def test_completion_has_the_causes_that_were_measured_by_hand() -> None:
    """d = 100, r = 5, p = 0.2, to the stop: 92, 82, 82 and 27 records of 100 steps in one draw.

    Other draws differ by a fifth at most, and their ratios by less.
    """
    config = Config(
        observed=0.2, tolerance=1e-10, steps=40_000, record_every=100,
        networks="original,compressed", seed_target=1, seed_data=1, seed_init=1,
    )  # fmt: skip
    made = attribute(config, [recorded(each) for each in ladder(config, 1)], "stop")
    costs = {corner.network: corner.costs[0, 0] / 100 for corner in made.corners}
    path = ("original", "original_spectral", "compressed_even", "compressed")
    beside = ("original_alpha", "original_spectral_alpha", "narrow_random", "narrow_random_alpha")
    for name, records in zip(path, (92, 82, 82, 27), strict=True):
        assert costs[name] == pytest.approx(records, rel=0.25)
    for name, records in zip(beside, (30, 27, 205, 61), strict=True):
        assert costs[name] == pytest.approx(records, rel=0.35)
    start, width, alpha = made.middle[:, 0]
    assert start * width * alpha == pytest.approx(costs["original"] / costs["compressed"])
    assert start == pytest.approx(1.6, rel=0.15)
    assert alpha == pytest.approx(3, rel=0.1)
