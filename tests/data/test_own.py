"""Own data: what fits is read as it is, everything else is refused with one sentence."""

import io
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dynamics.data.folder import DataError
from dynamics.data.own import MOST_BYTES, own
from tests.support.make import is_sentence

RNG = np.random.default_rng(0)
IMAGES = RNG.random((6, 5, 7))
LABELS = np.array([0, 1, 2, 2, 1, 0])
COLOURS = RNG.random((6, 3, 5, 7))


def saved(folder: Path, **changes: Any) -> Path:
    """A file of six grey images in three classes, with arrays changed, or left out if None."""
    arrays = {"images": IMAGES, "labels": LABELS} | changes
    file = folder / "own.npz"
    np.savez(file, **{name: array for name, array in arrays.items() if array is not None})
    return file


def refused(file: Path) -> str:
    with pytest.raises(DataError) as caught:
        own(file)
    assert is_sentence(str(caught.value)), str(caught.value)
    assert str(caught.value).startswith(str(file))
    return str(caught.value)


@pytest.mark.parametrize(
    ("images", "wanted"),
    [
        (IMAGES, IMAGES[:, np.newaxis]),
        (IMAGES[:, 0], IMAGES[:, 0, :, np.newaxis, np.newaxis]),  # rows of a table
        (COLOURS, COLOURS),
        (COLOURS.transpose(0, 2, 3, 1), COLOURS),
        (COLOURS[:, :1].transpose(0, 2, 3, 1), COLOURS[:, :1]),
        (np.asfortranarray(COLOURS), COLOURS),
        (COLOURS.astype(">f4"), COLOURS),
        ((IMAGES * 255).astype(np.uint8), (IMAGES * 255).astype(np.uint8)[:, np.newaxis]),
        (IMAGES > 0.5, (IMAGES > 0.5)[:, np.newaxis]),
    ],
    ids=["grey", "rows", "channels first", "last", "one", "order", "endian", "bytes", "bool"],
)
def test_images_and_rows_are_read_as_they_are(
    tmp_path: Path, images: np.ndarray, wanted: np.ndarray
) -> None:
    found = own(saved(tmp_path, images=images))
    assert found.images.dtype == np.float32 and found.images.flags.c_contiguous
    assert np.array_equal(found.images, wanted.astype(np.float32))
    assert np.array_equal(found.labels, LABELS) and found.classes == ("0", "1", "2")
    assert found.held_images is found.held_labels is None


@pytest.mark.parametrize("kind", ["u1", "i2", ">i4", "u8", "f2", "f8", "g"])
def test_labels_may_be_whole_numbers_of_any_type(tmp_path: Path, kind: str) -> None:
    found = own(saved(tmp_path, labels=LABELS.astype(kind)))
    assert np.array_equal(found.labels, LABELS) and found.labels.dtype == np.int64


def test_names_and_a_test_part_are_read(tmp_path: Path) -> None:
    """Compressed, and beside an array that nothing reads, of Python objects even."""
    file = tmp_path / "own.npz"
    np.savez_compressed(
        file,
        images=COLOURS.transpose(0, 2, 3, 1),
        labels=LABELS,
        classes=["cat", "dog", "Übermut"],
        held_images=COLOURS[:2].transpose(0, 2, 3, 1),
        held_labels=np.array([2, 2]),
        notes=np.array([{"made": "by hand"}], dtype=object),
    )
    found = own(str(file))
    assert found.classes == ("cat", "dog", "Übermut")
    assert found.held_images is not None and found.held_labels is not None
    assert np.array_equal(found.held_images, COLOURS[:2].astype(np.float32))
    assert found.held_labels.tolist() == [2, 2]


