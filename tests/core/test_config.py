"""Config: ranges and sentences, keys, round trips."""

import dataclasses
import math
import os
import subprocess
import sys
from typing import Any

import pytest

from dynamics.core import registry, traits
from dynamics.core.config import (
    PROBLEM_SETTINGS,
    SETTINGS,
    Config,
    ConfigError,
    choices,
    suggested,
)
from dynamics.core.consistency import MOST_RECORDS
from dynamics.data import own_matrix, own_picture
from tests.support.make import is_sentence

NUMBERS = [name for name, field in SETTINGS.items() if field.type in (int, float)]
WHOLE = [name for name in NUMBERS if SETTINGS[name].type is int]
TEXTS = [name for name, field in SETTINGS.items() if field.example]
NAMES = [name for name in SETTINGS if name not in (*NUMBERS, *TEXTS)]
DATASET = "shoes-1400x28x28-10c-3f2a9c01b2d4e5f6"
OF_KIND = {"picture": own_picture.EXAMPLE, "matrix": own_matrix.EXAMPLE}
ROOMY: dict[str, Any] = {  # settings that leave every single field its whole range
    "rows": 20_000,
    "cols": 20_000,
    "rank": 1,
    "rank_bound": 1,
    "record_every": 1000,
}
OTHER: dict[str, Any] = {  # a value for each setting of a problem that is not its default
    "rows": 90,
    "cols": 90,
    "rank": 4,
    "spectrum": "flat",
    "observed": 0.5,
    "measurements": 700,
    "sensing": "rank-one",
    "input_correlation": 0.5,
    "holes": "block",
    "noise": 0.1,
    "dataset": "boots-1400x28x28-7c-0123456789abcdef",
    "backbone": "cnn",
    "place": "hidden",
    "activation": "gelu",
    "features": 60,
    "backbone_rate": 0.5,
    "alpha_first": 3.0,
    "batch": 32,
    "images": 500,
    "validation": 0.2,
    "label_noise": 0.2,
    "sharpness": 3,
    "seed_target": 1,
    "seed_data": 1,
    "seed_noise": 1,
    "seed_backbone": 1,
}
HEADS = [name for name in choices("networks") if traits.network(name).classifies]


def sentence(**settings: Any) -> dict[str, str]:
    with pytest.raises(ConfigError) as caught:
        Config(**settings)
    return caught.value.problems


def outside(name: str) -> list[Any]:
    about = SETTINGS[name]
    below = about.low if about.above else about.low - 1
    above = about.high + 1 if name in WHOLE else math.nextafter(about.high, math.inf)
    return [below, above, -1e300, 1e300, 10**400]


@pytest.mark.parametrize("name", NUMBERS)
def test_a_number_out_of_range_or_of_no_number_gets_one_sentence_with_its_name(name: str) -> None:
    """A page shows the sentence beside the widget, so it is the field's own, and only one."""
    wrong = [None, [], {}, object(), "words", "", True, False, math.nan, math.inf, -math.inf, "nan"]
    for value in wrong + outside(name) + [1.5] * (name in WHOLE):
        problems = sentence(**{name: value})
        assert set(problems) == {name}, value
        assert name in problems[name] and is_sentence(problems[name])


@pytest.mark.parametrize("name", NUMBERS)
def test_the_ends_of_a_range_are_inside_or_outside_as_the_sentence_says(name: str) -> None:
    """Off-by-one limits would refuse what the message allows."""
    about = SETTINGS[name]
    Config(**(ROOMY | {name: about.high}))
    if not about.above:
        Config(**(ROOMY | {name: about.low}))
    (text,) = sentence(**{name: outside(name)[0]}).values()
    assert ("above" if about.above else "at least") in text


