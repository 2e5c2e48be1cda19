"""Causes: factors of networks that differ by one cause, from real runs and from known costs."""

import dataclasses
import json
from typing import Any

import numpy as np
import pytest

from dynamics.core.config import Config
from dynamics.core.records import Trajectory
from dynamics.findings import causes
from tests.support.classes import trajectories
from tests.support.make import is_sentence

SLOWER = {"original_layered": 8, "original": 4, "narrow_random": 3, "compressed_even": 2,
          "compressed": 1, "original_alpha": 2, "plain": 1.5}  # fmt: skip
CONFIG = Config.from_dict({"problem": "digits", "alpha": 2.0})


def course(network: str, slower: float) -> Trajectory:
    """Accuracy rises by 0.1 a record; a record of the network is ``slower`` × 100 steps."""
    one = trajectories([*range(0, 1000, 100)])[0]
    scaled = {name: slower * getattr(one, name) for name in ("steps", "seconds", "operations")}
    return dataclasses.replace(one, network=network, **scaled)


def split(level: str = "", **slower: float) -> causes.Split:
    """Two seeds with these costs; the second one has them twice."""
    known = SLOWER | slower
    runs = [[course(name, seed * known[name]) for name in known] for seed in (1, 2)]
    return causes.split(CONFIG, runs, level)


def test_factors_are_ratios_of_neighbours_and_the_chain_is_the_whole() -> None:
    found = split()
    assert 0.89 <= found.accuracy <= 0.9
    steps = [found.middle(pair)[0] for pair in found.pairs]
    assert steps == pytest.approx([2, 4 / 3, 1.5, 2, 8, 2, 1.5])
    assert np.prod(steps[:4]) == pytest.approx(steps[4])
    assert [row[0] for row in causes.table(found)[1:]] == [
        "original layer by layer", "original", "narrow with random start",
        "compressed without α", "compressed", "original with α", "plain layer",
        *(name for name, *_ in found.pairs)
    ]  # fmt: skip
    assert not any("Most of the lead" in each for each in causes.sentences(found))
    assert any("Most of the lead" in each for each in causes.sentences(split(original_layered=24)))


@pytest.mark.parametrize("seeds", [1, 2])
def test_records_at_every_step_are_one_step_apart(seeds: int) -> None:
    found = dataclasses.replace(split(), seeds=seeds, config=dataclasses.replace(CONFIG, steps=60))
    (method,) = (each for each in causes.sentences(found) if "read at records" in each)
    assert "records, 1 step apart" in method


@pytest.mark.parametrize(
    ("plain", "words"),
    [
        (0.5, "There is no gain over the plain layer. Over 2 seeds, to an accuracy of 90 % on "
              "held-out images, the compressed head took 2 × more steps and 2 × more operations."),
        (1.0, "There is no gain over the plain layer. Over 2 seeds, to an accuracy of 90 % on "
              "held-out images, the compressed head took as many steps and as many operations."),
        (1.5, "The compressed head gains over the plain layer here. Over 2 seeds, to an accuracy "
              "of 90 % on held-out images, the compressed head took 1.5 × fewer steps and 1.5 × "
              "fewer operations."),
    ],
)  # fmt: skip
def test_the_first_sentence_is_whether_there_is_a_gain_over_the_plain_layer(
    plain: float, words: str
) -> None:
    first, *others = causes.sentences(split("0.9", plain=plain))
    assert first == words
    assert all(map(is_sentence, others)), others


def test_networks_that_did_not_get_there_are_left_out_and_named() -> None:
    """The other pairs stay; nothing is made of numbers that are not finite."""
    diverged = dataclasses.replace(course("original_alpha", 1.0), series={
        "accuracy": np.array([0.1, *[np.nan] * 9])
    })  # fmt: skip
    run = [course(name, slower) for name, slower in SLOWER.items() if "_alpha" not in name]
    found = causes.split(CONFIG, [[*run, diverged]])
    assert 0.89 <= found.accuracy <= 0.9 and found.whole.all()
    told: Any = json.loads(json.dumps(causes.to_dict(found), allow_nan=False))
    assert told["causes"]["α in the wide head"]["steps"] is None
    assert told["causes"]["all together"]["steps"]["factor"] == pytest.approx(8)
    assert told["costs"]["original_alpha"]["steps"] == [None]
    said = causes.sentences(found)
    assert any("original network with α did not reach" in each for each in said)
    assert "nan" not in " ".join([*said, *map(str, causes.table(found))])
    nothing = causes.split(CONFIG, [[*run, diverged]], "0.99")
    assert all(map(is_sentence, causes.sentences(nothing)))
    assert "not compared" in causes.sentences(nothing)[0]
    assert "nan" not in json.dumps(causes.to_dict(nothing), allow_nan=False)


def test_without_an_alpha_no_network_is_trained_twice() -> None:
    config = Config.from_dict({"problem": "digits"})
    (one,) = causes.ladder(config, 1)
    assert set(one.networks) == {
        "original_layered", "original", "narrow_random", "compressed", "plain"
    }  # fmt: skip
    assert one.record_every == 10  # a sixtieth of the run
    with pytest.raises(ValueError, match="1 to"):
        causes.ladder(config, 0)


@pytest.mark.parametrize(
    "changes",
    [{"place": "hidden", "networks": "original,plain"},
     {"changes": "300:compress", "networks": "original,compressed"}],
)  # fmt: skip
def test_what_has_no_attribution_is_refused_in_a_sentence(changes: dict[str, Any]) -> None:
    config = Config.from_dict({"problem": "digits"} | changes)
    assert is_sentence(causes.refusal(config))
    with pytest.raises(ValueError, match="no attribution"):
        causes.ladder(config, 1)
