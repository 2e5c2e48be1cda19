"""Labelled data: images or rows of a table with their classes; how they are split and scaled.

A run's script has a copy of these functions (``dynamics/export/script.py``).
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dynamics.data.folder import DataError

Images = NDArray[np.float32]
Labels = NDArray[np.int64]
Numbers = NDArray[np.float64]
BLOCK = 2**22  # numbers that are scaled together, in float64: 32 MiB


@dataclass(frozen=True)
class Labelled:
    """Images or rows with labels.

    images: float32, n × channels × height × width (rows of a table: n × features × 1 × 1), raw
        values in [0, 1] or as in the file
    labels: int64, n, from 0 to classes − 1
    held_images, held_labels: the published test part, or None if the data set has none
    classes: names, in the order of the labels
    """

    images: Images
    labels: Labels
    held_images: Images | None
    held_labels: Labels | None
    classes: tuple[str, ...]


class Part(NamedTuple):
    """Some images of a data set, n × channels × height × width, and their labels."""

    images: Images
    labels: Labels


# The twin for torch is ``generator`` in dynamics/engine/draws.py.
def draws(purpose: str, seed: int) -> np.random.Generator:
    """Returns a generator for one purpose, so that no new draw elsewhere shifts its numbers."""
    digest = hashlib.sha256(f"{purpose}/{seed}".encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:8], "big"))


def split(data: Labelled, validation: float, held_out: int, seed: int) -> tuple[Part, Part, Part]:
    """Returns the training, the validation and the held-out part; every image is in one of them.

    The held-out part is the published test part. If there is none, it is drawn first, and
    ``validation`` does not change it. Draws are stratified: the share of a class is the same in
    each part, to within one image; only a class's last image stays in the training part if others
    can be drawn. A part's images are in the order of the data set.

    Args:
        data: the data set.
        validation: the share of the images that are not held out; 0 gives an empty part.
        held_out: the number of images that are held out; not used if a test part was published.
        seed: of both draws.

    Raises:
        DataError: if a part would be empty.
    """
    if not 0 <= validation < 1:
        raise DataError(f"The share of validation images is from 0 to below 1, not {validation:g}.")
    rest = np.arange(len(data.labels))
    if data.held_images is not None and data.held_labels is not None:
        held = Part(data.held_images, data.held_labels)
    else:
        if not 0 < held_out < len(rest):
            raise DataError(
                f"Of {len(rest)} images {held_out} cannot be held out: at least one has to be, and "
                "at least one has to be left for training."
            )
        drawn = _drawn(data.labels, held_out, draws("held-out", seed))
        held = Part(data.images[drawn], data.labels[drawn])
        rest = rest[~drawn]
    size = round(validation * len(rest))
    if validation and not 0 < size < len(rest):
        raise DataError(
            f"A validation part of {validation:g} of {len(rest)} images has {size} of them: it "
            "needs at least one, and has to leave at least one for training."
        )
    drawn = _drawn(data.labels[rest], size, draws("validation", seed))
    train, valid = (
        Part(data.images[some], data.labels[some]) for some in (rest[~drawn], rest[drawn])
    )
    return train, valid, held


def _drawn(labels: Labels, size: int, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Which ``size`` images are drawn, as many of each class as is its share of all."""
    counts = np.bincount(labels)
    numbers = counts * size // len(labels)
    while (missing := size - numbers.sum()) > 0:
        room = numbers < counts - 1
        able = np.flatnonzero(room if room.any() else numbers < counts)
        behind = counts[able] * size - numbers[able] * len(labels)
        numbers[able[np.argsort(-behind, kind="stable")][:missing]] += 1
    drawn = np.zeros(len(labels), dtype=bool)
    for label, number in enumerate(numbers):
        drawn[rng.permutation(np.flatnonzero(labels == label))[:number]] = True
    return drawn


def standardised(train: Part, *others: Part) -> tuple[Part, ...]:
    """Returns all parts with (x − mean) / deviation of the training part's channels for x.

    Mean and deviation are taken over images and pixels of a channel (of a table: over the rows of
    a column). A channel that is constant in the training part is only shifted, to 0 there.

    Raises:
        DataError: if a number of another part is then too large for float32.
    """
    mean, deviation = _moments(train.images)
    parts = []
    for part in (train, *others):
        images = np.empty_like(part.images)
        with np.errstate(over="ignore"):
            for some in _blocks(images):
                images[some] = (part.images[some] - mean) / deviation
        if not np.isfinite(images).all():
            raise DataError(
                "A channel is so nearly constant in the training images that values of the others "
                "become infinite when they are divided by its deviation."
            )
        parts.append(Part(images, part.labels))
    return tuple(parts)


def _moments(images: Images) -> tuple[Numbers, Numbers]:
    """Mean and deviation of each channel, 1 × channels × 1 × 1; 1 for the deviation 0."""
    over = (0, 2, 3)
    mean: Numbers = np.asarray(images.mean(over, np.float64, keepdims=True))
    squares = [((images[some] - mean) ** 2).sum(over, keepdims=True) for some in _blocks(images)]
    deviation = np.sqrt(sum(squares) / (images.size // images.shape[1]))
    constant = images.min(over, keepdims=True) == images.max(over, keepdims=True)
    return mean, np.where(constant, 1.0, deviation)


def _blocks(images: Images) -> Iterator[slice]:
    """Yields slices of images that have about BLOCK numbers each."""
    size = max(1, BLOCK // max(1, images[:1].size))
    return (slice(start, start + size) for start in range(0, len(images), size))


def noisy(labels: Labels, share: float, classes: int, seed: int) -> Labels:
    """Returns the labels with ``share`` of them, rounded to a whole number, replaced.

    Which ones is drawn from the seed, each new label uniformly from the other classes. A larger
    share replaces the same labels in the same way, and more.

    Raises:
        DataError: if the share is not from 0 to 1, or if there is no other class.
    """
    if not 0 <= share <= 1:
        raise DataError(f"The share of replaced labels is from 0 to 1, not {share:g}.")
    if classes < 2:
        raise DataError("Labels cannot be replaced by other classes: there is only one class.")
    rng = draws("label noise", seed)
    replaced = rng.permutation(len(labels))[: round(share * len(labels))]
    shift = rng.integers(1, classes, len(replaced))
    result = labels.copy()
    result[replaced] = (labels[replaced] + shift) % classes
    return result
