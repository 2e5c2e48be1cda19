"""Imported: one's own labelled data, kept in the folder of the data sets under an id.

An id such as ``shoes-1400x28x28-7c-3f2a9c01b2d4e5f6`` says what a data set is: a name, how many
images there are for training, the size of an image, the number of classes, and the start of a
SHA-256 of all numbers, labels and names. Whoever imports the same content gets the same id under
the same name.
"""

import hashlib
import re
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np

from dynamics.data import kept
from dynamics.data.folder import DataError
from dynamics.data.labelled import Labelled, Part, draws
from dynamics.data.own import MOST_CLASSES, own

EXAMPLE = "shoes-1400x28x28-7c-3f2a9c01b2d4e5f6"
HELD_OUT = 0.2  # share that is held out of a data set without a test part
MOST_LETTERS = 40  # of a name
ID = re.compile(
    r"(?P<name>[a-z0-9]+(?:-[a-z0-9]+)*)-(?P<sizes>[1-9]\d{0,9}(?:x[1-9]\d{0,9}){1,3})"
    r"-(?P<classes>[1-9]\d{0,3})c-(?P<digest>[0-9a-f]{16})",
    re.ASCII,
)


class Identity(NamedTuple):
    """What an id says of a data set.

    Attributes:
        name: letters, digits and hyphens.
        images: how many there are for training: those that are not held out.
        shape: channels, height and width; features × 1 × 1 for rows of a table.
        classes: how many classes there are.
        digest: sixteen hexadecimal digits that follow from the content.
    """

    name: str
    images: int
    shape: tuple[int, int, int]
    classes: int
    digest: str

    @classmethod
    def read(cls, text: str) -> "Identity":
        """The identity that an id states.

        Raises:
            ValueError: with one sentence, if the text is no id.
        """
        match = ID.fullmatch(text)
        if match and len(match["name"]) <= MOST_LETTERS:
            images, *sizes = map(int, match["sizes"].split("x"))
            classes = int(match["classes"])
            if 2 <= classes <= MOST_CLASSES:
                ones = [1] * (3 - len(sizes))
                channels, height, width = ones + sizes if len(sizes) > 1 else sizes + ones
                shape = channels, height, width
                return cls(match["name"], images, shape, classes, match["digest"])
        raise ValueError(
            f"dataset must be the id of an imported data set such as {EXAMPLE}, or on the command "
            f"line the path of an .npz file; {text[:100]!r} was given."
        )

    @classmethod
    def of(cls, name: str, data: Labelled) -> "Identity":
        """The identity of a data set that is imported under this name."""
        channels, height, width = data.images.shape[1:]
        count = len(data.labels)
        held = 0 if data.held_images is not None else max(1, round(HELD_OUT * count))
        return cls(name, count - held, (channels, height, width), len(data.classes), digest(data))

    def __str__(self) -> str:
        channels, height, width = self.shape
        sizes: tuple[int, ...] = self.shape
        if height == width == 1:
            sizes = (channels,)
        elif channels == 1:
            sizes = (height, width)
        return (
            f"{self.name}-{'x'.join(map(str, (self.images, *sizes)))}-{self.classes}c-{self.digest}"
        )


def keep(file: Path | BinaryIO, name: str = "") -> str:
    """Import the data set of an ``.npz`` file and return its id; ``own`` says which arrays it has.

    Args:
        file: the path of the file, or the file itself, such as an upload.
        name: the name of the file, if it is not a path.

    Raises:
        DataError: with one sentence, if it cannot be used or kept.
    """
    identity = str(Identity.of(kept.letters(name or str(file)), own(file, name)))
    try:
        kept.copy(file, f"{identity}.npz")
    except OSError as error:
        raise DataError(f"{kept.folder()} cannot be written: {error.strerror}.") from None
    return identity


def names() -> list[str]:
    """The ids of the data sets on this machine, in alphabetical order."""
    try:
        files = sorted(kept.folder().glob("*.npz"))
    except OSError:  # such as a folder that may not be entered
        return []
    return [file.stem for file in files if ID.fullmatch(file.stem)]


def check(dataset: str) -> None:
    """Raise an error unless a data set is on this machine.

    Raises:
        DataError: with one sentence that says how to bring it here.
    """
    if dataset not in names():
        raise DataError(
            f"The data set {dataset} is not on this machine: import the file that it came from, "
            f"with run --data-file FILE.npz or on the page, or copy {dataset}.npz into "
            f"{kept.folder()}."
        )


def imported(dataset: str) -> Labelled:
    """The data set with this id, in an order that is drawn once and for all.

    Files are often sorted by class, and records read the first images of a part.

    Raises:
        DataError: if it is missing, damaged or another one.
    """
    check(dataset)
    data = own(kept.place(f"{dataset}.npz"))
    stated = Identity.read(dataset)
    if Identity.of(stated.name, data) != stated:
        raise DataError(
            f"{kept.place(f'{dataset}.npz')} is not what its name says: import the data set again."
        )
    train = _shuffled(Part(data.images, data.labels), "images")
    if data.held_images is None or data.held_labels is None:
        return Labelled(*train, None, None, data.classes)
    held = _shuffled(Part(data.held_images, data.held_labels), "held-out images")
    return Labelled(*train, *held, data.classes)


def digest(data: Labelled) -> str:
    """Sixteen hexadecimal digits: equal for equal numbers, labels and names, on every machine."""
    total = hashlib.sha256(repr(data.classes).encode())
    for array in (data.images, data.labels, data.held_images, data.held_labels):
        if array is not None:
            total.update(repr(array.shape).encode())
            total.update(np.ascontiguousarray(array, array.dtype.newbyteorder("<")).data)
    return total.hexdigest()[:16]


def _shuffled(part: Part, purpose: str) -> Part:
    order = draws(f"order of imported {purpose}", 0).permutation(len(part.labels))
    return Part(part.images[order], part.labels[order])
