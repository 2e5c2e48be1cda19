"""Traits: an option's constants, read without importing it, and what a newcomer gets wrong."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dynamics.core import registry, traits

READERS: dict[str, Callable[[str], Any]] = {
    "problems": traits.problem,
    "networks": traits.network,
    "backbones": traits.backbone,
    "optimizers": traits.optimizer,
    "measurements": traits.measurement,
    "charts": traits.chart,
    "figures": traits.figure,
}
ALL = [(folder, name) for folder in READERS for name in registry.options(folder)]


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Has a folder hold one file alone, ``own``, with this text."""

    def write(folder: str, text: str) -> None:
        monkeypatch.setitem(registry.PLACES, folder, f"{tmp_path}/{folder}")
        place = tmp_path / folder
        place.mkdir(exist_ok=True)
        (place / "own.py").write_text(f'"""Own: an option"""\n{text}\n')
        forget()

    yield write
    forget()


def forget() -> None:
    """Drop what was read before."""
    registry.options.cache_clear()
    traits._read.cache_clear()


@pytest.mark.parametrize(("folder", "name"), ALL)
def test_traits_are_what_the_imported_module_has(folder: str, name: str) -> None:
    found, module = READERS[folder](name), registry.load(folder, name)
    for trait in dataclasses.fields(found):
        stated = getattr(module, trait.name.upper(), None)
        if stated is not None and trait.name == "reads" and getattr(module, "SEEN", "") == "images":
            stated = (*stated, *traits.OF_IMAGES)
        if stated is not None:
            assert getattr(found, trait.name) == stated


def test_what_a_file_does_not_state_has_a_default() -> None:
    assert traits.problem("completion").shape is None
    assert traits.problem("completion").target_known
    assert not traits.problem("movielens").target_known
    assert traits.chart("losses").missing == "This run does not record train loss."


def test_a_line_that_is_no_network_has_no_traits() -> None:
    """Baselines stand in the same charts."""
    assert traits.network("altmin") == traits.NetworkTraits()


@pytest.mark.parametrize(
    ("folder", "text", "sentence"),
    [
        ("problems", "RAEDS = ('rows',)", "has RAEDS, which nobody reads; did you mean READS?"),
        ("problems", "READ, MOST = 1, 2", "has READ, which nobody reads; did you mean READS?"),
        ("problems", "SEEN = 'all'", "must state READS."),
        ("problems", "READS = 'rows'", "READS must be a tuple, each a text; 'rows' was given."),
        (
            "problems",
            "READS = ()\nSHAPE = (3, 4, 5)",
            "must be a tuple of 2 or None; (3, 4, 5) was",
        ),
        (
            "problems",
            "READS = ()\nSEEN = 'part'",
            "must be one of all, entries, list, sums, images; 'part'",
        ),
        ("problems", "READS = tuple(['rows'])", "READS must be a literal on a line of its own"),
        ("problems", "READS, SEEN = (), 'all'", "READS must be a literal on a line of its own"),
        ("optimizers", "MOMENTUM = 0.9", "must state KEEPS."),
        ("optimizers", "KEEPS = True", "KEEPS must be a whole number; True was given."),
        ("optimizers", "KEEPS = 1\nPLAIN = 1", "PLAIN must be True or False; 1 was given."),
    ],
)
def test_a_slip_in_a_file_of_ones_own_is_one_sentence(
    own: Callable[[str, str], None], folder: str, text: str, sentence: str
) -> None:
    """A misspelt constant would otherwise silently have its default."""
    own(folder, text)
    with pytest.raises(traits.TraitError) as caught:
        READERS[folder]("own")
    assert sentence in str(caught.value) and str(caught.value).count("own.py") == 1


def test_constants_of_a_files_own_are_left_alone(own: Callable[[str, str], None]) -> None:
    own(
        "optimizers",
        "KEEPS: int = 1\nMOMENTUM = 1  # a whole number is a number\nDECAY, EPS = 0, 1",
    )
    assert traits.optimizer("own") == traits.OptimizerTraits(keeps=1, momentum=1)


def test_an_option_that_is_not_there_has_no_traits() -> None:
    with pytest.raises(ValueError, match=r"'sgd' is not one of the optimizers: adam, gradient"):
        traits.optimizer("sgd")
