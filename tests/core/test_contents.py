"""Contents: what is known of labelled images before they are read, and settings that do not fit."""

import contextlib
import io
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dynamics.__main__ import main
from dynamics.core import cost, traits
from dynamics.core.config import SETTINGS, Config, ConfigError, choices
from dynamics.core.description import command, differences
from dynamics.core.sizes import widths
from dynamics.data.imported import EXAMPLE
from dynamics.theory.forecast import forecast
from tests.support.make import is_sentence

PROBLEMS = [name for name in choices("problem") if traits.problem(name).classifies]


def config(**changes: Any) -> Config:
    return Config.from_dict({"problem": "own", "dataset": EXAMPLE} | changes)


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"dataset": ""}, "dataset", "dataset must be given with the problem own"),
        ({"dataset": "shoes"}, "dataset", "dataset must be the id"),
        ({"dataset": 3}, "dataset", "dataset must be a text"),
        ({"images": 1401}, "images", "images must be at most 1,400"),
        ({"batch": 1401}, "batch", "batch must be at most 1,400"),
        ({"batch": 21, "images": 20}, "batch", "batch must be at most 20"),
        ({"images": 1200, "validation": 0.2}, "images", "images must be at most 1,120"),
        ({"batch": 1200, "validation": 0.2}, "batch", "batch must be at most 1,120"),
        ({"validation": 1}, "validation", "at most 0.9"),
        ({"validation": -0.1}, "validation", "at least 0"),
        ({"validation": 0.0001}, "validation", "leave at least one of 1,400 training images"),
        ({"dataset": "a-1x5-2c-0123456789abcdef", "validation": 0.9}, "validation", "1 training"),
        ({"backbone": "vit", "dataset": "a-9x7x7-2c-0123456789abcdef"}, "backbone", "are 7 × 7"),
        ({"backbone": "vit", "dataset": "a-9x13-2c-0123456789abcdef"}, "backbone", "are 1 × 1"),
        ({"features": 1}, "features", "at least 2"),
        ({"features": 0}, "features", "at least 2"),
        ({"rank_bound": 0}, "rank_bound", "at least 1"),
        ({"label_noise": 1.1}, "label_noise", "at most 1"),
        ({"networks": "original_reduced"}, "networks", "recovery of a matrix; own has none"),
        ({"rate_unit": "limit"}, "rate_unit", "no stability limit is known"),
    ],
    ids=str,
)
def test_settings_that_do_not_fit_the_images_get_one_sentence(
    changes: dict[str, Any], field: str, words: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        config(**changes)
    assert set(caught.value.problems) == {field}
    assert words in caught.value.problems[field] and is_sentence(caught.value.problems[field])


def test_a_data_set_decides_sizes_without_being_here() -> None:
    made = config(features=40, batch=7)
    assert made.shape == (40, 7) and made.full_width == 40
    assert made.contents == (1400, (1, 28, 28), 7)
    assert config(dataset=EXAMPLE.replace("7c", "9c")).shape == (128, 9)


def test_a_data_set_is_in_commands_and_addresses_and_counts_only_where_it_is_read() -> None:
    made = config(batch=5)
    assert f"--dataset {EXAMPLE}" in command(made)
    assert differences(made, None) == {"problem": "own", "dataset": EXAMPLE, "batch": "5"}
    assert differences(made, made) == {}
    digits = Config.from_dict({"problem": "digits", "dataset": EXAMPLE})
    assert digits.key == Config.from_dict({"problem": "digits"}).key
    assert "dataset" not in command(digits)


def values(name: str) -> st.SearchStrategy[Any]:
    """Values of a setting, right and wrong."""
    about = SETTINGS[name]
    strange = st.sampled_from([None, "", "x", -1, 0, 1, 2, 10**9, 1e400, "nan", "1,5", [], "٣"])
    if about.choices:
        right = st.sampled_from([*about.choices])
    elif about.type is int:
        right = st.integers(int(about.low), min(int(about.high), 3000)).map(str)
    elif about.type is float:
        right = st.floats(about.low, min(about.high, 10)).map(str)
    else:
        right = st.sampled_from([EXAMPLE, "a-9x7x7-2c-0123456789abcdef", "20:compress", ""])
    return right | right | right | strange


USED = [
    name
    for name, about in SETTINGS.items()
    if about.group in ("problem", "network") or name in ("changes", "steps", "optimizer", "equal")
]
ANY = st.dictionaries(st.sampled_from(USED), st.none(), max_size=6).flatmap(
    lambda names: st.fixed_dictionaries({name: values(name) for name in names})
)


@settings(max_examples=300, deadline=None)
@given(problem=st.sampled_from(PROBLEMS), changes=ANY)
def test_any_settings_make_a_config_or_sentences(problem: str, changes: dict[str, Any]) -> None:
    """What a Config accepts has sizes, costs, a forecast and a command that brings it back."""
    given = {"problem": problem, "dataset": EXAMPLE} | changes | {"problem": problem}
    problems: dict[str, str] = {}
    try:
        made = Config.from_dict(given)
    except ConfigError as error:
        problems = error.problems
    assert set(problems) <= set(SETTINGS)
    assert all(map(is_sentence, problems.values())), problems
    if problems:
        return
    assert made.contents and made.shape == (made.features, made.contents.classes)
    used = made.images or made.contents.images
    assert 0 < (made.batch or used) <= used <= made.contents.images
    for network in made.networks:
        assert min(widths(made, network)) > 0 and cost.start(made, network) >= 0
    assert all(is_sentence(each.sentence) for each in forecast(made).warnings)
    assert Config.from_dict(differences(made.canonical(), None)).key == made.key


DRY = (["forecast", "--json"], ["attribution", "--json", "--seeds", "1"])


@settings(max_examples=40, deadline=None)
@given(changes=ANY, command=st.sampled_from(DRY))
def test_any_flags_of_a_dry_command_end_in_one_sentence_or_json(
    changes: dict[str, Any], command: list[str]
) -> None:
    """Neither command can say anything of a data set that is not here; both say so."""
    flags = [
        f"--{name.replace('_', '-')}={value}"
        for name, value in ({"dataset": EXAMPLE} | changes | {"problem": "own"}).items()
    ]
    out, errors = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
        status = main([*command, *flags])
    if status:
        assert status == 2 and not out.getvalue()
        said = errors.getvalue().strip()
        assert said.startswith("dynamics: ") and is_sentence(said), said
    else:
        json.loads(out.getvalue())
