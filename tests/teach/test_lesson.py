"""Lessons: every claim that one makes holds in the runs that it trains."""

import functools
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from dynamics.core.config import Config
from dynamics.core.cost import operations
from dynamics.core.words import plain
from dynamics.findings.classes import ALIKE, REST
from dynamics.teach import lesson
from dynamics.teach.lesson import Done, Numbers
from dynamics.theory.forecast import forecast
from dynamics.theory.stability import stability_limit
from pages.shared.hiding import BLOCKS
from tests.support.few import few
from tests.support.make import is_sentence, recorded

pytestmark = pytest.mark.xdist_group("lessons")  # in one process, they share their runs
LESSONS = lesson.lessons()
QUICK = 5e10  # floating-point operations: five seconds of one core


@functools.cache
def trained(config: Config) -> Done:
    """A run of these settings; lessons that share one share it here, too."""
    return Done(config, {each.network: each for each in recorded(config)})


@functools.cache
def words_and_numbers(name: str, **changes: Any) -> Numbers:
    """What the lesson says of its own runs, or of the same with other settings."""
    chosen = LESSONS[name]
    configs = {label: Config.from_dict(of | changes) for label, of in chosen.runs.items()}
    return chosen.numbers({label: trained(config) for label, config in configs.items()})


def numbers(name: str, **changes: Any) -> Mapping[str, float]:
    """The numbers among them."""
    found = words_and_numbers(name, **changes)
    return {key: value for key, value in found.items() if not isinstance(value, str)}


def tried(name: str, **changes: Any) -> Done:
    """What a student finds who trains what the lesson invites to."""
    return trained(Config.from_dict(LESSONS[name].attempt | changes))


def right(name: str) -> str:
    """The answer that the lesson takes for right."""
    return LESSONS[name].answers[LESSONS[name].right]


@pytest.mark.parametrize("name", few(LESSONS, 1))
def test_lesson_is_whole(name: str) -> None:
    """Every number that is named is there, every text ends; nothing is left to fill in."""
    chosen, found = LESSONS[name], words_and_numbers(name)
    told = chosen.explained(found)
    assert "@" not in told
    assert "not reached" not in told + "".join(lesson.written(found, plain).values())
    assert not re.search(r"\{,\}", re.sub(r"\$[^$]+\$", "", told.replace("$$", "$")))
    for words, *names in chosen.facts:
        assert words
        assert len(names) == len(chosen.columns)
        assert set(names) <= set(found)
    for text in (chosen.idea, chosen.question, chosen.invitation, chosen.answer, chosen.beyond):
        assert is_sentence(text.splitlines()[-1])
    assert 2 <= len(set(chosen.answers)) == len(chosen.answers) <= 4
    assert 0 <= chosen.right < len(chosen.answers)
    assert chosen.minutes <= 5
    assert set(chosen.hide) <= set(BLOCKS)


@pytest.mark.parametrize("name", few(LESSONS, 1))
def test_lesson_trains_in_seconds(name: str) -> None:
    """A class of thirty waits for it: counted, so that no machine's load decides."""
    numbers(name)
    for run in (*map(trained, LESSONS[name].configs.values()), tried(name)):
        assert sum(each.operations[-1] for each in run.networks.values()) < QUICK


def test_lessons_stand_in_an_order() -> None:
    """Their places count up from one, so that a new file cannot hide another."""
    assert [each.place for each in LESSONS.values()] == list(range(1, len(LESSONS) + 1))


def test_equal_runs_are_shared() -> None:
    """The second lesson shows the first one's run again."""
    (first,) = LESSONS["plateaus"].configs.values()
    assert first in LESSONS["scale"].configs.values()


def test_plateaus_last_one_over_the_singular_value() -> None:
    """The leading term is within two per cent, twice and thrice as late within one."""
    found = numbers("plateaus")
    assert right("plateaus") == "About twice as late"
    for mode in "123":
        assert found[f"measured{mode}"] == pytest.approx(found[f"expected{mode}"], rel=0.02)
    assert found["second"] == pytest.approx(2, rel=0.01)
    assert found["third"] == pytest.approx(3, rel=0.01)
    both = tried("plateaus")
    assert 1.25 < both.escapes("original")[0] / both.escapes("compressed")[0] < 1.45


def test_half_the_scale_doubles_the_plateau_and_divides_the_floor_by_64() -> None:
    """And adds a fixed number of steps with two factors."""
    found = numbers("scale")
    assert right("scale") == "Twice as long"
    assert found["longer"] == pytest.approx(2, rel=0.01)
    assert found["cleaner"] == pytest.approx(64, rel=0.01)
    assert found["loss_large"] == pytest.approx(found["floor_large"], rel=1e-3)
    assert found["loss_small"] == pytest.approx(found["floor_small"], rel=1e-3)
    waits = [tried("scale", init_scale=scale).escapes()[0] for scale in (0.04, 0.02, 0.01)]
    assert np.diff(waits) == pytest.approx([57, 57], abs=1.5)


