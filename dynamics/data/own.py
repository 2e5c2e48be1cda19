"""Own data: labelled images or rows from an ``.npz`` file, checked before they are read."""

import io
import math
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import psutil
from numpy.typing import NDArray

from dynamics.data.folder import DataError
from dynamics.data.labelled import Images, Labelled, Labels
from dynamics.data.npz import header

Array = NDArray[Any]
NEEDED = ("images", "labels")
NAMES = (*NEEDED, "classes", "held_images", "held_labels")
MOST_BYTES = 2_000_000_000  # of a file, and of its arrays as float32 or wider
COPIES = 2  # of the arrays in memory: as they are in the file, and as they are kept
MOST_CLASSES = 1000
MOST_LETTERS = 60  # of a class's name
CHANNELS = range(1, 5)  # grey, with alpha, colours, with alpha
KINDS = {"numbers": "biuf", "texts": "U"}  # kinds of NumPy's types


def own(file: str | Path | BinaryIO, name: str = "") -> Labelled:
    """Images or rows with labels from the arrays of an ``.npz`` file, by path or opened.

    - ``images``: n × features (rows of a table), n × height × width, or with 1 to 4 channels
      n × height × width × channels or n × channels × height × width, whichever it can be. Any real
      numbers; they are kept as they are, in float32.
    - ``labels``: n whole numbers from 0; every class has an image.
    - ``classes`` (may be missing): the names of the classes 0, 1, …; otherwise their numbers.
    - ``held_images`` and ``held_labels`` (may be missing): the test part.

    Other arrays of the file are not read. ``name`` is what errors call the file.

    Raises:
        DataError: if the file is missing, too large or damaged, or if an array does not fit.
    """
    try:
        return _labelled(_arrays(Path(file) if isinstance(file, str) else file))
    except DataError as error:
        reason = str(error)
    except MemoryError:
        reason = "its arrays do not fit into memory"
    raise DataError(f"{name or file} cannot be used: {reason}.")


def _arrays(file: Path | BinaryIO) -> dict[str, Array]:
    """The arrays with a name of NAMES; sizes and types are checked before any is read."""
    try:
        if _size(file) > MOST_BYTES:
            raise DataError(f"it has more than {MOST_BYTES / 1e9:g} GB")
        with zipfile.ZipFile(file) as archive:
            found = {entry.filename: entry for entry in archive.infolist()}
            entries = {name: found[f"{name}.npy"] for name in NAMES if f"{name}.npy" in found}
            if not entries.keys() >= set(NEEDED):
                raise DataError(f"it needs the arrays images and labels, and has {_list(found)}")
            size = sum(_bytes(archive, entry) for entry in entries.values())
            if size > MOST_BYTES:
                raise DataError(f"its arrays take more than {MOST_BYTES / 1e9:g} GB of memory")
            if size * COPIES > (free := psutil.virtual_memory().available):
                raise DataError(
                    f"to read its arrays takes {size * COPIES / 1e9:.1f} GB of memory, and "
                    f"{free / 1e9:.1f} GB are free"
                )
            return {name: _array(archive, entry) for name, entry in entries.items()}
    except (DataError, MemoryError):
        raise
    except Exception as error:  # what NumPy and zipfile raise on a damaged file has no common kind
        reason = getattr(error, "strerror", None) or "it is not an .npz file, or is damaged"
        raise DataError(reason[0].lower() + reason[1:]) from None


def _size(file: Path | BinaryIO) -> int:
    if not isinstance(file, Path):
        return file.seek(0, io.SEEK_END)
    if not file.is_file():
        raise DataError("no such file exists")
    return file.stat().st_size


def _list(found: Mapping[str, object]) -> str:
    """The first names of the arrays in a file, in words."""
    names = [f"{name.removesuffix('.npy')[:MOST_LETTERS]!r}" for name in list(found)[:5]]
    return ", ".join(names) + ", …" * (len(found) > 5) if names else "none"


