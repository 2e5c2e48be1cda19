"""Strange: values of wrong kinds and sizes, and bytes that are not those that were written."""

import random
from typing import Any

STRANGE: list[Any] = [
    None,
    True,
    -1,
    0,
    10**400,
    float("inf"),
    float("nan"),
    1e308,
    "",
    "x" * 5000,
    [],
    [[]],
    {},
    [{}],
]


def put(value: Any, place: int, strange: Any) -> Any:
    """The value with its ``place``-th part replaced, counted through lists and dictionaries."""
    counter = iter(range(10**6))

    def walked(part: Any) -> Any:
        if next(counter) == place:
            return strange
        if isinstance(part, dict):
            return {key: walked(inner) for key, inner in part.items()}
        return [walked(inner) for inner in part] if isinstance(part, list) else part

    return walked(value)


def mutated(content: bytes, seed: int) -> bytes:
    """The content with one to five places changed, cut out or doubled."""
    rng, changed = random.Random(seed), bytearray(content)
    for _ in range(rng.randrange(1, 6)):
        at = rng.randrange(len(changed) or 1)
        how = rng.randrange(3)
        if how == 0:
            changed[at : at + 1] = bytes([rng.randrange(256)])
        elif how == 1:
            del changed[at : at + rng.randrange(40)]
        else:
            changed[at:at] = changed[at : at + rng.randrange(40)]
    return bytes(changed)