def test_two_factors_fit_and_miss_three_find() -> None:
    """The same width, the same entries, the same fit."""
    found = numbers("depth")
    assert right("depth") == "Only the one with three factors"
    assert max(found["loss2"], found["loss3"]) < 1e-6
    assert found["error2"] > 0.1
    assert found["error3"] < 1e-4
    assert found["spare2"] > 0.5
    assert found["spare3"] < 1e-3
    waits = []
    for depth in (3, 4):
        config = Config.from_dict(LESSONS["depth"].attempt | {"depth": depth})
        waits.append(forecast(config).networks["compressed"].escapes.value[0])
    assert waits[1] / waits[0] == pytest.approx(50, rel=0.02)
    assert waits[1] == pytest.approx(82_000, rel=0.01)
    assert waits[0] == pytest.approx(1600, rel=0.03)
    short = Config.from_dict(LESSONS["depth"].attempt | {"init_scale": 0.1})
    assert forecast(short).networks["compressed"].escapes.value[0] < 1000


@pytest.mark.slow
def test_alpha_is_nearly_a_larger_step() -> None:
    """Three times fewer steps at equal η, a twentieth at equal margin."""
    found = numbers("alpha")
    assert right("alpha") == "Next to nothing: about 1.05 times fewer"
    assert found["lead"] == pytest.approx(found["expected_lead"], rel=0.03)
    assert found["left"] == pytest.approx(found["expected_left"], abs=0.03)
    assert 2.9 < found["lead"] < 3.2
    assert 1.03 < found["left"] < 1.07
    configs = list(LESSONS["alpha"].configs.values())[1:]
    ratios = [each.learning_rate / stability_limit(3, each.alpha, 1, 1) for each in configs]
    assert ratios[0] == pytest.approx(ratios[1], rel=1e-3)
    both = tried("alpha")
    assert both.steps_to(1e-4, "original") / both.steps_to(1e-4) == pytest.approx(1.15, abs=0.03)
    apart = tried("alpha", alpha_original=1.0)
    assert apart.steps_to(1e-4, "original") / apart.steps_to(1e-4) > 3


def test_too_narrow_has_no_room_and_too_wide_does_no_harm() -> None:
    """An error above what any matrix of that rank has; the same steps with twice the width."""
    found = numbers("width")
    assert right("width") == "r̂ = 5 and r̂ = 10"
    assert 0.6 < found["least"] < found["low"] < 0.75
    assert max(found["exact"], found["high"]) < 1e-4
    assert found["high_steps"] == found["exact_steps"]
    assert found["spare"] < 1e-4
    wide, usual = tried("width"), trained(LESSONS["width"].configs["r̂ = 10"])
    assert abs(wide.steps_to(1e-4) - usual.steps_to(1e-4)) <= wide.config.record_every
    work = [operations(run.config, "compressed") for run in (wide, usual)]
    assert work[0] / work[1] == pytest.approx(9, abs=0.5)


@pytest.mark.slow
def test_too_few_entries_are_fitted_and_tell_nothing() -> None:
    """Neither network finds the matrix, with two and a half times the entries both do."""
    found = numbers("failure")
    assert right("failure") == "Neither of them"
    for network in ("original", "compressed"):
        assert found[f"fitted_{network}"] > 100
        assert found[f"few_{network}"] > 0.5
        assert found[f"many_{network}"] < 1e-4
    last = tried("failure")
    ahead = [last.networks[each].series["recovery_error"] for each in ("compressed", "original")]
    assert (ahead[0][:150] <= ahead[1][:150]).all()
    assert ahead[0][-1] == pytest.approx(3.7e-4, rel=0.01)
    assert ahead[1][-1] == pytest.approx(3.3e-4, rel=0.01)
    narrower = tried("failure", rank_bound=9)
    ahead = [narrower.networks[each].series["recovery_error"] for each in narrower.networks]
    assert (ahead[1] <= ahead[0]).all()


@pytest.mark.slow
def test_spare_width_learns_the_noise_late() -> None:
    """The least error is near that of least squares; the last more than twice as large."""
    found = numbers("noise")
    assert right("noise") == "It falls, then rises again to more than twice its best"
    assert found["best"] == pytest.approx(found["least"], rel=0.08)
    assert found["worse"] > 2
    assert found["loss_final"] < found["loss_best"]
    assert found["tight"] == pytest.approx(found["tight_best"], rel=0.01)
    assert found["tight"] == pytest.approx(found["best"], rel=0.01)
    half = tried("noise").networks["compressed"]
    errors = half.series["recovery_error"]
    assert errors.min() == pytest.approx(0.087, abs=0.001)
    assert half.steps[errors.argmin()] == pytest.approx(14_500, abs=100)
    assert found["when"] == 7500