def _bytes(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> int:
    """The memory that an array needs as float32 or wider, from its header alone."""
    name = entry.filename.removesuffix(".npy")
    shape, dtype, start = header(archive, entry)
    wanted = "texts" if name == "classes" else "numbers"
    if dtype.hasobject:
        raise DataError(f"{name} has Python objects; only {wanted} are read")
    if dtype.kind not in KINDS[wanted]:
        raise DataError(f"{name} has the type {dtype.name[:MOST_LETTERS]}; only {wanted} are read")
    if math.prod(shape) == 0:
        raise DataError(f"{name} is empty")
    if math.prod(shape) * dtype.itemsize + start != entry.file_size:
        raise DataError(f"{name} does not have the length that its header states")
    return math.prod(shape) * max(dtype.itemsize, 4)


def _array(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Array:
    """The numbers or texts; an error if fewer are there than the header states."""
    with archive.open(entry) as opened:
        return np.lib.format.read_array(opened, allow_pickle=False)


def _labelled(arrays: dict[str, Array]) -> Labelled:
    images, labels = _part(arrays, "")
    if labels.min() == labels.max():
        raise DataError(f"all images have the label {labels[0]}, and two classes are needed")
    names = _names(arrays.get("classes"), int(labels.max()) + 1)
    absent = np.flatnonzero(np.bincount(labels, minlength=len(names)) == 0)
    if absent.size:
        raise DataError(
            f"no image has the label {absent[0]}, and every class from 0 to {len(names) - 1} needs "
            "one"
        )
    if (images.min(axis=0) == images.max(axis=0)).all():
        raise DataError("its images are all the same")
    if not arrays.keys() & {"held_images", "held_labels"}:
        return Labelled(images, labels, None, None, names)
    if not arrays.keys() >= {"held_images", "held_labels"}:
        raise DataError("of held_images and held_labels it has only one")
    sizes = [arrays[name].shape[1:] for name in ("images", "held_images")]
    if sizes[0] != sizes[1]:
        raise DataError(f"an image has the shape {sizes[0]}, and a held-out one {sizes[1]}")
    held_images, held_labels = _part(arrays, "held_")
    if held_labels.max() >= len(names):
        raise DataError(f"held_labels has {held_labels.max()}, and labels end at {len(names) - 1}")
    return Labelled(images, labels, held_images, held_labels, names)


def _part(arrays: dict[str, Array], prefix: str) -> tuple[Images, Labels]:
    images = _images(arrays[f"{prefix}images"], f"{prefix}images")
    labels = _labels(arrays[f"{prefix}labels"], f"{prefix}labels")
    if len(images) != len(labels):
        raise DataError(f"{prefix}images has {len(images)} images for {len(labels)} labels")
    return images, labels


def _images(array: Array, name: str) -> Images:
    """Images as n × channels × height × width."""
    if array.ndim == 2:
        array = array[:, :, np.newaxis, np.newaxis]
    elif array.ndim == 3:
        array = array[:, np.newaxis]
    elif array.ndim == 4:
        first, last = (array.shape[axis] in CHANNELS for axis in (1, 3))
        if first == last:
            raise DataError(
                f"{name} has the shape {array.shape}, where {'either' if first else 'neither'} the "
                f"second {'or' if first else 'nor'} the last axis can be the 1 to 4 channels"
            )
        array = array if first else np.moveaxis(array, 3, 1)
    else:
        raise DataError(f"{name} has {array.ndim} axes, and 2 (rows), 3 or 4 (images) are read")
    with np.errstate(all="ignore"):
        images = np.ascontiguousarray(array, dtype=np.float32)
    bad = np.flatnonzero(~np.isfinite(images).all(axis=(1, 2, 3)))
    if bad.size:
        raise DataError(f"{name}[{bad[0]}] has NaN or a number that is too large for float32")
    return images


def _labels(array: Array, name: str) -> Labels:
    if array.ndim != 1:
        raise DataError(f"{name} has the shape {array.shape}, and one number per image is needed")
    with np.errstate(all="ignore"):
        bad = np.flatnonzero(
            ~((array >= 0) & (array < MOST_CLASSES)) | (array != array.astype(np.int64))
        )
    if bad.size:
        raise DataError(
            f"{name}[{bad[0]}] is {array[bad[0]]}, and a label is a whole number from 0 to "
            f"{MOST_CLASSES - 1}"
        )
    return array.astype(np.int64)


def _names(array: Array | None, count: int) -> tuple[str, ...]:
    """The names of the classes: those of the file, or the numbers from 0 to ``count`` − 1."""
    if array is None:
        return tuple(map(str, range(count)))
    if array.ndim != 1 or not count <= len(array) <= MOST_CLASSES:
        raise DataError(
            f"classes has the shape {array.shape}, and one name for each of {count} classes is "
            "needed"
        )
    try:
        names = tuple(array.tolist())
    except (ValueError, SystemError):  # NumPy raises either
        raise DataError("classes has a letter that Unicode does not have") from None
    for name in names:
        if not (name.strip() and name.isprintable() and len(name) <= MOST_LETTERS):
            raise DataError(
                f"classes has {name[:MOST_LETTERS]!r}, and a name has 1 to {MOST_LETTERS} letters"
            )
    if len(set(names)) < len(names):
        raise DataError("classes has the same name twice")
    return names