WITHOUT = np.where(np.arange(6) == 3, np.nan, 1.0)
BAD: dict[str, tuple[dict[str, Any], list[str]]] = {
    "no images": ({"images": None}, ["images and labels", "'labels'"]),
    "no labels": ({"labels": None, "y": LABELS}, ["images and labels", "'y'"]),
    "no array": ({"images": None, "labels": None}, ["has none"]),
    "objects": ({"images": np.array([{}] * 6)}, ["images has Python objects", "numbers"]),
    "texts": ({"labels": np.array(["a"] * 6)}, ["labels has the type str", "only numbers"]),
    "complex": ({"images": IMAGES + 1j}, ["images has the type complex128"]),
    "dates": ({"labels": LABELS.astype("M8[s]")}, ["labels has the type datetime64"]),
    "records": ({"labels": np.zeros(6, "i4,i4")}, ["labels has the type void"]),
    "numbered names": ({"classes": np.arange(3)}, ["classes has the type int64", "only texts"]),
    "one axis": ({"images": IMAGES[:, 0, 0]}, ["images has 1 axes"]),
    "five axes": ({"images": IMAGES[..., None, None]}, ["images has 5 axes"]),
    "a number": ({"images": np.array(1.0)}, ["images has 0 axes"]),
    "no channels": ({"images": np.zeros((6, 5, 5, 5))}, ["(6, 5, 5, 5)", "neither", "channels"]),
    "either channels": ({"images": np.zeros((6, 3, 9, 3))}, ["(6, 3, 9, 3)", "either"]),
    "no image": ({"images": IMAGES[:0], "labels": LABELS[:0]}, ["images is empty"]),
    "no pixel": ({"images": IMAGES[:, :0]}, ["images is empty"]),
    "no label": ({"labels": LABELS[:0]}, ["labels is empty"]),
    "too few labels": ({"labels": LABELS[:5]}, ["images has 6 images for 5 labels"]),
    "one-hot labels": ({"labels": np.eye(6)}, ["labels has the shape (6, 6)", "one number"]),
    "a label": ({"labels": np.array(1)}, ["labels has the shape ()"]),
    "half a label": ({"labels": LABELS + 0.5}, ["labels[0] is 0.5", "whole number"]),
    "NaN label": ({"labels": LABELS * WITHOUT}, ["labels[3] is nan", "whole number"]),
    "infinite label": (
        {"labels": LABELS / WITHOUT * [1, np.inf, 1, 1, 1, 1]},
        ["labels[1] is inf"],
    ),
    "negative label": ({"labels": LABELS - 1}, ["labels[0] is -1", "from 0"]),
    "huge label": ({"labels": LABELS.astype("u8") + 2**63}, ["labels[0] is 9223372036854775808"]),
    "label 1000": ({"labels": LABELS * 500}, ["labels[2] is 1000", "999"]),
    "counted from 1": ({"labels": LABELS + 1}, ["no image has the label 0", "0 to 3"]),
    "a gap": ({"labels": LABELS * 2}, ["no image has the label 1"]),
    "one class": ({"labels": LABELS * 0}, ["all images have the label 0", "two classes"]),
    "NaN": ({"images": IMAGES * WITHOUT[:, None, None]}, ["images[3] has NaN"]),
    "too large": ({"images": IMAGES * 1e300}, ["images[0] has", "too large"]),
    "constant": ({"images": np.full((6, 4, 4), 0.5)}, ["images are all the same"]),
    "alike": ({"images": np.stack([IMAGES[0]] * 6)}, ["images are all the same"]),
    "too few names": ({"classes": ["a", "b"]}, ["classes has the shape (2,)", "each of 3"]),
    "too many names": ({"classes": list("abcd")}, ["no image has the label 3"]),
    "names in rows": ({"classes": [["a", "b", "c"]]}, ["classes has the shape (1, 3)"]),
    "no name": ({"classes": ["a", " ", "c"]}, ["classes has ' '", "1 to 60"]),
    "a long name": ({"classes": ["a", "b" * 61, "c"]}, ["1 to 60"]),
    "a strange name": ({"classes": ["a", "b\nTraceback", "c"]}, ["'b\\nTraceback'"]),
    "equal names": ({"classes": ["a", "b", "a"]}, ["same name twice"]),
    "only held images": ({"held_images": IMAGES}, ["held_labels it has only one"]),
    "only held labels": ({"held_labels": LABELS}, ["held_labels it has only one"]),
    "other held size": (
        {"held_images": IMAGES[:, 1:], "held_labels": LABELS},
        ["(5, 7)", "held-out one (4, 7)"],
    ),
    "too few held": (
        {"held_images": IMAGES[:2], "held_labels": LABELS},
        ["held_images has 2 images for 6 labels"],
    ),
    "new held label": ({"held_images": IMAGES, "held_labels": LABELS + 1}, ["held_labels has 3"]),
    "held NaN": (
        {"held_images": IMAGES * WITHOUT[:, None, None], "held_labels": LABELS},
        ["held_images[3] has NaN"],
    ),
}