@pytest.mark.slow
def test_the_general_comes_before_the_special() -> None:
    """In the order of strength; in between, canary and robin get the same answers."""
    found, said = numbers("semantic"), words_and_numbers("semantic")
    assert right("semantic").startswith("Animals from plants")
    assert [said[f"name{mode}"] for mode in range(1, 6)] == [
        ALIKE, "animals | plants", "birds | fish", "trees | flowers", "canary | robin",
    ]  # fmt: skip
    for mode in range(1, 6):
        assert found[f"measured{mode}"] == pytest.approx(found[f"expected{mode}"], rel=0.04)
        assert found[f"random{mode}"] > found[f"measured{mode}"]
    assert found["goal2"] > found["goal5"] == pytest.approx(2**0.5, abs=0.01)
    assert found["robin"] == pytest.approx(found["itself"], abs=0.02)
    assert found["salmon"] == pytest.approx(2, abs=0.05) and found["truth"] == 4
    assert found["robin"] == pytest.approx(4 + 4 * 0.5**2, abs=0.05)  # half of what either has
    random = [found[f"random{mode}"] for mode in range(1, 6)]
    assert random == sorted(random)
    similar = tried("semantic").escapes()
    ratios = np.array(similar) / trained(LESSONS["semantic"].configs["one run"]).escapes()
    assert ratios[[0, 1, 4]] == pytest.approx([1 / 3, 0.6, 2.5], rel=0.05)
    assert (ratios[2:] > 1).all()


def seeded(seed: int) -> dict[str, int]:
    """Everything that is drawn, drawn anew."""
    return dict.fromkeys(("seed_data", "seed_init", "seed_backbone"), seed)


@pytest.mark.parametrize("seed", few(range(4), 1))
def test_one_mode_names_two_digits_and_each_further_one_splits(seed: int) -> None:
    """Whichever seed: two columns of the confusion, 20 %; then more with each mode."""
    assert right("classes").startswith("Two")
    found = numbers("classes", **seeded(seed))
    said = words_and_numbers("classes", **seeded(seed))
    one = trained(Config.from_dict(LESSONS["classes"].runs["r̂ = 1"] | seeded(seed)))
    told = one.networks["compressed"].series["confusion"][-1].sum(axis=0) > 0
    assert set(np.flatnonzero(told)) == {int(str(said[end])) for end in ("high", "low")}
    assert 15 < found["one"] < 25
    rising = [found[f"right{mode}"] for mode in range(1, 5)] + [found["whole"]]
    assert rising == sorted(rising)
    assert rising[0] < min(35, found["start"])
    assert found["step1"] < found["step2"] < found["step3"] < found["step4"]
    assert 3 <= found["modes"] <= 5
    assert found["whole"] > 95
    assert found["turned"] < 0.9 < found["overlap"]
    assert not {REST, ALIKE} & {*str(said["name1"]).split(" | "), *str(said["asked"]).split(" | ")}


@pytest.mark.slow
def test_first_mode_depends_on_the_start_of_the_backbone() -> None:
    """Another seed, another first mode; the same runs otherwise."""
    assert len({str(words_and_numbers("classes", **seeded(s))["name1"]) for s in range(4)}) > 2


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.slow
def test_two_modes_are_a_star_and_a_large_start_shows_no_steps(seed: int) -> None:
    """Above 90 % with two numbers; at ε = 1 nine modes stand at 1 when it begins, as accurate."""
    two = tried("classes", **seeded(seed))
    assert 0.9 < two.last("accuracy") < 0.97
    large = Config.from_dict(LESSONS["classes"].runs["r̂ = 10"] | seeded(seed) | {"init_scale": 1.0})
    ended = trained(large)
    sizes = ended.networks["compressed"].series["singular_values"]
    assert (sizes[0] > 0.5).sum() >= 9
    assert 100 * ended.last("accuracy") == pytest.approx(
        numbers("classes", **seeded(seed))["whole"], abs=2.5
    )


def test_unknown_lesson_is_refused() -> None:
    """Whoever asks for it by an address gets a sentence."""
    with pytest.raises(
        ValueError, match="'nothing' is not one of the lessons: alpha, classes, depth"
    ):
        lesson.load("nothing")


def test_no_line_of_a_lesson_ends_between_the_sides_of_a_matrix() -> None:
    texts = [text for each in lesson.lessons().values() for text in (each.setup, each.explanation)]
    assert any("\u00a0×\u00a0" in text for text in texts)
    assert not [text for text in texts if " × " in text]
