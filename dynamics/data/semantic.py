"""Semantic: which living things have which properties, a hierarchy of three levels."""

import numpy as np
from numpy.typing import NDArray

ITEMS = ("canary", "robin", "salmon", "sunfish", "oak", "pine", "rose", "daisy")
GROUPS = {
    "animals": ITEMS[:4],
    "plants": ITEMS[4:],
    "birds": ITEMS[:2],
    "fish": ITEMS[2:4],
    "trees": ITEMS[4:6],
    "flowers": ITEMS[6:],
}
# By property, general ones first: who has it. Pairs have different numbers of properties, so that
# no two distinctions are equally strong; equally strong ones would have no singular vectors of
# their own.
PROPERTIES: dict[str, tuple[str, ...]] = {
    "grow": ITEMS,
    "move": GROUPS["animals"],
    "roots": GROUPS["plants"],
    "green": GROUPS["plants"],
    "fly": GROUPS["birds"],
    "feathers": GROUPS["birds"],
    "swim": GROUPS["fish"],
    "scales": GROUPS["fish"],
    "bark": GROUPS["trees"],
    "petals": GROUPS["flowers"],
    "sings": ("canary",),
    "yellow": ("canary",),
    "red": ("robin",),
    "worms": ("robin",),
    "pink": ("salmon",),
    "leaps": ("salmon",),
    "round": ("sunfish",),
    "acorns": ("oak",),
    "cones": ("pine",),
    "thorns": ("rose",),
}


def properties() -> NDArray[np.float64]:
    """Properties × items: 1 where the item has the property, otherwise 0."""
    return np.array([[float(item in has) for item in ITEMS] for has in PROPERTIES.values()])
