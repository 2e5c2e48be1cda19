"""Rounding: the step at which a twin parts, and what is said of it."""

import numpy as np
import pytest

from dynamics.core.config import Config
from dynamics.findings.rounding import Parting, limits, promised, sentences
from tests.support.make import is_sentence, small

NETWORKS = ("original", "compressed")
STEPS = np.array([0.0, 10, 20, 30])


@pytest.mark.parametrize(
    ("apart", "until", "read"),
    [
        ([0, 1e-13, 1e-12, 1e-12], None, None),
        ([0, 1e-13, 1e-9, 1e-6], 10, None),
        ([0, 1e-9, 1e-3, 0.5], 0, 20),
        ([0, 1e-12, 0.5, 1e-12], 10, 10),
        ([1e-9, 1e-12, 1e-12, np.inf], -1, 20),
    ],
)
def test_a_twin_parts_at_the_first_record_that_differs(
    apart: list[float], until: int | None, read: int | None
) -> None:
    parting = Parting.of(small(), "compressed", STEPS, np.array(apart))
    assert (parting.until, parting.read) == (until, read)
    assert Parting.of_dict(parting.to_dict()) == parting
    assert bool(limits([parting])) == (until is not None)


def test_less_is_promised_of_single_precision_and_of_rescaled_gradients() -> None:
    assert promised(Config()) == 1e-8
    assert promised(Config(optimizer="adam")) == 1e-6
    assert promised(Config(dtype="float32", optimizer="adam")) == 1e-2


@pytest.mark.parametrize(
    ("partings", "words"),
    [
        ([], ["not checked"]),
        ([(None, None), (None, None)], ["to 10⁻⁸ at every record"]),
        (
            [(None, None), (1200, None)],
            ["at every record", "up to step 1,200; then", "last digits"],
        ),
        ([(20, 20), (-1, 40)], ["up to step 20; then", "at no record and to 1 % up to step 40"]),
        ([(None, None)], ["at every record", "compressed network was not checked"]),
    ],
)
def test_every_network_is_told_in_sentences(
    partings: list[tuple[int | None, int | None]], words: list[str]
) -> None:
    found = [Parting(name, 1e-8, *ends) for name, ends in zip(NETWORKS, partings, strict=False)]
    told = sentences(NETWORKS, found)
    assert all(is_sentence(sentence) for sentence in told)
    for word in words:
        assert any(word in sentence for sentence in told), told
    assert sentences(["compressed_reduced"], found) == []
