"""Attribution: factors of real runs, exact where recursions are, in the numbers of the field."""

import dataclasses

import numpy as np
import plotly.graph_objects as go
import pytest

from dynamics.core import traits
from dynamics.core.config import Config, ConfigError
from dynamics.core.records import Trajectory
from dynamics.draw.waterfall import draw
from dynamics.engine.training.comparison import prepare
from dynamics.export.layout.layout import dressed
from dynamics.export.layout.sizes import Print
from dynamics.findings import attribution, story
from dynamics.findings.attribution import Attribution, attribute, ladder
from dynamics.theory import compressed
from tests.support.make import is_sentence, recorded, small

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
    assert made.factors.shape == (3, 3, 3)
    first, last = made.path[0].costs, made.path[-1].costs
    np.testing.assert_allclose(made.factors.prod(axis=1), first / last, rtol=1e-12)
    medians = np.median(first, axis=0) / np.median(last, axis=0)
    np.testing.assert_allclose(made.middle.prod(axis=0), medians, rtol=1e-12)


def test_on_a_full_target_the_recursions_foretell_alpha_and_width(full: Climbed) -> None:
    """Steps of the spectral rungs are those of two scalar recursions; the width changes none."""
    config, runs = full
    made = attribute(config, runs, "1e-2")
    width = [rung.cause for rung in made.path].index("narrow width") - 1
    np.testing.assert_array_equal(made.factors[:, width, 0], 1.0)
    for number, each in enumerate(ladder(config, 3)):
        comparison = prepare(each)
        goals = np.array(comparison.facts["target_singular_values"])
        rate = comparison.learning_rate * comparison.problem.curvature
        steps = []
        for alpha in (1.0, 4.0):
            course = compressed.recursion(goals, 3, alpha, 0.1, rate, range(0, 3001, 10))
            error = ((compressed.end_to_end(*course, 3) - goals) ** 2).sum(1) / (goals**2).sum()
            steps.append(10 * int(np.argmax(error**0.5 <= 1e-2)))
        assert made.factors[number, -1, 0] == steps[0] / steps[1]


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
    assert [rung.cause for rung in made.path] == ["", "spectral start", "narrow width"]
    assert [rung.network for rung in made.beside] == ["narrow_random"]
    assert any("no part of the lead" in each for each in attribution.sentences(made))


def test_every_combination_of_causes_is_trained_once(full: Climbed) -> None:
    """Start, width and α: eight networks, or four if α = α₀; on a full target width is none."""
    for config, count in ((full[0], 8), (dataclasses.replace(full[0], alpha_original=4.0), 4)):
        trained = [traits.network(name) for name in attribution.networks(config)]
        fair = config.alpha == config.alpha_original
        causes = {(each.spectral, each.narrow, not fair and each.alpha) for each in trained}
        assert len(trained) == len(causes) == count
    made = attribute(*full)
    wide = next(rung for rung in made.beside if rung.network == "original_spectral_alpha")
    np.testing.assert_array_equal(wide.costs[:, 0], made.path[-1].costs[:, 0])


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
    assert attribute(*full).middle[-1, 0] > 2
    assert 0.9 < factor < 1.5


def test_what_never_arrives_is_said(full: Climbed) -> None:
    """In the table, in a sentence and in the chart; the others' numbers stay."""
    config, runs = full
    made = attribute(config, runs)
    steps = [each for run in runs for each in run if each.network == "narrow_random"]
    late = int(max(each.first_at("recovery_error", 1e-3) or 0 for each in steps))
    cut = [[dataclasses.replace(each, **_until(each, late)) for each in run] for run in runs]
    short = attribute(config, cut)
    rung = next(rung for rung in short.beside if rung.network == "narrow_random")
    assert rung.reached < 3
    assert any("did not reach" in each for each in attribution.sentences(short))
    assert f"{rung.reached} of 3" in str(attribution.table(short))
    np.testing.assert_array_equal(short.middle, made.middle)
    nothing = attribute(config, runs, "1e-7")
    if not nothing.whole.any():
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
    assert len(bars) == 3 * 4
    for place in range(3):
        ends = np.cumprod(made.middle[:, place])
        drawn = bars[4 * place : 4 * place + 4]
        found = [bar.base[0] + bar.x[0] for bar in drawn]
        np.testing.assert_allclose(found, [*ends, ends[-1]], rtol=1e-12)
        starts = [bar.base[0] for bar in drawn]
        np.testing.assert_allclose(starts, [1, *ends[:-1], 1], rtol=1e-12)


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
    for rung, records in zip(made.path, (92, 82, 82, 27), strict=True):
        assert rung.costs[0, 0] / 100 == pytest.approx(records, rel=0.25)
    start, width, alpha = made.middle[:, 0]
    assert start == pytest.approx(92 / 82, abs=0.2)
    assert width == pytest.approx(1, abs=0.02)
    assert alpha == pytest.approx(82 / 27, rel=0.1)
    for rung, records in zip(made.beside, (30, 27, 205, 61), strict=True):
        assert rung.costs[0, 0] / 100 == pytest.approx(records, rel=0.35)
