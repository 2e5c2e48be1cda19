"""A user's picture: what is kept of it, and one sentence for what is none."""

import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from dynamics.core.config import Config
from dynamics.data import dataset, own_picture
from dynamics.data.folder import DataError
from tests.support.make import is_sentence
from tests.support.strange import mutated


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DLN_DATA", str(tmp_path))
    return tmp_path / "own"


def picture(form: str = "PNG", size: tuple[int, int] = (300, 200), mode: str = "RGB") -> io.BytesIO:
    across = np.linspace(0, 255, size[0])[None, :] + np.zeros((size[1], 1))
    image = Image.fromarray(across.astype(np.uint8)).convert(mode)
    exif = Image.Exif()
    exif[0x010E] = "a secret"
    file = io.BytesIO()
    image.save(file, form, exif=exif)
    return file


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
def test_only_small_grey_pixels_are_kept(place: Path, form: str) -> None:
    identity = dataset.keep(picture(form), f"My Photo.{form.lower()}")
    assert identity.startswith("my-photo-85x128-grey-")
    (kept,) = place.glob("*")
    assert kept.name == f"{identity}.png" and b"secret" not in kept.read_bytes()
    pixels = own_picture.picture(identity)
    assert pixels.shape == (85, 128) and pixels.dtype == np.uint8
    assert np.abs(pixels - np.linspace(0, 255, 128)).max() < 6
    config = Config.from_dict({"problem": "own_picture", "dataset": identity})
    assert config.shape == (85, 128) and config.rank_bound == 30
    kept.write_bytes(picture(size=(128, 85)).getvalue())
    with pytest.raises(DataError, match="is not what its name says"):
        own_picture.picture(identity)
    kept.unlink()
    with pytest.raises(DataError, match="is not on this machine"):
        dataset.check(identity)


def test_what_is_no_picture_gets_one_sentence(place: Path) -> None:
    """Among them a picture that would take gigabytes, which is refused before it is unpacked."""
    bomb = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(bomb, "PNG")
    large = io.BytesIO()
    Image.new("1", (8_000, 8_000)).save(large, "PNG")
    whole = picture().getvalue()
    files = {
        "pixels": bomb.getvalue(),
        "50,000,000 pixels": large.getvalue(),
        "damaged": whole[: len(whole) // 2],
        "is not a PNG": b"GIF89a" + bytes(90),
        "narrow": picture(size=(900, 20)).getvalue(),
        "the same": _blank(),
    }
    for named, content in files.items():
        with pytest.raises(DataError) as refused:
            dataset.keep(io.BytesIO(content), "own.png")
        assert is_sentence(str(refused.value)) and named in str(refused.value)
    with pytest.raises(DataError, match="must end in one of"):
        dataset.keep(io.BytesIO(whole), "own.gif")
    assert not list(place.glob("*"))


def _blank() -> bytes:
    file = io.BytesIO()
    Image.new("L", (40, 40)).save(file, "PNG")
    return file.getvalue()


def survive(folder: Path, form: str, seed: int) -> None:
    """A damaged picture is kept as one that is read back, or is refused in one sentence."""
    content = mutated(SMALL[form], seed)
    said = ""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DLN_DATA", str(folder))
        try:
            pixels = own_picture.picture(dataset.keep(io.BytesIO(content), f"own.{form.lower()}"))
        except DataError as error:
            said = str(error)
    if said:
        assert is_sentence(said) and said.startswith("own.")
    else:
        low, high = sorted(pixels.shape)
        assert pixels.dtype == np.uint8 and own_picture.LEAST <= low <= high <= own_picture.SIDE


SMALL = {form: picture(form, (60, 40)).getvalue() for form in own_picture.FORMATS}
FORM, SEED = st.sampled_from(own_picture.FORMATS), st.integers(0, 10**9)


@settings(max_examples=300, deadline=None)
@given(form=FORM, seed=SEED)
def test_a_damaged_picture_is_read_or_refused_in_a_sentence(
    tmp_path_factory: pytest.TempPathFactory, form: str, seed: int
) -> None:
    survive(tmp_path_factory.getbasetemp(), form, seed)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@settings(max_examples=5000, deadline=None)
@given(form=FORM, seed=SEED)
def test_thousands_of_damaged_pictures_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, form: str, seed: int
) -> None:
    survive(tmp_path_factory.getbasetemp(), form, seed)
