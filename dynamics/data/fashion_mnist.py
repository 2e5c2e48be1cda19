"""FashionMNIST: 70,000 grey images of clothes in ten classes, from files or downloaded once."""

import gzip
import hashlib
import http
import http.client
import math
import urllib.error
import urllib.request
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dynamics.data.download import download
from dynamics.data.folder import DataError, alone, folder
from dynamics.data.labelled import Labelled

SOURCE = "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/"
DEBIAN = Path("/usr/share/datasets/fashion-mnist")  # of the package dataset-fashion-mnist
# The shape of what is in a file, and the SHA-256 of the unpacked file: the gzip headers of Debian's
# files have no name and time, and differ by that from the published ones.
FILES = {
    "train-images-idx3-ubyte.gz": (
        (60_000, 28, 28),
        "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    ),
    "train-labels-idx1-ubyte.gz": (
        (60_000,),
        "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    ),
    "t10k-images-idx3-ubyte.gz": (
        (10_000, 28, 28),
        "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    ),
    "t10k-labels-idx1-ubyte.gz": (
        (10_000,),
        "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    ),
}
CLASSES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
MOST_BYTES = 40_000_000  # of a packed file


def fetch(report: Callable[[str], None]) -> None:
    """Make sure that the four files are on disk; ``report`` receives the progress in words.

    A download that ends early, also by an exception of ``report``, is continued by the next call.
    A file that is not the published one is removed.

    Raises:
        DataError: if a file is missing and cannot be downloaded.
    """
    if all(map(_path, FILES)):
        return
    with alone(_own_folder(), "FashionMNIST", report):
        for number, name in enumerate(FILES, 1):
            if not _path(name):
                _download(name, f"downloading FashionMNIST, file {number} of {len(FILES)}", report)


def fashion_mnist() -> Labelled:
    """The 60,000 images for training and the 10,000 for testing, with brightness from 0 to 1.

    Source: H. Xiao, K. Rasul and R. Vollgraf, Fashion-MNIST (2017), arXiv:1708.07747.

    Raises:
        DataError: if a file is missing, or is not the published one.
    """
    images, labels, held_images, held_labels = map(_content, FILES)
    return Labelled(
        _brightness(images),
        labels.astype(np.int64),
        _brightness(held_images),
        held_labels.astype(np.int64),
        CLASSES,
    )


def _own_folder() -> Path:
    return folder() / "fashion-mnist"


def _path(name: str) -> Path | None:
    """The file in one's own folder or in Debian's; None if it is in neither."""
    return next((place / name for place in (_own_folder(), DEBIAN) if _is_file(place / name)), None)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # such as a folder that may not be entered
        return False


def _content(name: str) -> NDArray[np.uint8]:
    path = _path(name)
    if path is None:
        raise DataError(f"There is no {name} in {_own_folder()}; {_advice()}.")
    return _unpacked(path, name)


def _advice() -> str:
    return (
        f"install Debian's dataset-fashion-mnist, or put its four files into {_own_folder()} or "
        "into the subfolder fashion-mnist of a folder that DLN_DATA names"
    )


def _brightness(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    return np.divide(images[:, np.newaxis], np.float32(255), dtype=np.float32)


def _unpacked(path: Path, name: str) -> NDArray[np.uint8]:
    """The numbers of a file in the IDX format, packed by gzip.

    The format has two zeros, the type (8: unsigned bytes), the number of axes, the length of each
    axis in 4 bytes, then the numbers.

    Raises:
        DataError: if it is not the published file.
    """
    shape, digest = FILES[name]
    header = bytes([0, 0, 8, len(shape)]) + b"".join(axis.to_bytes(4, "big") for axis in shape)
    size = len(header) + math.prod(shape)
    wrong = f"{path} is not the published {name}"
    try:
        if path.stat().st_size > MOST_BYTES:
            raise DataError(f"{wrong}: it has more than {MOST_BYTES // 10**6} MB.")
        with gzip.open(path) as packed:
            content = packed.read(size + 1)
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise DataError(f"{wrong}: it is damaged, cut off or not packed by gzip.") from None
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.") from None
    if not content.startswith(header):
        raise DataError(f"{wrong}: it does not begin as bytes of the shape {shape} do.")
    if len(content) != size:
        than = "more" if len(content) > size else "fewer"
        raise DataError(f"{wrong}: unpacked it has {than} than {size:,} bytes.")
    if hashlib.sha256(content).hexdigest() != digest:
        raise DataError(f"{wrong}: what is in it has a different SHA-256.")
    return np.frombuffer(content, np.uint8, offset=len(header)).reshape(shape)


def _download(name: str, what: str, report: Callable[[str], None]) -> None:
    """Download a file and keep it if it is the published one."""
    part = _own_folder() / f".{name}.part"
    try:
        _continue(SOURCE + name, part, lambda share: report(f"{what}: {share}"))
        _unpacked(part, name)
        part.replace(_own_folder() / name)
    except DataError:
        part.unlink(missing_ok=True)
        raise DataError(
            f"What was downloaded is not FashionMNIST's {name} and was removed; try again, or "
            f"{_advice()}."
        ) from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        reason = getattr(reason, "strerror", None) or reason
        raise DataError(f"FashionMNIST could not be downloaded ({reason}); {_advice()}.") from None


def _continue(address: str, part: Path, report: Callable[[str], None]) -> None:
    """Append to ``part`` what it lacks of the file at ``address``; ``report`` receives its share.

    Raises:
        DataError: if the file is too long.
        OSError, HTTPException or ValueError: if it cannot be downloaded to its end.
    """
    done = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(address, headers={"Range": f"bytes={done}-"} if done else {})
    try:
        with (
            download(request, lambda: report("waiting")) as (header, pieces),
            part.open("ab") as file,
        ):
            if not header.get("Content-Range", "").startswith(f"bytes {done}-"):
                file.truncate(0)  # the answer is the whole file
                done = 0
            size = done + int(header.get("Content-Length") or 0)
            for piece in pieces:
                file.write(piece)
                done += len(piece)
                if done > MOST_BYTES:
                    raise DataError("it is too long")
                report(f"{done / size:.0%}" if size else f"{done} bytes")
    except urllib.error.HTTPError as error:
        if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            return  # nothing is missing
        raise
    if done < size:
        raise ConnectionError(f"it ended at {done / size:.0%}, where the next attempt continues")