@pytest.mark.parametrize(("changes", "words"), BAD.values(), ids=BAD.keys())
def test_what_does_not_fit_is_named(
    tmp_path: Path, changes: dict[str, Any], words: list[str]
) -> None:
    with np.errstate(all="ignore"):
        sentence = refused(saved(tmp_path, **changes))
    assert all(word in sentence for word in words), sentence


def test_a_letter_that_unicode_lacks_is_named(tmp_path: Path) -> None:
    """NumPy raises a ValueError or a SystemError when it makes a text of such numbers."""
    for letter in (0x110000, 2**31 + 65, 2**32 - 1):
        classes = np.array([letter, 66, 67], dtype="u4").view("U1")
        assert "Unicode" in refused(saved(tmp_path, classes=classes))


def test_files_that_are_none_are_named(tmp_path: Path) -> None:
    assert "no such file" in refused(tmp_path / "absent.npz")
    assert "no such file" in refused(tmp_path)
    assert "name too long" in refused(tmp_path / ("x" * 300))
    (tmp_path / "a.npz").write_bytes(b"")
    assert "not an .npz file" in refused(tmp_path / "a.npz")
    np.save(tmp_path / "b.npy", IMAGES)
    assert "not an .npz file" in refused(tmp_path / "b.npy")


def npy(header: str, numbers: bytes = b"", version: int = 1) -> bytes:
    """An array's file with any header."""
    size = len(header).to_bytes(2 * version, "little")
    return b"\x93NUMPY" + bytes([version, 0]) + size + header.encode("latin1") + numbers


def zipped(file: Path, **arrays: bytes) -> Path:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in arrays.items():
            archive.writestr(f"{name}.npy", content)
    return file


