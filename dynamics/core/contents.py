"""Contents: how many images there are whose classes are told apart, their shape, the classes."""

from typing import Any, NamedTuple

from dynamics.core import traits
from dynamics.data import dataset as datasets
from dynamics.data.imported import Identity
from dynamics.data.own_matrix import MatrixId

SPARE = 2  # of a width bound above a guessed rank: too narrow a network misses modes


class Contents(NamedTuple):
    """What is known of labelled images before they are read.

    Attributes:
        images: how many can be trained on; a validation part is taken from them.
        shape: channels, height and width of an image.
        classes: how many classes they have.
    """

    images: int
    shape: tuple[int, int, int]
    classes: int


def contents(problem: str, dataset: str) -> Contents | None:
    """The contents of a problem's data, or of the imported data set that it reads.

    None if the problem recovers a matrix, or if it reads a data set and none is named.
    """
    stated = traits.problem(problem)
    if stated.data == "images" and dataset:
        identity = Identity.read(dataset)
        return Contents(identity.images, identity.shape, identity.classes)
    if not stated.images:
        return None
    images, channels, height, width = stated.images
    return Contents(images, (channels, height, width), stated.classes)


def shape(problem: str, dataset: str) -> tuple[int, int] | None:
    """Rows and columns of a matrix that the data fix; None if the settings have them."""
    stated = traits.problem(problem)
    if stated.data in ("picture", "matrix") and dataset:
        rows, cols = datasets.read(dataset).shape
        return rows, cols
    return stated.shape


def entries(problem: str, dataset: str) -> int:
    """How many entries the data have; 0 for rows × cols."""
    stated = traits.problem(problem)
    if stated.data == "matrix" and dataset:
        identity = datasets.read(dataset)
        assert isinstance(identity, MatrixId)
        return identity.entries
    return stated.entries


def fitting(problem: str, dataset: Any) -> dict[str, Any]:
    """Settings that suit an imported picture or matrix, beside what its problem suggests.

    The width bound is SPARE above the guess at a matrix's rank, and at most the smaller side.
    """
    if not isinstance(dataset, str) or not dataset:
        return {}
    try:
        identity = datasets.read(dataset)
        if datasets.PROBLEMS[datasets.kind(dataset)] != problem:
            return {}
    except ValueError:
        return {}
    if isinstance(identity, MatrixId):
        return {"rank_bound": min(identity.rank + SPARE, *identity.shape)}
    suggested = traits.problem(problem).suggests.get("rank_bound")
    return {"rank_bound": min(suggested, *identity.shape)} if suggested else {}
