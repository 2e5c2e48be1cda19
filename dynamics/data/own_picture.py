"""Own picture: a user's picture in grey, made small enough to train on, and kept as a PNG alone.

An id such as ``cat-96x128-grey-3f2a9c01b2d4e5f6`` says what it is: a name, rows and columns, and
the start of a SHA-256 of its pixels. No page lists it, so that only who has the id finds it.
"""

import hashlib
import io
import re
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dynamics.data import kept
from dynamics.data.folder import DataError

Grey = NDArray[np.uint8]
EXAMPLE = "cat-96x128-grey-3f2a9c01b2d4e5f6"
ENDINGS = (".png", ".jpg", ".jpeg", ".webp")
FORMATS = ("PNG", "JPEG", "WEBP")
MOST_BYTES = 20_000_000  # of a file
MOST_PIXELS = 50_000_000  # of a picture as it is in the file
SIDE = 128  # the longer side of a picture as it is kept
LEAST = 16  # pixels of the shorter side
ID = re.compile(
    rf"{kept.NAME}-(?P<rows>[1-9]\d{{1,2}})x(?P<cols>[1-9]\d{{1,2}})-grey-{kept.DIGEST}", re.ASCII
)


class PictureId(NamedTuple):
    """What an id says of a picture: its name, rows, columns, and digits of its content."""

    name: str
    rows: int
    cols: int
    digest: str

    @classmethod
    def read(cls, text: str) -> "PictureId | None":
        """The identity that an id states; None if it is not one of a picture."""
        match = ID.fullmatch(text)
        if match is None or len(match["name"]) > kept.MOST_LETTERS:
            return None
        rows, cols = int(match["rows"]), int(match["cols"])
        if not LEAST <= min(rows, cols) <= max(rows, cols) <= SIDE:
            return None
        return cls(match["name"], rows, cols, match["digest"])

    @classmethod
    def of(cls, name: str, pixels: Grey) -> "PictureId":
        """The identity of a picture that is imported under this name."""
        digest = hashlib.sha256(repr(pixels.shape).encode() + pixels.tobytes()).hexdigest()
        rows, cols = pixels.shape
        return cls(name, rows, cols, digest[:16])

    def __str__(self) -> str:
        return f"{self.name}-{self.rows}x{self.cols}-grey-{self.digest}"

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.rows, self.cols


def keep(file: str | Path | BinaryIO, name: str = "") -> str:
    """Import a picture and return its id; of the file nothing but its grey pixels is kept.

    Raises:
        DataError: with one sentence, if it cannot be used or kept.
    """
    from PIL import Image

    try:
        pixels = _pixels(kept.content(file, MOST_BYTES))
    except DataError as error:
        raise DataError(f"{name or file} cannot be used: {error}.") from None
    identity = str(PictureId.of(kept.letters(name or str(file)), pixels))
    packed = io.BytesIO()
    Image.fromarray(pixels).save(packed, "PNG")
    try:
        kept.copy(packed, f"{identity}.png")
    except OSError as error:
        raise DataError(f"{kept.folder()} cannot be written: {error.strerror}.") from None
    return identity


def picture(dataset: str) -> Grey:
    """The picture with this id.

    Raises:
        DataError: if it is missing, damaged or another one.
    """
    check(dataset)
    stated = PictureId.read(dataset)
    try:
        pixels = _opened(kept.place(f"{dataset}.png").read_bytes())
    except DataError:
        pixels = None
    if stated is None or pixels is None or PictureId.of(stated.name, pixels) != stated:
        raise DataError(f"{kept.place(dataset)}.png is not what its name says: import it again.")
    return pixels


def check(dataset: str) -> None:
    """Raise an error unless the picture is on this machine.

    Raises:
        DataError: with one sentence that says how to bring it here.
    """
    if not kept.place(f"{dataset}.png").is_file():
        raise DataError(
            f"The picture {dataset} is not on this machine: import the file that it came from, "
            f"with run --data-file FILE or on the page, or copy {dataset}.png into {kept.folder()}."
        )


def _opened(content: bytes) -> Grey:
    """Grey pixels of a file's content as they are; limits are checked before they are read."""
    import warnings

    from PIL import Image, ImageOps

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of Pillow on odd files; the limit below is ours
            image = Image.open(io.BytesIO(content), formats=FORMATS)
            wide, tall = image.size
            if wide * tall > MOST_PIXELS:
                raise DataError(f"it has more than {MOST_PIXELS:,} pixels")
            image.draft("L", (4 * SIDE, 4 * SIDE))  # a large JPEG is read at a part of its size
            turned = ImageOps.exif_transpose(image)
            if turned.mode in ("RGBA", "LA", "PA") or "transparency" in turned.info:
                turned = turned.convert("RGBA")
                turned = Image.alpha_composite(Image.new("RGBA", turned.size, "white"), turned)
            return np.asarray(turned.convert("L"))
    except (DataError, MemoryError):
        raise
    except Image.DecompressionBombError:
        raise DataError(f"it has more than {MOST_PIXELS:,} pixels") from None
    except Exception:  # what Pillow raises on a damaged file has no common kind
        raise DataError("it is not a PNG, JPEG or WebP picture, or is damaged") from None


def _pixels(content: bytes) -> Grey:
    """The pixels that are kept: at most SIDE on the longer side."""
    from PIL import Image

    image = Image.fromarray(_opened(content))
    image.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    pixels = np.asarray(image)
    rows, cols = pixels.shape
    if min(rows, cols) < LEAST:
        raise DataError(
            f"at {cols} × {rows} pixels it is too narrow: the shorter side needs {LEAST}, where "
            f"the longer one has at most {SIDE}"
        )
    if pixels.min() == pixels.max():
        raise DataError("all its pixels are the same")
    return pixels