def plain(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


HEADER = "{'descr': '<f8', 'fortran_order': False, 'shape': (6, %s)}"


@pytest.mark.parametrize(
    ("images", "words"),
    [
        (npy(HEADER % 10**12, bytes(48)), "does not have the length"),
        (npy(HEADER % 10**400, bytes(48)), "does not have the length"),
        (npy(HEADER % "-1", bytes(48)), "does not have the length"),
        (npy((HEADER % "-1").replace("6", "-6"), bytes(48)), "damaged"),
        (npy(HEADER % 2, bytes(48)), "does not have the length"),
        (npy("{'descr': '|O', 'fortran_order': False, 'shape': (6, 1)}"), "Python objects"),
        (npy(HEADER % "print()", bytes(48)), "damaged"),
        (npy("(" * 3000), "damaged"),
        (npy(HEADER % 1 + " " * 50_000_000, bytes(48), version=2), "damaged"),
        (npy(HEADER % 1, bytes(48))[:90], "does not have the length"),
        (npy(HEADER % 1)[:20], "damaged"),
    ],
    ids=range(11),
)
def test_headers_are_checked_before_memory_is_used(
    tmp_path: Path, images: bytes, words: str
) -> None:
    """Terabytes by the header, a header of 50 MB of blanks, pickles, code."""
    file = zipped(tmp_path / "own.npz", images=images, labels=plain(LABELS))
    del images
    tracemalloc.start()
    sentence = refused(file)
    assert tracemalloc.get_traced_memory()[1] < 5e6
    tracemalloc.stop()
    assert words in sentence, sentence


def test_large_files_and_arrays_are_refused_unread(tmp_path: Path) -> None:
    """Holes, which take no room on the disk, and a directory that announces 2 GB of zeros."""
    with (tmp_path / "holes.npz").open("wb") as holes:
        holes.truncate(MOST_BYTES + 1)
    tracemalloc.start()
    assert "it has more than 2 GB" in refused(tmp_path / "holes.npz")
    for count, words in ((41_666_667, "take more than 2 GB of memory"), (1000, "damaged")):
        images = npy(HEADER % count, bytes(48))
        with zipfile.ZipFile(tmp_path / "own.npz", "w") as archive:
            archive.writestr("images.npy", images)
            archive.writestr("labels.npy", plain(LABELS))
            archive.filelist[0].file_size += 48 * (count - 1)
        assert words in refused(tmp_path / "own.npz")
    assert tracemalloc.get_traced_memory()[1] < 5e6
    tracemalloc.stop()


WHOLE: dict[str, np.ndarray] = {
    "images": COLOURS,
    "labels": LABELS,
    "classes": np.array(["a", "b", "c"]),
    "held_images": COLOURS[:2],
    "held_labels": LABELS[:2],
}
KINDS = ["f8", "f2", "g", ">f4", "i8", "u8", "u1", "?", "c16", "U3", "S2", "O"]
VALUES = [0, 1, 2, -1, 0.5, 999, 1000, 2**63, 1e300, 1e-320, np.nan, np.inf]
NAME = st.sampled_from([*WHOLE])
PLACE = st.integers(0, 20_000)
BYTE = st.integers(0, 255)
DAMAGE = st.one_of(
    st.tuples(st.just("file"), PLACE, BYTE),
    st.tuples(st.just("cut"), PLACE),
    st.tuples(st.just("header"), NAME, st.integers(0, 127), BYTE),
    st.tuples(st.just("numbers"), NAME, PLACE, BYTE),
    st.tuples(
        st.just("array"),
        NAME,
        st.lists(st.integers(0, 6), max_size=5),
        st.sampled_from(VALUES),
        st.sampled_from(KINDS),
    ),
)
DAMAGES = st.lists(DAMAGE, min_size=1, max_size=4)


def damaged(file: Path, damages: list[Any]) -> None:
    """Write WHOLE with bytes of arrays changed or arrays replaced, then with bytes of the file."""
    contents = {name: bytearray(plain(array)) for name, array in WHOLE.items()}
    for kind, *what in damages:
        if kind == "header":
            contents[what[0]][what[1]] = what[2]
        if kind == "numbers":
            content = contents[what[0]]
            content[-1 - what[1] % max(1, len(content) - 128)] = what[2]
        if kind == "array":
            name, shape, value, dtype = what
            with np.errstate(all="ignore"):
                contents[name] = bytearray(plain(np.full(shape, value).astype(dtype)))
    zipped(file, **{name: bytes(content) for name, content in contents.items()})
    content = bytearray(file.read_bytes())
    for kind, place, *value in damages:
        if kind == "file":
            content[place % len(content)] = value[0]
        if kind == "cut":
            del content[max(1, place % len(content)) :]
    file.write_bytes(content)


def survive(folder: Path, damages: list[Any]) -> None:
    """Either what is read keeps its promises, or one sentence says what is wrong."""
    file = folder / "damaged.npz"
    damaged(file, damages)
    said = ""
    try:
        found = own(file)
    except DataError as error:
        said = str(error)
    if said:
        assert is_sentence(said), said
        return
    count = len(found.classes)
    parts = [(found.images, found.labels)]
    if found.held_images is not None and found.held_labels is not None:
        parts.append((found.held_images, found.held_labels))
    for images, labels in parts:
        assert images.dtype == np.float32 and labels.dtype == np.int64
        assert images.ndim == 4 and images.shape[1:] == found.images.shape[1:]
        assert len(images) == len(labels) > 0 and np.isfinite(images).all()
        assert labels.min() >= 0 and labels.max() < count
    assert set(found.labels) == set(range(count)) and count > 1
    assert all(name.isprintable() for name in found.classes)


@pytest.mark.filterwarnings("ignore")  # of Python, on what stands in a header
@settings(max_examples=300, deadline=None)
@given(damages=DAMAGES)
def test_a_damaged_file_is_read_or_refused_in_a_sentence(
    tmp_path_factory: pytest.TempPathFactory, damages: list[Any]
) -> None:
    survive(tmp_path_factory.getbasetemp(), damages)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.filterwarnings("ignore")
@settings(max_examples=5000, deadline=None)
@given(damages=DAMAGES)
def test_thousands_of_damaged_files_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, damages: list[Any]
) -> None:
    survive(tmp_path_factory.getbasetemp(), damages)
