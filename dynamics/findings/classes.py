"""Classes: which classes or items a mode of a network tells apart, in words.

``pages/shared/live/browser/panel/classes.js`` does the same.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

MOST = 3  # names on each side
NEAR = 0.4  # a class is named if its entry is at least this share of the largest one

REST = "the rest"
ALIKE = "all alike"
NO_GROUPS: Mapping[str, Sequence[str]] = {}


def names_of(facts: Mapping[str, Sequence[Any]]) -> tuple[str, list[str], dict[str, list[str]]]:
    """What a run's modes are named by: the series of their vectors, its names, groups of these.

    All empty for a run whose rows and columns have no names.
    """
    if "films" in facts:
        return "film_ends", list(facts["films"]), {}
    if "items" in facts:
        pairs = [group.split(": ") for group in facts.get("groups", ())]
        groups = {name: listed.split(", ") for name, listed in pairs}
        return "item_vectors", list(facts["items"]), groups
    classes = list(facts.get("classes", ()))
    return ("class_vectors" if classes else ""), classes, {}


def at_ends(numbers: ArrayLike, names: Sequence[str]) -> str:
    """The names at the two ends of a mode: ``Fargo, Pulp Fiction | Liar Liar, Twister``.

    Args:
        numbers: a row of ``film_ends``: as many numbers of names, from 1, of one end as of the
            other.
        names: all names; a year in brackets at the end is left out.

    Returns:
        The name; empty for a mode without ends (NaN).
    """
    entries = np.asarray(numbers, float)
    if not np.isfinite(entries).all():
        return ""
    listed = [names[int(entry) - 1].partition(" (")[0] for entry in entries]
    half = len(listed) // 2
    return f"{', '.join(listed[:half])} | {', '.join(listed[half:])}"


def named(
    vector: ArrayLike, classes: Sequence[str], groups: Mapping[str, Sequence[str]] = NO_GROUPS
) -> str:
    """The classes at the two ends of a class vector: ``sandal, boot | shirt, pullover``.

    Each side has at most three names, the largest entry first, and ``…`` for more; a class whose
    entry is near zero belongs to neither side. A side that is a whole group has the group's name,
    ``animals | plants``; a side without a name is ``the rest``.

    Args:
        vector: an entry for each class, such as a row of ``class_vectors``.
        classes: their names.
        groups: names of whole groups of them.

    Returns:
        The name; empty for a vector that has no direction (zeros or NaN).

    Raises:
        ValueError: if there is not one entry for each class.
    """
    entries = np.asarray(vector, float)
    if entries.shape != (len(classes),):
        raise ValueError(f"{len(classes)} classes need as many entries; {entries.shape} was given.")
    least = NEAR * np.abs(entries).max(initial=0)
    if not (np.isfinite(entries).all() and least > 0):
        return ""
    if (entries >= least).all() or (entries <= -least).all():
        return ALIKE
    sides = (_side(each, classes, groups, least) for each in (entries, -entries))
    return " | ".join(side or REST for side in sides)


def _side(
    entries: np.ndarray, classes: Sequence[str], groups: Mapping[str, Sequence[str]], least: float
) -> str:
    """The names of the entries from ``least`` on, or that of their group."""
    order = [index for index in np.argsort(-entries, kind="stable") if entries[index] >= least]
    names = [classes[index] for index in order]
    whole = next((name for name, group in groups.items() if {*group} == {*names}), "")
    return whole or ", ".join([*names[:MOST], *["…"] * (len(names) > MOST)])