@pytest.mark.parametrize("name", NAMES)
def test_a_choice_that_is_none_gets_one_sentence_that_lists_the_choices(name: str) -> None:
    for value in (None, [], {}, 3, True, math.nan, "nonsense", "", ["nonsense"], [3], [[]]):
        problems = sentence(**{name: value})
        assert set(problems) == {name}, value
        assert is_sentence(problems[name])
        assert all(choice in problems[name] for choice in (name, *SETTINGS[name].offered))


def test_each_wrong_field_has_its_own_sentence() -> None:
    problems = sentence(rank=0, alpha="x", problem="y")
    assert set(problems) == {"rank", "alpha", "problem"}


def test_unknown_names_are_named_and_a_near_one_is_proposed() -> None:
    with pytest.raises(ConfigError, match=r"lerning_rate .* learning_rate\?") as caught:
        Config.from_dict({"lerning_rate": 1})
    assert is_sentence(str(caught.value))


@pytest.mark.parametrize("name", ["rank", "rank_bound"])
def test_ranks_are_bounded_by_the_smaller_side(name: str) -> None:
    settings = {"rows": 10, "cols": 30, "rank": 1, "rank_bound": 1}
    problems = sentence(**(settings | {name: 11}))
    assert set(problems) == {name} and "10 × 30" in problems[name] and is_sentence(problems[name])
    Config(**(settings | {name: 10}))


def test_a_data_set_has_its_own_shape_whatever_rows_and_cols_say() -> None:
    """MovieLens is 943 users by 1,682 films, so r̂ may go up to 943 there."""
    config = Config(problem="movielens", rows=20, cols=20, rank_bound=943)
    assert config.shape == (943, 1682)
    assert "rank_bound" in sentence(problem="movielens", rank_bound=944)


def test_more_records_than_are_kept_are_refused_with_the_interval_that_would_do() -> None:
    problems = sentence(steps=1_000_000, record_every=9)
    assert "10" in problems["record_every"] and is_sentence(problems["record_every"])
    Config(steps=1_000_000, record_every=1_000_000 // MOST_RECORDS)


def test_the_key_of_the_defaults_stays_what_it_was() -> None:
    """Stored runs and shared links are found by key: it changes on purpose or not at all."""
    assert Config().key == "7674a781fc38e94c"


@pytest.mark.parametrize(
    ("one", "same"),
    [
        ({"networks": "compressed,original"}, {"networks": ["original", "compressed"]}),
        ({"alpha": 5}, {"alpha": "5.0"}),
        ({"steps": 1000.0}, {"steps": "1000"}),
        ({"noise": -0.0, "tolerance": -0.0}, {"noise": 0, "tolerance": 0.0}),
    ],
)
def test_equal_configs_have_equal_keys(one: dict[str, Any], same: dict[str, Any]) -> None:
    """However a value is written, as text, number or in another order."""
    assert Config(**one) == Config(**same)
    assert Config(**one).key == Config(**same).key


def test_keys_are_the_same_in_every_process() -> None:
    """Python salts its own hashes anew in each."""
    code = (
        "from dynamics.core.config import Config; print(Config(alpha=2, networks='compressed').key)"
    )
    for salt in ("1", "2"):
        result = subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | {"PYTHONHASHSEED": salt},
            cwd=registry.PROGRAM.parent,
            capture_output=True,
            text=True,
            check=True,
        )
        assert result.stdout.strip() == Config(alpha=2, networks="compressed").key


def named(problem: str) -> str:
    """The id of a data set that a problem reads; one of images for all others."""
    return OF_KIND.get(traits.problem(problem).data, DATASET)


@pytest.mark.parametrize("problem", choices("problem"))
def test_the_key_changes_with_the_settings_that_the_problem_reads_and_no_others(
    problem: str,
) -> None:
    """The ratings do not depend on a noise level: one run, not one for each level."""
    read = traits.problem(problem).reads
    assert set(OTHER) == set(PROBLEM_SETTINGS) - {"matrices"}  # fit one problem: test_published
    for name, value in (OTHER | {"dataset": named(problem).replace("3f2a", "0123")}).items():
        base = {"problem": problem, "dataset": named(problem), "batch": 64}
        base |= {"networks": "original"}
        base |= {"rank_bound": 8}  # the table is eight wide
        changed = Config(**(base | {name: value}))
        assert (changed.key != Config(**base).key) == (name in read), name


