"""Imported data: one content has one id, which says what it is; nothing else is read under it."""

import io
import os
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynamics.data import imported, kept
from dynamics.data.folder import DataError
from dynamics.data.imported import EXAMPLE, Identity, check, keep
from tests.support.make import is_sentence

RNG = np.random.default_rng(0)
IMAGES = RNG.random((20, 5, 7)).astype(np.float32)
LABELS = np.arange(20) // 10  # sorted by class, as many files are


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder of data sets."""
    monkeypatch.setenv("DLN_DATA", str(tmp_path / "data"))
    return tmp_path / "data" / "own"


def npz(**changes: Any) -> io.BytesIO:
    file = io.BytesIO()
    np.savez(file, **({"images": IMAGES, "labels": LABELS} | changes))
    return file


def test_an_id_says_what_a_data_set_is(place: Path) -> None:
    dataset = keep(npz(), "Schöne Schuhe (1).npz")
    identity = Identity.read(dataset)
    assert identity[:4] == ("schone-schuhe-1", 16, (1, 5, 7), 2) and str(identity) == dataset
    assert imported.names() == [dataset] and [file.stem for file in place.iterdir()] == [dataset]
    found = imported.imported(dataset)
    assert found.classes == ("0", "1") and found.held_images is None
    assert sorted(found.images[:, 0].sum((1, 2)).tolist()) == sorted(IMAGES.sum((1, 2)).tolist())
    for image, label in zip(found.images, found.labels, strict=True):
        (where,) = np.flatnonzero((image[0] == IMAGES).all((1, 2)))
        assert LABELS[where] == label
    assert 0 < found.labels[:10].sum() < 10


@pytest.mark.parametrize(
    ("images", "sizes"),
    [
        (IMAGES, "16x5x7"),
        (IMAGES[:, 0], "16x7"),
        (IMAGES[:, :1], "16x1x7"),
        (IMAGES[:, :, :1], "16x5x1"),
        (IMAGES[:, 0, :1], "16x1"),
        (RNG.random((20, 3, 5, 7)), "16x3x5x7"),
        (RNG.random((20, 5, 7, 4)), "16x4x5x7"),
    ],
    ids=str,
)
def test_rows_grey_images_and_colours_have_sizes_of_their_own(
    images: np.ndarray, sizes: str
) -> None:
    dataset = keep(npz(images=images), "x.npz")
    assert dataset.startswith(f"x-{sizes}-2c-")
    assert Identity.read(dataset).shape == imported.imported(dataset).images.shape[1:]


def test_one_content_has_one_id_however_it_is_stored(tmp_path: Path) -> None:
    packed = io.BytesIO()
    np.savez_compressed(packed, labels=LABELS.astype("u1"), images=IMAGES.astype(">f8"), more=3)
    file = tmp_path / "a.npz"
    file.write_bytes(npz().getvalue())
    assert keep(packed, "a.npz") == keep(npz(), "A.NPZ") == keep(file)
    assert len(imported.names()) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"images": IMAGES + np.float32(1e-3)},
        {"images": IMAGES.transpose(0, 2, 1)},
        {"labels": 1 - LABELS},
        {"classes": ["a", "b"]},
        {"held_images": IMAGES, "held_labels": LABELS},
    ],
    ids=str,
)
def test_another_content_has_another_id(changes: dict[str, Any]) -> None:
    assert keep(npz(), "a").rpartition("-")[2] != keep(npz(**changes), "a").rpartition("-")[2]


def test_a_test_part_leaves_all_images_for_training() -> None:
    dataset = keep(npz(held_images=IMAGES[:7], held_labels=LABELS[:7]), "a")
    assert Identity.read(dataset).images == 20
    found = imported.imported(dataset)
    assert found.held_images is not None and len(found.held_images) == 7


BAD = [
    "", "shoes", "../../etc/passwd", f"../{EXAMPLE}", f"{EXAMPLE}.npz", f"{EXAMPLE}\n",
    EXAMPLE.upper(), EXAMPLE.replace("shoes", "a" * 41), EXAMPLE.replace("shoes", "sh/oes"),
    EXAMPLE.replace("7c", "1c"), EXAMPLE.replace("7c", "1001c"), EXAMPLE.replace("7c", "٧c"),
    EXAMPLE.replace("1400", "0"), EXAMPLE.replace("x28x28", ""), EXAMPLE[:-1],
    EXAMPLE.replace("x28", "x" + 11 * "9"), EXAMPLE.replace("28x28", "4x4x4x4"),
]  # fmt: skip


@pytest.mark.parametrize("text", BAD)
def test_what_is_no_id_gets_one_sentence(text: str) -> None:
    with pytest.raises(ValueError, match="dataset must be the id") as caught:
        Identity.read(text)
    assert is_sentence(str(caught.value)), str(caught.value)


@given(st.text(alphabet="ab1-x0c.npz/", max_size=60) | st.text(max_size=60))
def test_any_file_name_makes_an_id(name: str) -> None:
    identity = Identity(kept.letters(name), 5, (1, 2, 3), 4, "0" * 16)
    assert Identity.read(str(identity)) == identity


def test_a_data_set_that_is_not_here_is_named_with_what_brings_it(place: Path) -> None:
    for ask in (check, imported.imported):
        with pytest.raises(DataError, match=f"{EXAMPLE} is not on this machine") as caught:
            ask(EXAMPLE)
        assert is_sentence(str(caught.value)) and str(place) in str(caught.value)


def test_a_file_with_another_content_or_none_is_not_read(place: Path) -> None:
    dataset = keep(npz(), "a")
    (place / f"{dataset}.npz").write_bytes(npz(labels=1 - LABELS).getvalue())
    with pytest.raises(DataError, match="is not what its name says"):
        imported.imported(dataset)
    (place / f"{dataset}.npz").write_bytes(b"PK")
    with pytest.raises(DataError, match="file, or is damaged") as caught:
        imported.imported(dataset)
    assert is_sentence(str(caught.value))


def bomb() -> io.BytesIO:
    """A small file whose images would be 4 GB of zeros."""
    file = io.BytesIO()
    header = io.BytesIO()
    shape = (1_000_000, 32, 32)
    np.lib.format.write_array_header_1_0(
        header, {"descr": "<f4", "fortran_order": False, "shape": shape}
    )
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("labels.npy", npy(LABELS))
        with archive.open("images.npy", "w", force_zip64=True) as entry:
            entry.write(header.getvalue())
            for _ in range(4096):
                entry.write(bytes(1_000_000))
    return file


def npy(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "not an .npz file"),
        (b"\x93NUMPY", "not an .npz file"),
        (pickle.dumps({"images": [1]}), "not an .npz file"),
        (npy(IMAGES), "not an .npz file"),
        (npz(images=np.array([{}] * 20)).getvalue(), "Python objects"),
        (npz().getvalue()[:-40], "not an .npz file"),
        (npz(labels=0 * LABELS).getvalue(), "two classes are needed"),
    ],
    ids=["nothing", "start", "pickle", "array", "objects", "cut", "one class"],
)
def test_an_upload_that_cannot_be_used_leaves_nothing(
    place: Path, content: bytes, words: str
) -> None:
    with pytest.raises(DataError, match=words) as caught:
        keep(io.BytesIO(content), "upload.npz")
    assert str(caught.value).startswith("upload.npz cannot be used: ")
    assert is_sentence(str(caught.value)) and not place.exists()


@pytest.mark.slow
def test_a_zip_bomb_is_refused_before_it_is_unpacked(place: Path) -> None:
    with pytest.raises(DataError, match="more than 2 GB of memory"):
        keep(bomb(), "bomb.npz")


def test_a_folder_that_cannot_be_written_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("DLN_DATA", str(tmp_path / "file"))
    with pytest.raises(DataError, match="file/own cannot be written: Not a directory"):
        keep(npz(), "a")
    assert imported.names() == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir(mode=0o500)
    with pytest.raises(DataError, match="cannot be written: Permission denied"):
        keep(npz(), "a")
