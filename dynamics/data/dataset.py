"""Data set: what a user imports, told apart by its file's ending and by its id.

Images or rows of a table with their classes, a picture, or a matrix with gaps.
"""

from pathlib import Path
from typing import BinaryIO, Literal

from dynamics.data import imported, own_matrix, own_picture
from dynamics.data.folder import DataError
from dynamics.data.imported import Identity
from dynamics.data.own_matrix import MatrixId
from dynamics.data.own_picture import PictureId

Kind = Literal["images", "picture", "matrix"]
PROBLEMS: dict[Kind, str] = {"images": "own", "picture": "own_picture", "matrix": "own_matrix"}
CALLED: dict[Kind, str] = {
    "images": "an .npz file of images and labels",
    "picture": "a PNG, JPEG or WebP picture",
    "matrix": "a CSV or NPY file of a matrix or of ratings",
}
ENDINGS: dict[Kind, tuple[str, ...]] = {
    "images": (".npz",),
    "picture": own_picture.ENDINGS,
    "matrix": own_matrix.ENDINGS,
}


def read(text: str) -> Identity | PictureId | MatrixId:
    """The identity that an id states.

    Raises:
        ValueError: with one sentence, if the text is no id.
    """
    return PictureId.read(text) or MatrixId.read(text) or Identity.read(text)


def kind(text: str) -> Kind:
    """What the data set with this id is.

    Raises:
        ValueError: if the text is no id.
    """
    identity = read(text)
    if isinstance(identity, PictureId):
        return "picture"
    return "matrix" if isinstance(identity, MatrixId) else "images"


def kind_of_file(name: str) -> Kind | None:
    """What a file of this name is imported as; None for another ending."""
    ending = Path(name).suffix.lower()
    return next((kind for kind, endings in ENDINGS.items() if ending in endings), None)


def keep(file: Path | BinaryIO, name: str = "") -> str:
    """Import a file and return its id.

    Raises:
        DataError: with one sentence, if it cannot be used or kept.
    """
    called = name or str(file)
    found = kind_of_file(called)
    if found == "picture":
        return own_picture.keep(file, name)
    if found == "matrix":
        return own_matrix.keep(file, name)
    if found == "images":
        return imported.keep(file, name)
    endings = ", ".join(ending for known in ENDINGS.values() for ending in known)
    raise DataError(f"{called} cannot be used: its name must end in one of {endings}.")


def check(text: str) -> None:
    """Raise an error unless the data set with this id is on this machine.

    Raises:
        DataError: with one sentence that says how to bring it here.
    """
    {"images": imported, "picture": own_picture, "matrix": own_matrix}[kind(text)].check(text)