def test_every_other_setting_changes_the_key() -> None:
    """Each decides what a run computes or what it keeps."""
    seen = {Config().key}
    for name, field in SETTINGS.items():
        if name in PROBLEM_SETTINGS:
            continue
        others = [choice for choice in choices(name) if choice not in (field.default, *HEADS)]
        value = others[-1] if others else field.default * 2 or 1
        value = "50:alpha=3" if name == "changes" else value
        seen.add(Config(**{name: value}).key)
    assert len(seen) == 1 + len(SETTINGS) - len(PROBLEM_SETTINGS)


def test_canonical_configs_are_equal_where_keys_are() -> None:
    config = Config(problem="movielens", rank=3, noise=1.0)
    assert config.canonical() == Config(problem="movielens")
    assert config.canonical().key == config.key


@pytest.mark.parametrize(
    "config",
    [
        Config(),
        Config(networks="compressed", init_scale=1e-7 / 3, seed_init=2**31 - 1),
        Config(problem="sensing", rows=7, cols=300, rank=1, rank_bound=7, learning_rate=0.1 + 0.2),
    ],
)
def test_a_config_survives_being_stored_and_being_written_as_text(config: Config) -> None:
    """JSON files, addresses and flags are views of the same fields, to the last digit."""
    stored = config.to_dict()
    assert set(stored) == set(SETTINGS)
    assert Config.from_dict(stored) == config
    assert Config.from_dict({name: str(value) for name, value in stored.items()}) == config


def test_a_config_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Config().rank = 3  # type: ignore[misc]


@pytest.mark.parametrize("problem", choices("problem"))
def test_settings_left_out_are_as_the_problem_suggests_unless_given(problem: str) -> None:
    """One size of step does not suit all problems; what is given is never overruled."""
    for name, value in suggested(problem).items():
        base = {"problem": problem, "dataset": named(problem)}
        assert Config.from_dict(base) == Config.from_dict(base | {name: value})
        assert Config.from_dict(base | {"alpha": 3.5}).alpha == 3.5


@pytest.mark.parametrize("given", [{"rows": 4}, {"cols": "3"}, {"rows": 8, "cols": 2}])
@pytest.mark.parametrize("problem", SETTINGS["problem"].offered)
def test_what_is_suggested_fits_a_given_matrix(problem: str, given: dict[str, Any]) -> None:
    """A small matrix needs no rank and no width with it; a problem without sides reads none."""
    base = {"problem": problem, "dataset": named(problem)}
    config = Config.from_dict(base | given)
    if {*given} <= {*traits.problem(problem).reads}:
        assert max(config.rank, config.rank_bound) <= min(config.shape)
    else:
        usual = Config.from_dict(base)
        assert (config.rank, config.rank_bound) == (usual.rank, usual.rank_bound)
    with pytest.raises(ConfigError, match="smaller side"):
        Config.from_dict({"rows": 8, "rank_bound": 9})


def test_steps_alone_bring_an_interval_of_records_that_fits_them() -> None:
    config = Config.from_dict({"steps": "30000000"})
    assert config.steps / config.record_every == MOST_RECORDS
    with pytest.raises(ConfigError, match="a run keeps at most"):
        Config.from_dict({"steps": 30_000_000, "record_every": 50})


def test_exact_simulations_are_not_offered_but_still_run() -> None:
    """Old runs and links have them; in a menu they would be the same curve twice."""
    hidden = set(choices("networks")) - set(SETTINGS["networks"].offered)
    assert hidden == {"original_reduced", "compressed_reduced"}
    assert Config(networks=tuple(hidden)).networks == ("compressed_reduced", "original_reduced")
    assert not any(name in sentence(networks="sgd")["networks"] for name in hidden)
