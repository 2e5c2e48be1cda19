"""Strange: values of wrong kinds and sizes, to be put into what a file should hold."""

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
