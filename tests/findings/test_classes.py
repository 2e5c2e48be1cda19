"""Names of modes by the classes that they tell apart."""

import numpy as np
import pytest

from dynamics.findings.classes import ALIKE, named

CLOTHES = ("T-shirt", "trouser", "pullover", "sandal", "shirt", "boot")


@pytest.mark.parametrize(
    ("entries", "name"),
    [
        ((-0.3, 0.02, -0.5, 0.6, -0.45, 0.4), "sandal, boot | pullover, shirt, T-shirt"),
        ((0.5, 0.45, 0.4, 0.42, 0.0, -0.41), "T-shirt, trouser, sandal, … | boot"),
        ((-0.1, 0.9, -0.2, -0.1, -0.3, -0.2), "trouser | the rest"),
        ((-0.1, -0.9, 0.2, 0.1, 0.3, 0.2), "the rest | trouser"),
        ((0.5, 0.0, 0.0, 0.0, 0.0, -0.5), "T-shirt | boot"),
        ((0.4, 0.41, 0.4, 0.42, 0.4, 0.39), ALIKE),
        ((0.0,) * 6, ""),
        ((np.nan,) * 6, ""),
    ],
)
def test_a_mode_is_named_by_the_classes_at_its_two_ends(
    entries: tuple[float, ...], name: str
) -> None:
    assert named(entries, CLOTHES) == name


def test_a_side_that_is_a_whole_group_has_its_name() -> None:
    """However many are in it; a part of a group, or more than it, is named one by one."""
    groups = {"shoes": ["boot", "sandal"], "tops": ["T-shirt", "pullover", "shirt"]}
    many = {"all but boots": CLOTHES[:5]}
    assert named((0, 0, 0, 0.5, 0, 0.4), CLOTHES, groups) == "shoes | the rest"
    assert named((-0.4, 0, -0.5, 0.5, -0.4, 0.6), CLOTHES, groups) == "shoes | tops"
    assert named((0, 0.5, 0, 0.4, 0, 0.6), CLOTHES, groups) == "boot, trouser, sandal | the rest"
    assert named((1, 1, 1, 1, 1, -1), CLOTHES, many) == "all but boots | boot"


def test_the_other_sign_exchanges_the_sides_and_size_counts_for_nothing() -> None:
    """Over random vectors: at most three names a side, each of an entry of that side's sign."""
    rng = np.random.default_rng(0)
    for _ in range(200):
        vector = rng.standard_normal(len(CLOTHES)) ** 3
        one, other = named(vector, CLOTHES).split(" | ")
        assert named(-7 * vector, CLOTHES) == f"{other} | {one}"
        for side, sign in ((one, 1), (other, -1)):
            names = [] if side == "the rest" else side.removesuffix(", …").split(", ")
            values = [sign * vector[CLOTHES.index(each)] for each in names]
            assert len(names) <= 3 and values == sorted(values, reverse=True)
            assert all(value >= 0.4 * np.abs(vector).max() for value in values)
        assert CLOTHES[np.abs(vector).argmax()] in one + other


def test_an_entry_for_each_class_is_needed() -> None:
    with pytest.raises(ValueError, match=r"^6 classes need as many entries; \(2,\) was given\.$"):
        named((1.0, 2.0), CLOTHES)
